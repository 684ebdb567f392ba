import type { Phases } from '@hearth/executor'

/** Value of `Server-Timing`: where the time went, in milliseconds. */
export function serverTiming({ queueMs, sandboxMs, initMs, executeMs }: Phases): string {
  const cold = initMs === 0 ? '' : `sandbox;dur=${toMicros(sandboxMs)}, init;dur=${toMicros(initMs)}, `
  return `queue;dur=${toMicros(queueMs)}, ${cold}exec;dur=${toMicros(executeMs)}`
}

/** Three decimals at most, without the cost of toFixed. */
function toMicros(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
