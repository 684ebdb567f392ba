import { HearthError } from '../errors.ts'

/** How often one key may ask. */
export interface RequestRate {
  /** @throws HearthError RATE_EXCEEDED */
  take(keyId: string): void
}

/** Only keys that were accepted come in: this bounds sessions, of which there may be any number. */
const ENTRIES = 10_000
/** A quiet key may ask for as much at once as it may ask for in this time. */
const BURST_S = 5

interface Bucket {
  tokens: number
  /** Unix time in ms. */
  at: number
}

/**
 * @param perSecond - 0: as often as they like.
 * @param now - Unix time in ms.
 */
export function createRequestRate(perSecond: number, now: () => number): RequestRate {
  const buckets = new Map<string, Bucket>()
  const size = perSecond * BURST_S

  return {
    take(keyId) {
      if (perSecond === 0) return
      const at = now()
      let bucket = buckets.get(keyId)
      if (bucket === undefined) {
        // The oldest begins anew, with a full bucket.
        if (buckets.size >= ENTRIES) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break
        bucket = { tokens: size, at }
        buckets.set(keyId, bucket)
      }
      bucket.tokens = Math.min(size, bucket.tokens + (Math.max(0, at - bucket.at) / 1_000) * perSecond)
      bucket.at = at
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        return
      }
      throw new HearthError('RATE_EXCEEDED', 'Rate exceeded', {
        reason: 'CallerRateLimitExceeded',
        retryAfterS: Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond))
      })
    }
  }
}
