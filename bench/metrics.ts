import { createMetrics, type Entry, type Metrics, MinuteSums } from '@hearth/gateway'
import { quantile } from './processes.ts'

export interface MetricsResult {
  readonly functions: number
  /**
   * What counting costs from an event's beginning to its end, in ns: median and worst of the rounds, and in the first
   * one, in which the code is being compiled.
   */
  readonly countNs: { readonly first: number; readonly p50: number; readonly worst: number }
  /** The same with all functions busy, in no order: nothing that is counted is in the processor's caches. */
  readonly scatteredNs: { readonly p50: number; readonly worst: number }
  /** Of that, CloudWatch's part. */
  readonly minuteNs: number
  readonly scrape: {
    readonly bytes: number
    readonly ms: number
    /** The longest that the event loop was held up at a time, in ms of CPU. */
    readonly longestMs: number
  }
  /** A minute of all functions as samples for the control plane: how many, and ms. */
  readonly report: { readonly samples: number; readonly ms: number; readonly longestMs: number }
}

const ROUNDS = 9
const CALLS = 200_000
/** Of all functions. */
const BUSY = 100
/** Coprime to both: all get their turn, neighbours far apart. */
const STRIDE = 7_919

/** Counting calls, and showing what was counted, in this process: no server is needed for it. */
export async function measureMetrics(functions = 10_000): Promise<MetricsResult> {
  const metrics = createMetrics({ version: '0', functionSeries: -1, now: () => performance.now() })
  const entries = Array.from({ length: functions }, (_, i) => entry(`function-${i}`))
  for (const { record } of entries) metrics.functions.ensure(record.name, record)
  const first = timed(() => count(metrics, entries, BUSY))
  const rounds: number[] = []
  const scattered: number[] = []
  const minutes: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(timed(() => count(metrics, entries, BUSY)))
    scattered.push(timed(() => count(metrics, entries, functions)))
    minutes.push(
      timed(() => {
        for (let i = 0; i < CALLS; i++) metrics.minutes.settled(entries[i % BUSY]!, OUTCOMES[i % OUTCOMES.length]!, 1)
      })
    )
  }
  for (const one of entries) {
    for (let i = 0; i < 30; i++) metrics.minutes.settled(one, OUTCOMES[i % OUTCOMES.length]!, 1)
  }
  // Once to warm up.
  await scrape(metrics)
  return {
    functions,
    countNs: { first, p50: quantile(rounds, 0.5), worst: Math.max(...rounds) },
    scatteredNs: { p50: quantile(scattered, 0.5), worst: Math.max(...scattered) },
    minuteNs: quantile(minutes, 0.5),
    scrape: await scrape(metrics),
    report: reportOf(metrics)
  }
}

function count(metrics: Metrics, entries: readonly Entry[], busy: number): void {
  for (let i = 0; i < CALLS; i++) {
    const one = entries[(i * STRIDE) % busy]!
    metrics.settled(metrics.functions.started(one.record.name), one, OUTCOMES[i % OUTCOMES.length]!)
  }
}

/** @returns ns of CPU per call, which what else the machine does changes little */
function timed(work: () => void): number {
  const before = cpuMs()
  work()
  return ((cpuMs() - before) * 1e6) / CALLS
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

async function scrape(metrics: Metrics): Promise<MetricsResult['scrape']> {
  let bytes = 0
  let longestMs = 0
  const startedAt = performance.now()
  let before = cpuMs()
  for await (const piece of metrics.render()) {
    bytes += Buffer.byteLength(piece)
    longestMs = Math.max(longestMs, cpuMs() - before)
    await new Promise((resolve) => setImmediate(resolve))
    before = cpuMs()
  }
  return { bytes, longestMs, ms: performance.now() - startedAt }
}

function reportOf(metrics: Metrics): MetricsResult['report'] {
  const startedAt = cpuMs()
  let samples = 0
  let longestMs = 0
  let before = startedAt
  const step = (): void => {
    const now = cpuMs()
    longestMs = Math.max(longestMs, now - before)
    before = now
  }
  for (const [at, table] of metrics.minutes.take(true)) {
    const sums = new MinuteSums(at, table)
    const steps = sums.addUp(250)
    while (steps.next().done !== true) step()
    step()
    for (const part of sums.parts()) {
      const made = part()
      JSON.stringify(made)
      samples += made.length
      step()
    }
  }
  return { samples, longestMs, ms: cpuMs() - startedAt }
}

function entry(name: string): Entry {
  const record = { name, version: '$LATEST', runtime: 'nodejs20.x', memoryMiB: 128 }
  return { record, invokedArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}` } as unknown as Entry
}

const OUTCOMES = Array.from({ length: 64 }, (_, i) => ({
  status: i % 32 === 0 ? ('error' as const) : ('ok' as const),
  payload: Buffer.alloc(0),
  errorType: '',
  cold: i % 64 === 0,
  phases: { queueMs: 0.02, sandboxMs: 0, initMs: 0, executeMs: 0.3 * (i + 1) },
  billedMs: i + 1,
  maxMemoryMiB: 40 + i,
  streamed: undefined,
  tail: undefined
}))
