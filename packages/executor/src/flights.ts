import type { SandboxExit } from '@hearth/sandbox'
import type { Flight } from './flight.ts'

/** Idle instances that may have died together, and be tried one after the other, before an event counts as failed. */
const MAX_UNDELIVERED = 16

/** The events that an instance has, as they were sent. */
export class Flights {
  /** Whether the instance serves one event at a time, those behind it being sent ahead. */
  readonly #isOneByOne: boolean
  #all: Flight[] = []

  constructor(concurrency: number) {
    this.#isOneByOne = concurrency === 1
  }

  get size(): number {
    return this.#all.length
  }

  get first(): Flight | undefined {
    return this.#all[0]
  }

  /** Whether all of them are answered: nobody waits for the instance any more. */
  get areSettled(): boolean {
    return this.#all.every((flight) => flight.settled)
  }

  [Symbol.iterator](): IterableIterator<Flight> {
    return this.#all[Symbol.iterator]()
  }

  /** @returns how many there are now */
  push(flight: Flight): number {
    return this.#all.push(flight)
  }

  find(seq: number): Flight | undefined {
    return this.#all.find((flight) => flight.seq === seq)
  }

  /** Takes one out. */
  take(seq: number): Flight | undefined {
    const first = this.#all[0]
    if (first?.seq === seq) {
      if (this.#all.length === 1) this.#all = []
      else this.#all.shift()
      return first
    }
    const at = this.#all.findIndex((flight) => flight.seq === seq)
    return at < 0 ? undefined : this.#all.splice(at, 1)[0]
  }

  /**
   * Looks at who is out of time.
   *
   * @param now - `performance.now()`
   * @returns when the next one is; infinite when nobody is waited for
   */
  expire(now: number, timeoutMs: number, onDue: (flight: Flight) => void): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const flight of this.#all) {
      if (flight.settled) continue
      // Pre-sent events have not begun: their clock starts with their turn.
      if (this.#isOneByOne && flight !== this.#all[0]) continue
      const dueAt = flight.startedAt + timeoutMs
      if (dueAt <= now) onDue(flight)
      else earliest = Math.min(earliest, dueAt)
    }
    return earliest
  }

  /**
   * The instance has ended: none is left.
   *
   * What was never begun can be run elsewhere: bytes left unread with one event in flight, or numbers above the progress
   * page's. One that serves one event at a time writes there only while others wait behind it.
   *
   * @param unread - Whether the channel was reset: bytes of ours were left unread
   * @param onReturned - The last one first: each goes to the front of those that wait
   */
  end(
    exit: SandboxExit,
    unread: boolean,
    onReturned: (flight: Flight) => void,
    onLost: (flight: Flight) => void
  ): void {
    const flights = this.#all
    this.#all = []
    const isOneByOne = this.#isOneByOne
    const started = isOneByOne && flights.length > 1 ? Math.max(exit.progress, flights[0]!.seq) : exit.progress
    const isAlone = flights.length === 1
    // What is left unread of one that has begun to answer is room for more of its answer.
    const notStarted = (flight: Flight) =>
      flight.stream === undefined && ((isAlone && unread) || ((!isAlone || !isOneByOne) && flight.seq > started))
    for (const flight of flights.reverse()) {
      if (flight.settled) continue
      if (notStarted(flight) && flight.undelivered < MAX_UNDELIVERED) {
        flight.undelivered++
        onReturned(flight)
      } else onLost(flight)
    }
  }
}
