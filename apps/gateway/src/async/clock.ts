/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Unix time in ms. */
  now(): number
  /** @returns cancels it */
  after(ms: number, run: () => void): () => void
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => {
      clearTimeout(timer)
    }
  }
}
