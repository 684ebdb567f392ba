import type { Outcome } from '@hearth/executor'
import type { ReleaseCounts, ReleaseWatch } from '@hearth/shared'

/** Each bound is a quarter more than the one before, from 0.1 ms to over 15 minutes. */
const FIRST_MS = 0.1
const GROWTH = 1.25
const BUCKETS = 73

/**
 * Counts the calls of a release's new version in one step. There is one only while the release is under way; a call
 * costs it a logarithm and a few additions.
 */
export class ReleaseCounter {
  readonly watch: ReleaseWatch
  readonly #buckets = new Uint32Array(BUCKETS)
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
    this.#buckets[bucketOf(phases.executeMs)]!++
  }

  counts(): ReleaseCounts {
    return { invocations: this.#invocations, errors: this.#errors, slow: this.#slow, p99Ms: this.#p99Ms() }
  }

  #p99Ms(): number | undefined {
    if (this.#invocations === 0) return undefined
    let above = this.#invocations / 100
    let bucket = BUCKETS - 1
    for (; bucket > 0; bucket--) {
      above -= this.#buckets[bucket]!
      if (above < 0) break
    }
    return Math.round(FIRST_MS * GROWTH ** bucket * 100) / 100
  }
}

function bucketOf(ms: number): number {
  if (ms <= FIRST_MS) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)))
}
