import type { Clock } from './clock.ts'

/** Before something that the disk refused is tried again, in ms. */
export const DISK_RETRY_MS = 1_000

/** Writes down how attempts went, as often as it takes: an event whose end is not noted would run again. */
export class Notes {
  readonly #clock: Clock
  readonly #onError: (err: unknown) => void
  #open = 0
  #isStopped = false
  #onDone: (() => void) | undefined

  constructor(clock: Clock, onError: (err: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  write(write: () => Promise<void>): void {
    this.#open += 1
    const attempt = (): void => {
      write().then(done, (err: unknown) => {
        this.#onError(err)
        // Nobody waits for a queue that is closed: the next process runs the event again.
        if (this.#isStopped) done()
        else this.#clock.after(DISK_RETRY_MS, attempt)
      })
    }
    const done = (): void => {
      this.#open -= 1
      if (this.#open === 0) this.#onDone?.()
    }
    attempt()
  }

  /** What fails from now on is not tried again. */
  stop(): void {
    this.#isStopped = true
  }

  /** Resolves when nothing is left to be written. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDone = resolve
      if (this.#open === 0) resolve()
    })
  }
}
