/** How much memory there is for instances, as last looked at and reckoned on from there. All in bytes. */
export interface MemoryWatch {
  /** Whether so much more would cut into what is to stay free. False as long as nothing is known. */
  isShortFor(bytes: number): boolean
  /** So much is about to be used; negative: to be freed. */
  reckon(bytes: number): void
  /** What is missing from what is to stay free; 0 when nothing is. */
  readonly missing: number
  /** Looks again if the last look is old enough. */
  look(now: number): void
}

export interface MemoryWatchOptions {
  /** To stay free, in bytes; 0: memory is not looked at. */
  readonly reserveBytes: number
  /** @returns what is available now, undefined when that is not known */
  readonly read: () => Promise<number | undefined>
  /** Called after each look. */
  readonly onLooked: () => void
}

const LOOK_MS = 500

export function createMemoryWatch({ reserveBytes, read, onLooked }: MemoryWatchOptions): MemoryWatch {
  let available = Number.POSITIVE_INFINITY
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking = false

  return {
    isShortFor: (bytes) => available - bytes < reserveBytes,
    reckon(bytes) {
      available -= bytes
    },
    get missing() {
      return Math.max(0, reserveBytes - available)
    },
    look(now) {
      if (reserveBytes === 0 || looking || now - lookedAt < LOOK_MS) return
      lookedAt = now
      looking = true
      const done = (bytes: number | undefined): void => {
        looking = false
        available = bytes ?? Number.POSITIVE_INFINITY
        onLooked()
      }
      read().then(done, () => {
        done(undefined)
      })
    }
  }
}
