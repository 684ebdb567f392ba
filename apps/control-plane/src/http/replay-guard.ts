import { invalidSignature, type Signature } from '@hearth/shared'

/**
 * Clients sign each attempt anew. Two signatures are the same only when the same was asked for twice within the second
 * that they are dated with, and such twins come one soon after the other.
 */
const TWINS_MS = 5_000
/** After that every signature in a header is too old. The longest window, before and after. */
const WINDOW_MS = 2 * 15 * 60_000
/** About 10 MiB. */
const ENTRIES = 65_536

/** Remembers signatures of requests that change something. */
export interface ReplayGuard {
  /** @throws HearthError INVALID_SIGNATURE when it was used before and this is nobody's second try */
  take(signature: Signature): void
}

/**
 * Refuses requests that somebody took down and sends again. Links are left out: they are made to be used until they end.
 *
 * @param now - Unix time in ms.
 */
export function createReplayGuard(now: () => number): ReplayGuard {
  /** When each was seen first, oldest first. */
  const seen = new Map<string, number>()

  return {
    take({ presigned, signature }) {
      if (presigned) return
      const at = now()
      const first = seen.get(signature)
      if (first !== undefined) {
        if (at - first <= TWINS_MS) return
        throw invalidSignature('Signature has been used before: sign each request anew.')
      }
      for (const [oldest, since] of seen) {
        if (seen.size < ENTRIES && at - since <= WINDOW_MS) break
        seen.delete(oldest)
      }
      seen.set(signature, at)
    }
  }
}
