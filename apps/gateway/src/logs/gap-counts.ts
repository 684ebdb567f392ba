import { Counter, type Registry } from 'prom-client'
import type { LogGapReason } from './log-stream.ts'

/** Counts, for the metrics, that readers of functions' logs were told of missing lines. */
export function createLogGapCounts(registers: Registry[]): (reason: LogGapReason) => void {
  const gaps = new Counter({
    name: 'hearth_log_stream_gaps_total',
    help: 'Times that a reader of a function’s log was told of missing lines: removed before they were read, or slow to take them.',
    labelNames: ['reason'],
    registers
  })
  for (const reason of ['removed', 'slow'] satisfies LogGapReason[]) gaps.inc({ reason }, 0)
  return (reason) => {
    gaps.inc({ reason })
  }
}
