/** Sandboxes of one kind that are taken within this time are one burst: fewer could be booted meanwhile. */
const BURST_MS = 2_000
/** A burst is expected again as it was for this long: what it took is boot by boot made ready again meanwhile. */
const HOLD_MS = 120_000
/** After that, half as large each time that so long has passed without one. */
const HALF_LIFE_MS = 120_000

/**
 * How many sandboxes of one kind were lately wanted at about the same time: the largest burst of the last two minutes,
 * halved every two minutes from then on. Times are `performance.now()` ms and never go back.
 */
export interface Demand {
  /** One was wanted, whether there was one or not. */
  record(at: number): void
  /** A whole number, 0 or more. */
  level(at: number): number
}

export function createDemand(): Demand {
  let burst = 0
  let burstAt = Number.NEGATIVE_INFINITY
  let peak = 0
  let peakAt = 0
  const decayed = (at: number) => peak * 2 ** (Math.min(0, peakAt + HOLD_MS - at) / HALF_LIFE_MS)

  return {
    record(at) {
      // Counted from its first: a steady trickle is many bursts of one, not one without end.
      if (at - burstAt >= BURST_MS) {
        burst = 0
        burstAt = at
      }
      burst++
      if (burst < decayed(at)) return
      peak = burst
      peakAt = at
    },
    level: (at) => Math.round(decayed(at))
  }
}
