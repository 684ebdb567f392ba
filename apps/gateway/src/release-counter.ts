import type { Outcome } from '@hearth/executor'
import { DURATION_BUCKETS, durationBucket, type ReleaseTally, type ReleaseWatch, sparse } from '@hearth/shared'

/**
 * Counts the calls of a release's new version in one step. There is one only while the release is under way; a call
 * costs it a logarithm and a few additions.
 */
export class ReleaseCounter {
  readonly watch: ReleaseWatch
  readonly #buckets = new Uint32Array(DURATION_BUCKETS)
  #invocations = 0
  #errors = 0
  #slow = 0

  constructor(watch: ReleaseWatch) {
    this.watch = watch
  }

  /** What never reached the function says nothing about it. */
  record(outcome: Outcome): void {
    const { status, phases } = outcome
    if (status === 'throttled' || status === 'unavailable') return
    this.#invocations++
    if (status !== 'ok') this.#errors++
    const { maxP99Ms } = this.watch
    if (maxP99Ms !== undefined && phases.executeMs > maxP99Ms) this.#slow++
    this.#buckets[durationBucket(phases.executeMs)]!++
  }

  /** All that was counted since this process began to count the step. */
  tally(): Omit<ReleaseTally, 'gateway'> {
    return {
      invocations: this.#invocations,
      errors: this.#errors,
      slow: this.#slow,
      buckets: sparse(this.#buckets)
    }
  }
}
