import type { Flight } from './flight.ts'
import { createRawLines, type RawLine } from './raw-lines.ts'
import type { FunctionSpec, LogSink } from './types.ts'

/**
 * What an instance prints, and whose it is. Raw output comes by another way than the word whose turn it is: a line that
 * was read before that word waits for it.
 */
export class InstanceLines {
  readonly spec: FunctionSpec
  readonly #logs: LogSink
  readonly #logStream: string
  readonly #rawLine: ReturnType<typeof createRawLines>
  /** Whose lines raw output belongs to. */
  #speaker: Flight | undefined
  /** The next turn is of an event that was sent after a rest: output of those before it has arrived by then. */
  #hasRested = false
  /** Whether the runtime says itself when an event begins. */
  #tellsStarts = false
  /** Raw output that was read in the same turn as the word whose it is, or before that. */
  #unclaimed: (RawLine & { readonly text: string })[] = []

  constructor(spec: FunctionSpec, logs: LogSink, logStream: string) {
    this.spec = spec
    this.#logs = logs
    this.#logStream = logStream
    this.#rawLine = createRawLines(spec, Date.now)
  }

  write(flight: Flight | undefined, at: number, level: string, text: string): void {
    this.#logs.write(this.spec, this.#logStream, at, flight?.invocation.requestId ?? '', level, text)
    flight?.tail?.push(text)
  }

  /** The platform's own word on an event. */
  writeInfo(flight: Flight | undefined, text: string): void {
    this.write(flight, Date.now(), 'INFO', text)
  }

  get tellsStarts(): boolean {
    return this.#tellsStarts
  }

  /** It does from now on. */
  expectStarts(): void {
    this.#tellsStarts = true
  }

  /** The next event comes after a rest. */
  rested(): void {
    this.#hasRested = true
  }

  /** After the turn's reads: raw output from here on belongs to this flight. */
  speak(flight: Flight): void {
    this.#speaker = flight
    this.#hasRested = false
  }

  /** After the turn's reads: raw output that waited belongs to whoever speaks. */
  claim(): void {
    const lines = this.#unclaimed
    if (lines.length === 0) return
    this.#unclaimed = []
    for (const { at, level, text } of lines) this.write(this.#speaker, at, level, text)
  }

  /** One line of raw output. */
  print(text: string): void {
    const raw = this.#rawLine(text)
    if (raw === undefined) return
    const isKnown = !this.#tellsStarts || (this.#speaker !== undefined && !this.#hasRested)
    if (isKnown) {
      this.write(this.#speaker, raw.at, raw.level, text)
      return
    }
    // The journal's entries of this turn claim it; where there is none, it is claimed a turn later.
    if (this.#unclaimed.push({ ...raw, text }) === 1) setImmediate(() => setImmediate(() => this.claim()))
  }
}
