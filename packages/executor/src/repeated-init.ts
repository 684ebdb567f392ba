import type { Candidate } from './candidate.ts'
import { timedOut } from './failures.ts'
import { type Flight, lastBytes } from './flight.ts'
import type { InitResult } from './init-result.ts'
import { reportLines, startLine } from './platform-lines.ts'
import type { FunctionSpec, LogSink, Outcome } from './types.ts'

/** An init that failed is repeated in the time of an event: what the event's log and its caller hear of that. */
export class RepeatedInit {
  readonly #spec: FunctionSpec
  readonly #logs: LogSink
  readonly #candidate: Candidate
  readonly #flight: Flight
  readonly #startedAt: number

  /** @param startedAt - When the first init had failed, in `performance.now()` ms */
  constructor(spec: FunctionSpec, logs: LogSink, candidate: Candidate, flight: Flight, startedAt: number) {
    this.#spec = spec
    this.#logs = logs
    this.#candidate = candidate
    this.#flight = flight
    this.#startedAt = startedAt
  }

  begin(): void {
    const line = startLine(this.#spec, this.#flight.invocation.requestId, Date.now())
    if (line !== undefined) this.#write(line)
  }

  /** Its second failure is what the caller gets. */
  failed(failure: InitResult & { ok: false }): Outcome {
    const { instance, sandboxMs } = this.#candidate
    const flight = this.#flight
    const { requestId } = flight.invocation
    instance.logInitFailure(failure, 'invoke', flight)
    const executeMs = performance.now() - this.#startedAt
    const isTimeout = failure.status === 'timeout'
    const billedMs = Math.max(1, Math.ceil(executeMs))
    const { errorType } = failure
    const { maxMemoryMiB } = instance
    const report = {
      requestId,
      durationMs: executeMs,
      billedMs,
      maxMemoryMiB,
      initMs: undefined,
      status: isTimeout ? ('timeout' as const) : ('error' as const),
      errorType
    }
    for (const line of reportLines(this.#spec, report, Date.now())) this.#write(line)
    return {
      status: isTimeout ? 'timeout' : 'init_error',
      payload: isTimeout
        ? timedOut(requestId, this.#spec.timeoutMs, new Date()).payload
        : failure.payloadFor(requestId),
      errorType,
      cold: true,
      phases: {
        queueMs: this.#startedAt - flight.arrivedAt,
        sandboxMs,
        initMs: failure.initMs,
        executeMs
      },
      billedMs,
      maxMemoryMiB,
      streamed: undefined,
      tail: flight.tail === undefined ? undefined : lastBytes(flight.tail)
    }
  }

  #write(text: string): void {
    const { requestId } = this.#flight.invocation
    this.#logs.write(this.#spec, this.#candidate.logStream, Date.now(), requestId, 'INFO', text)
    this.#flight.tail?.push(text)
  }
}
