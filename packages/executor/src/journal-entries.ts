import { type Flight, lastBytes } from './flight.ts'
import type { InstanceLines } from './instance-lines.ts'
import type { JournalEntry } from './journal.ts'
import type { MutableOutcome } from './outcome.ts'
import { reportLines, startLine } from './platform-lines.ts'

/** An event's turn has come: its START line. */
export class StartEntry implements JournalEntry {
  readonly #lines: InstanceLines
  readonly #flight: Flight

  constructor(lines: InstanceLines, flight: Flight) {
    this.#lines = lines
    this.#flight = flight
  }

  write(): void {
    const lines = this.#lines
    const { spec } = lines
    if (spec.concurrency === 1) lines.speak(this.#flight)
    const line = startLine(spec, this.#flight.invocation.requestId, Date.now())
    if (line !== undefined) lines.writeInfo(this.#flight, line)
    lines.claim()
  }
}

/** An event is over: what there is to say of it, and the answer of a caller who asked for its log. */
export class EndEntry implements JournalEntry {
  readonly #lines: InstanceLines
  readonly #flight: Flight
  readonly #outcome: MutableOutcome
  readonly #logLine: string | undefined

  /** @param logLine - Of what went wrong, in the platform's words */
  constructor(lines: InstanceLines, flight: Flight, outcome: MutableOutcome, logLine: string | undefined) {
    this.#lines = lines
    this.#flight = flight
    this.#outcome = outcome
    this.#logLine = logLine
  }

  write(): void {
    const lines = this.#lines
    const flight = this.#flight
    const outcome = this.#outcome
    const { spec } = lines
    lines.claim()
    if (this.#logLine !== undefined && spec.logFormat === 'Text') lines.writeInfo(flight, this.#logLine)
    // In text format a handler that threw is no news to the platform: its REPORT line has no status.
    const handled = outcome.status === 'ok' || (outcome.status === 'error' && spec.logFormat === 'Text')
    const report = reportLines(
      spec,
      {
        requestId: flight.invocation.requestId,
        durationMs: outcome.phases.executeMs,
        billedMs: outcome.billedMs,
        maxMemoryMiB: outcome.maxMemoryMiB,
        initMs: flight.cold ? flight.initMs : undefined,
        status: handled ? 'success' : outcome.status === 'timeout' ? 'timeout' : 'error',
        errorType: outcome.errorType
      },
      Date.now()
    )
    for (const line of report) lines.writeInfo(flight, line)
    if (flight.tail !== undefined) {
      outcome.tail = lastBytes(flight.tail)
      // What comes later would be kept for nobody.
      flight.tail = undefined
      flight.invocation.settle(outcome)
    }
  }
}
