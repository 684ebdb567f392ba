import type { Clock } from './clock.ts'
import type { Lane } from './lane.ts'

/** Longest single timer, in ms: Node's own limit is 2^31. */
const MAX_TIMER_MS = 3_600_000

/** One timer for all lanes: tells when the next event on disk is due that was not yet. Times are Unix, in ms. */
export class DueTimer {
  readonly #clock: Clock
  readonly #lanes: () => Iterable<Lane>
  readonly #onDue: (lane: Lane) => void
  #at = Number.POSITIVE_INFINITY
  #isStopped = false
  #cancel = (): void => undefined

  /** @param lanes - All that there are. @param onDue - Called with each whose time has come */
  constructor(clock: Clock, lanes: () => Iterable<Lane>, onDue: (lane: Lane) => void) {
    this.#clock = clock
    this.#lanes = lanes
    this.#onDue = onDue
  }

  /** An event of the lane is due then, or others before it. */
  note(lane: Lane, at: number): void {
    if (at < lane.dueAt) lane.dueAt = at
    if (lane.dueAt < this.#at) this.#arm(lane.dueAt)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #arm(at: number): void {
    this.#cancel()
    this.#at = at
    const ms = Math.min(Math.max(at - this.#clock.now(), 0), MAX_TIMER_MS)
    this.#cancel = this.#clock.after(ms, () => {
      this.#onTimer()
    })
  }

  #onTimer(): void {
    this.#at = Number.POSITIVE_INFINITY
    if (this.#isStopped) return
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes()) {
      if (lane.dueAt <= now) {
        lane.dueAt = Number.POSITIVE_INFINITY
        this.#onDue(lane)
      } else if (lane.dueAt < next) next = lane.dueAt
    }
    if (next < this.#at) this.#arm(next)
  }
}
