import type { RouteThrottle } from '@hearth/shared'

/** Lets so many requests through a second, and no more than a burst at once. */
export interface RequestThrottle {
  readonly limits: RouteThrottle
  /** @param now - Milliseconds, monotonic */
  take(now: number): boolean
}

/**
 * A token bucket.
 *
 * @param limits - A limit of 0 lets nothing through; without a rate any number passes
 */
export function createThrottle(limits: RouteThrottle): RequestThrottle | undefined {
  const { rate, burst } = limits
  if (rate === 0 || burst === 0) return { limits, take: () => false }
  if (rate === undefined) return undefined
  const most = Math.max(1, burst ?? rate)
  let tokens = most
  let filledAt = Number.NEGATIVE_INFINITY
  return {
    limits,
    take(now) {
      tokens = Math.min(most, tokens + ((now - filledAt) * rate) / 1_000)
      filledAt = now
      if (tokens < 1) return false
      tokens -= 1
      return true
    }
  }
}
