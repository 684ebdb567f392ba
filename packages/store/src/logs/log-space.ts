import type { GroupFiles } from './group-files.ts'

/** Files of a group. */
interface Kept {
  readonly group: string
  readonly files: GroupFiles
}

/** What the files of all groups take together, and how that is kept small: by compression, and by an end of the oldest. */
export class LogSpace {
  readonly #all: () => Iterable<Kept>
  readonly #maxBytes: number
  readonly #onError: (err: unknown, group: string) => void
  #bytes = 0
  #compressing: Promise<void> | undefined
  #isClosed = false

  /** @param maxBytes - Of all groups together; the oldest segments of the largest group go first */
  constructor(all: () => Iterable<Kept>, maxBytes: number, onError: (err: unknown, group: string) => void) {
    this.#all = all
    this.#maxBytes = maxBytes
    this.#onError = onError
  }

  /** On disk. */
  get bytes(): number {
    return this.#bytes
  }

  get isOverfull(): boolean {
    return this.#bytes > this.#maxBytes
  }

  /** @param bytes - By how much more is on disk */
  change(bytes: number): void {
    this.#bytes += bytes
  }

  /** Removes the oldest segments of the largest groups until all together, and so much more, fit. */
  async makeRoom(bytes: number): Promise<void> {
    while (this.#bytes + bytes > this.#maxBytes) {
      let largest: GroupFiles | undefined
      let most = 0
      for (const { files } of this.#all()) {
        if (files.bytes <= most) continue
        most = files.bytes
        largest = files
      }
      if (largest === undefined) return
      await largest.removeOldest()
    }
  }

  /** Compresses what is complete. Resolves when that is done, or was not possible. */
  compress(): Promise<void> {
    this.#compressing ??= this.#compressAll().finally(() => {
      this.#compressing = undefined
    })
    return this.#compressing
  }

  /** Begins nothing new. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#compressing
  }

  /** One segment at a time: the threads are for the functions. */
  async #compressAll(): Promise<void> {
    for (let more = true; more && !this.#isClosed; ) {
      more = false
      for (const { files, group } of [...this.#all()]) {
        if (this.#isClosed) break
        if (!files.isCompressible) continue
        try {
          await files.compress()
          await this.makeRoom(0)
          more ||= files.isCompressible
        } catch (err) {
          // Tried again when something is written, or at the next sweep.
          this.#onError(err, group)
        }
      }
    }
  }
}
