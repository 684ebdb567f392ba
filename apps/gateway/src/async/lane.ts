import type { QueuedEvent } from '@hearth/store'

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

  constructor(functionName: string) {
    this.functionName = functionName
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
      this.dueAt === Number.POSITIVE_INFINITY
    )
  }
}
