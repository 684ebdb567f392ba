import type { QueuedEvent } from '@hearth/store'

/** Events of a function at once to begin with: a backlog must not start as many instances as there are places. */
const AT_ONCE_FIRST = 4
/** After which a function with a backlog gets twice as many, though none of them has ended; sooner if they have. */
const GROW_MS = 1_000
const GROW_SOONEST_MS = 250
/** Beyond what any server runs at once. */
const MOST = 65_536

/** The events of one function, as far as they are in memory. */
export class Lane {
  readonly functionName: string
  /** Claimed, not begun. */
  readonly ready: QueuedEvent[] = []
  running = 0
  /** How many may run: its function's reserved concurrency, as last seen. */
  limit = Number.POSITIVE_INFINITY
  /** Whether there may be events on disk that are due. */
  more = false
  /** A look at the disk is under way. */
  claiming = false
  /** Whether it stands in the ring. */
  queued = false
  /** When the next event on disk is due that was not yet. */
  dueAt = Number.POSITIVE_INFINITY
  /** A timer runs that lets it grow. */
  growing = false
  /** When it may have more at once in any case, Unix time in ms. */
  growsAt = 0
  /** When it had its last more, or began to need it. */
  #grownAt = 0
  #atOnce = AT_ONCE_FIRST
  /** Ended since it had its last more. */
  #ended = 0

  constructor(functionName: string) {
    this.functionName = functionName
  }

  /** Whether one more may run. */
  mayRun(now: number): boolean {
    if (this.running < this.#atOnce) {
      this.growsAt = 0
      return true
    }
    if (this.growsAt === 0) this.growsAt = now + GROW_MS
    if (now < this.growsAt) return false
    this.#grow(now)
    return true
  }

  /** An attempt is over. @param isTried - There was room for it */
  settled(isTried: boolean, now: number): void {
    if (!isTried) {
      this.#atOnce = Math.max(1, Math.floor(this.#atOnce / 2))
      this.#ended = 0
      return
    }
    this.#ended += 1
    if (this.#ended < this.#atOnce || !this.isRunnable) return
    if (this.#grownAt === 0) this.#grownAt = now
    if (now >= this.#grownAt + GROW_SOONEST_MS) this.#grow(now)
  }

  #grow(now: number): void {
    if (this.#atOnce < MOST) this.#atOnce *= 2
    this.#ended = 0
    this.#grownAt = now
    this.growsAt = now + GROW_MS
  }

  get isRunnable(): boolean {
    return this.ready.length > 0 || (this.more && !this.claiming)
  }

  get isIdle(): boolean {
    return (
      this.ready.length === 0 &&
      this.running === 0 &&
      !this.more &&
      !this.claiming &&
      !this.growing &&
      this.dueAt === Number.POSITIVE_INFINITY
    )
  }
}
