/** Remembers values for a while, in bounded memory: what was used longest ago goes first. */
export interface AnswerCache<T> {
  find(key: string): T | undefined
  /** @param bytes - What it takes, about @param ttlMs - More than 0 */
  put(key: string, value: T, bytes: number, ttlMs: number): void
}

interface Kept<T> {
  readonly value: T
  readonly bytes: number
  readonly until: number
}

/** Of a key and what keeps it. */
const OVERHEAD_BYTES = 256

/** @param now - Time in ms */
export function createAnswerCache<T>(maxBytes: number, now: () => number): AnswerCache<T> {
  // In the order of use.
  const entries = new Map<string, Kept<T>>()
  let used = 0

  const drop = (key: string, { bytes }: Kept<T>): void => {
    entries.delete(key)
    used -= bytes
  }

  return {
    find(key) {
      const kept = entries.get(key)
      if (kept === undefined) return undefined
      if (kept.until <= now()) {
        drop(key, kept)
        return undefined
      }
      entries.delete(key)
      entries.set(key, kept)
      return kept.value
    },
    put(key, value, size, ttlMs) {
      const before = entries.get(key)
      if (before !== undefined) drop(key, before)
      const bytes = size + OVERHEAD_BYTES
      if (bytes > maxBytes) return
      entries.set(key, { value, bytes, until: now() + ttlMs })
      used += bytes
      for (const [oldest, kept] of entries) {
        if (used <= maxBytes) break
        drop(oldest, kept)
      }
    }
  }
}
