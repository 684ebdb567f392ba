/** What is asked for the memory that an instance uses. */
interface MemorySource {
  /** @returns undefined where nothing counts it. @throws when the sandbox has ended */
  peakMemory(): Promise<number | undefined>
}

/** Memory use is asked for at most this often per instance. */
const SAMPLE_MS = 1_000

/** The most memory that an instance was seen to use, in bytes. */
export class MemoryPeak {
  readonly #source: MemorySource
  #bytes: number
  #sampledAt = 0

  constructor(source: MemorySource, bytes: number) {
    this.#source = source
    this.#bytes = bytes
  }

  get bytes(): number {
    return this.#bytes
  }

  note(bytes: number | undefined): void {
    if (bytes !== undefined) this.#bytes = Math.max(this.#bytes, bytes)
  }

  /** Has a look, unless there was one a moment ago. @param now - `performance.now()` */
  sample(now: number): void {
    if (now - this.#sampledAt < SAMPLE_MS) return
    this.#sampledAt = now
    void this.#source.peakMemory().then(
      (bytes) => {
        this.note(bytes)
      },
      () => {} // The sandbox ended meanwhile; its exit has the last figure.
    )
  }
}
