/** Neighbouring buckets' bounds differ by this factor: a value read back is within 2 % of the one put in. */
const GROWTH = 1.04
const SCALE = 1 / Math.log(GROWTH)
/** Milliseconds: what is shorter is this long. */
const SHORTEST = 0.01
/** Up to 15 minutes and a bit. */
const BUCKETS = Math.ceil(Math.log(1_000_000 / SHORTEST) * SCALE) + 1
/** Kept for the next minute. */
const SPARE = 256
/** Few values are kept as they are: most functions are called now and then. */
const EXACT = 12

const spare: Uint32Array[] = []

/** Durations of one minute by frequency: the first few exactly, more in logarithmic buckets. */
export class DurationBuckets {
  readonly #exact = new Float64Array(EXACT)
  #count = 0
  #buckets: Uint32Array | undefined

  /** @param ms - 0 or more */
  add(ms: number): void {
    if (this.#count < EXACT) this.#exact[this.#count] = ms
    else {
      this.#buckets ??= spare.pop() ?? new Uint32Array(BUCKETS)
      this.#buckets[bucketOf(ms)]!++
    }
    this.#count++
  }

  values(): [ms: number, count: number][] {
    const values = [...this.#exact.subarray(0, this.#count)].map((ms): [number, number] => [ms, 1])
    this.#buckets?.forEach((count, bucket) => {
      if (count > 0) values.push([SHORTEST * GROWTH ** (bucket + 0.5), count])
    })
    return values
  }

  /** Gives back what it holds: it is not used any more. */
  release(): void {
    if (this.#buckets === undefined || spare.length >= SPARE) return
    spare.push(this.#buckets.fill(0))
    this.#buckets = undefined
  }
}

function bucketOf(ms: number): number {
  if (ms <= SHORTEST) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log(ms / SHORTEST) * SCALE))
}
