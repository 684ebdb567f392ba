import { type Load, load } from './load.ts'
import type { Target } from './targets.ts'

export interface WarmResult extends Load {
  readonly name: string
  /** Throughput against bare node:http, and against workerd, in the same round: the median over the rounds. */
  readonly timesBare: number
  readonly timesWorkerd: number
}

const BODY = '{"name":"world","n":1}'

/**
 * Measures all targets in turn, several times over, so that what the machine does besides hits all of them alike.
 * @param targets - The first is what the others are compared with
 */
export async function measureWarm(
  targets: readonly Target[],
  { rounds, seconds, connections, tmpDir }: { rounds: number; seconds: number; connections: number; tmpDir: string }
): Promise<WarmResult[]> {
  const samples = new Map<string, Load[]>(targets.map((target) => [target.name, []]))
  const measure = (target: Target, duration: number) =>
    load({ ...target, body: BODY, connections, seconds: duration, serverPid: target.pid, tmpDir })
  for (const target of targets) await measure(target, 2)
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) {
      const sample = await measure(target, seconds)
      if (sample.errors > 0) throw new Error(`${target.name}: ${sample.errors} of its answers were errors`)
      samples.get(target.name)!.push(sample)
    }
  }
  const bare = samples.get(targets[0]!.name)!
  const workerd = samples.get('workerd')
  return targets.map(({ name }) => {
    const own = samples.get(name)!
    const pick = (key: keyof Load) => median(own.map((sample) => sample[key]))
    const against = (others: readonly Load[] | undefined) =>
      others === undefined
        ? Number.NaN
        : median(own.map((sample, i) => sample.requestsPerSecond / others[i]!.requestsPerSecond))
    return {
      name,
      requestsPerSecond: pick('requestsPerSecond'),
      p50Ms: pick('p50Ms'),
      p99Ms: pick('p99Ms'),
      cpuUs: pick('cpuUs'),
      errors: 0,
      timesBare: against(bare),
      timesWorkerd: against(workerd)
    }
  })
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
