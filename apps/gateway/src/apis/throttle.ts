import type { ApiStage, RouteThrottle } from '@hearth/shared'

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

/** Throttles of routes, which outlive changes of everything else. */
export class RouteThrottles {
  #known = new Map<string, RequestThrottle | undefined>()
  #before: ReadonlyMap<string, RequestThrottle | undefined> = new Map()

  /** What there is has changed: who is not asked for until the next time is forgotten then. */
  renew(): void {
    this.#before = this.#known
    this.#known = new Map()
  }

  /** @returns undefined where any number passes */
  of(apiId: string, { name, throttle, routeThrottles }: ApiStage, routeKey: string): RequestThrottle | undefined {
    const limits = { ...throttle, ...routeThrottles[routeKey] }
    const place = `${apiId}/${name}/${routeKey}`
    const known = this.#known.get(place) ?? this.#before.get(place)
    const found = known !== undefined && isSame(known.limits, limits) ? known : createThrottle(limits)
    this.#known.set(place, found)
    return found
  }
}

function isSame(a: RouteThrottle, b: RouteThrottle): boolean {
  return a.rate === b.rate && a.burst === b.burst
}
