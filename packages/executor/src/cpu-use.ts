/** What is asked for the CPU time that an instance has used. */
interface CpuSource {
  /** In ms; undefined where nothing counts it. */
  cpuMs(): Promise<number | undefined>
}

/** CPU time is asked for at most this often per instance. */
const SAMPLE_MS = 1_000

/** The CPU time of an instance, told on as it grows. */
export class CpuUse {
  readonly #source: CpuSource
  readonly #onUse: (ms: number) => void
  #ms: number
  #askedAt = 0

  /**
   * @param ms - Used before the instance was a function's
   * @param onUse - Told what was used since it was told last, in ms
   */
  constructor(source: CpuSource, ms: number, onUse: (ms: number) => void) {
    this.#source = source
    this.#ms = ms
    this.#onUse = onUse
  }

  /** When it was last asked for, in `performance.now()` ms. */
  get askedAt(): number {
    return this.#askedAt
  }

  /** Asks, unless that was done a moment ago. @param now - `performance.now()` */
  sample(now: number): void {
    if (now - this.#askedAt < SAMPLE_MS) return
    this.#askedAt = now
    void this.#source.cpuMs().then((ms) => {
      this.note(ms)
    })
  }

  /** @param ms - Used until now. What was asked before the end may be told after it. */
  note(ms: number | undefined): void {
    if (ms === undefined || ms <= this.#ms) return
    this.#onUse(ms - this.#ms)
    this.#ms = ms
  }
}
