import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { createTraces } from '@hearth/gateway'
import { encodeSpans } from '@hearth/gateway/internal/otlp/encode-spans'
import type { TraceRecord } from '@hearth/gateway/internal/tracing/records'
import { toSpans } from '@hearth/gateway/internal/tracing/to-spans'

/** What traces cost a call. */
export interface TraceResult {
  readonly name: string
  /** µs of CPU for each call: the median of the rounds. */
  readonly us: number
}

const ROUNDS = 7
const CALLS = 200_000
/** Calls whose spans are sent together. */
const BATCH = 256
const SCOPE = { region: 'us-east-1', accountId: '000000000000' }
const NONE = {}
const SENT = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
const OUTCOME = {
  status: 'ok' as const,
  payload: Buffer.alloc(0),
  errorType: '',
  cold: false,
  phases: { queueMs: 0.01, sandboxMs: 0, initMs: 0, executeMs: 1.5 },
  billedMs: 2,
  maxMemoryMiB: 40,
  streamed: undefined,
  tail: undefined
}

export function measureTraces(): readonly TraceResult[] {
  const ids = Array.from({ length: 1_024 }, () => randomUUID())
  const noted: TraceRecord[] = []
  const take = (record: TraceRecord): void => {
    if (noted.length < BATCH) noted.push(record)
  }
  const clocks = { nowMs: Date.now, now: () => performance.now() }
  const off = createTraces({ ...clocks, tracing: undefined })
  const on = (sample: number) => createTraces({ ...clocks, tracing: { sample, slowMs: 1_000, take } })

  /** All that a call does for its trace, from its headers to its end. */
  const call =
    (traces: typeof off, headers: Record<string, string>) =>
    (i: number): void => {
      const requestId = ids[i & 1_023]!
      const header = traces.ofCaller(requestId, headers)
      if (!traces.keeps(header, OUTCOME)) return
      const { status, errorType, cold, phases, billedMs, maxMemoryMiB } = OUTCOME
      traces.record({
        header,
        ...traces.originOf(headers),
        isAwaited: true,
        trigger: 'other',
        requestId,
        invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
        function: { name: 'f', version: '1', memoryMiB: 128 },
        outcome: { status, errorType, cold, phases, billedMs, maxMemoryMiB },
        startedAt: 0
      })
    }
  const idle = time('a header of its own, as before', CALLS, (i) => void off.ofCaller(ids[i & 1_023]!, NONE))
  const rows = [
    idle,
    time('off', CALLS, call(off, NONE)),
    time('off, traceparent sent', CALLS, call(off, SENT)),
    time('on, not sampled', CALLS, call(on(0), NONE)),
    time('on, sampled', CALLS, call(on(1), NONE)),
    time('on, traceparent sent and sampled', CALLS, call(on(0), SENT))
  ]
  const source = { resource: [['service.name', 'hearth'] as const], version: '0' }
  const batch = (): string =>
    encodeSpans(
      noted.flatMap((record) => toSpans(record, SCOPE, (at) => at)),
      source
    )
  const body = batch()
  const encode = time('its three spans as OTLP, of a batch', 20, () => void batch())
  const compress = time('and compressed, on another thread', 20, () => void gzipSync(body))
  return [...rows, ...[encode, compress].map((row) => ({ ...row, us: row.us / BATCH }))]
}

function time(name: string, times: number, work: (i: number) => void): TraceResult {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i += 1) work(i)
    // The first one is for the compiler.
    const { user, system } = process.cpuUsage(before)
    if (round > 0) rounds.push((user + system) / times)
  }
  return { name, us: rounds.sort((a, b) => a - b)[ROUNDS >> 1]! }
}
