import { isBefore } from './log-position.ts'
import { bytesBehind, lastRemoved, readRemovals } from './removals.ts'
import type { LogLoss, LogPosition } from './types.ts'

/**
 * Notices what is removed before somebody who reads forwards came to it. Segments go oldest first: while the one that was
 * read is there, nothing behind it is gone.
 */
export class LossWatch {
  readonly #dir: string
  readonly #onLoss: (loss: LogLoss) => void
  /** What was before it has been read, or is known to be gone. */
  #passed: LogPosition | undefined
  #isFirst: boolean
  #mayBe = false

  constructor(dir: string, after: LogPosition | undefined, onLoss: (loss: LogLoss) => void) {
    this.#dir = dir
    this.#passed = after
    this.#isFirst = after === undefined
    this.#onLoss = onLoss
  }

  /** @param oldest - Number of the oldest segment that is there */
  async begin(oldest: number | undefined): Promise<void> {
    // Who reads from the beginning misses nothing of what was gone by then.
    if (this.#passed === undefined) this.#passed = { segment: (oldest ?? 1) - 1, offset: Number.MAX_SAFE_INTEGER }
    else if (oldest === undefined || this.#passed.segment < oldest) this.#mayBe = true
    await this.check(oldest)
  }

  /** A segment is not there any more. */
  miss(): void {
    this.#mayBe = true
  }

  /** @param next - Number of the segment that is read next, even if it has gone since it was opened */
  async check(next = Number.POSITIVE_INFINITY): Promise<void> {
    if (!this.#mayBe) return
    this.#mayBe = false
    const removed = (await readRemovals(this.#dir)).filter(({ number }) => number < next)
    const until = lastRemoved(removed)
    const passed = this.#passed!
    if (until === undefined || !isBefore(passed, until)) return
    this.#onLoss({ after: this.#isFirst ? undefined : passed, until, bytes: bytesBehind(removed, passed) })
    this.#passed = until
  }

  /** All before this has been read. */
  pass(position: LogPosition): void {
    if (!isBefore(this.#passed!, position)) return
    this.#passed = position
    this.#isFirst = false
  }
}
