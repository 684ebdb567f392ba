/** Neighbouring buckets' bounds differ by this factor: a value read back is within 2 % of the one put in. */
const GROWTH = 1.04
const SCALE = 1 / Math.log(GROWTH)
/** Milliseconds: what is shorter is this long. */
const SHORTEST = 0.01
/** Up to 15 minutes and a bit. */
export const BUCKETS = Math.ceil(Math.log(1_000_000 / SHORTEST) * SCALE) + 1
/** Few values are kept as they are: most functions are called now and then. */
export const EXACT = 14

/** Durations of one minute by frequency: the first few exactly, more in logarithmic buckets. */
export class DurationBuckets {
  readonly #exact = new Float64Array(EXACT)
  #count = 0
  #buckets: Uint32Array | undefined

  /** @param ms - 0 or more */
  add(ms: number): void {
    if (this.#count < EXACT) this.#exact[this.#count] = ms
    else {
      this.#buckets ??= new Uint32Array(BUCKETS)
      this.#buckets[bucketOf(ms)]!++
    }
    this.#count++
  }

  /** Takes what {@link DurationBuckets.values} gave: the first few are exact. */
  restore(values: readonly (readonly [ms: number, count: number])[]): void {
    for (const [ms, count] of values) {
      this.add(ms)
      if (count === 1) continue
      this.#buckets![bucketOf(ms)]! += count - 1
      this.#count += count - 1
    }
  }

  values(): [ms: number, count: number][] {
    const values = [...this.#exact.subarray(0, this.#count)].map((ms): [number, number] => [ms, 1])
    if (this.#buckets !== undefined) eachBucket(this.#buckets, 0, (ms, count) => values.push([ms, count]))
    return values
  }
}

/** What {@link BUCKETS} buckets have: each one's values are the one that stands for them. */
export function eachBucket(buckets: Uint32Array, from: number, take: (ms: number, count: number) => void): void {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = buckets[from + bucket]!
    if (count > 0) take(SHORTEST * GROWTH ** (bucket + 0.5), count)
  }
}

/** The value that stands for all of its bucket. */
export function bucketed(ms: number): number {
  return SHORTEST * GROWTH ** (bucketOf(ms) + 0.5)
}

/** 0 to {@link BUCKETS} - 1. */
export function bucketOf(ms: number): number {
  if (ms <= SHORTEST) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log(ms / SHORTEST) * SCALE))
}
