import { HearthError } from '@hearth/shared'
import type { MetricSample, MetricStore } from '@hearth/store'

/** How long a metric that there was no room for is not tried again, in ms. */
const REFUSED_MS = 600_000
const MAX_REFUSED = 20_000
/** Longest that one call looks which of its samples fit, in ms. */
const TRYING_MS = 100

/**
 * Puts samples, and where some do not fit (there may be so many custom metrics) the others.
 *
 * @returns puts; its result is how many values were refused
 */
export function createTolerantPut(metrics: Pick<MetricStore, 'put'>): (samples: readonly MetricSample[]) => number {
  /** Until when, by metric. */
  const refused = new Map<string, number>()

  function isRefused({ key }: MetricSample): boolean {
    if (refused.size === 0) return false
    return (refused.get(JSON.stringify(key)) ?? 0) > performance.now()
  }

  function refuse({ key }: MetricSample): void {
    if (refused.size >= MAX_REFUSED) refused.clear()
    refused.set(JSON.stringify(key), performance.now() + REFUSED_MS)
  }

  return (samples) => {
    const wanted = samples.filter((sample) => !isRefused(sample))
    const left = new Set(samples)
    try {
      metrics.put(wanted)
      for (const sample of wanted) left.delete(sample)
    } catch (err) {
      if (!(err instanceof HearthError)) throw err
      const deadline = performance.now() + TRYING_MS
      for (const sample of wanted) {
        if (performance.now() > deadline) break
        try {
          metrics.put([sample])
          left.delete(sample)
        } catch (thrown) {
          if (!(thrown instanceof HearthError)) throw thrown
          refuse(sample)
        }
      }
    }
    let values = 0
    for (const sample of left) values += sample.values.count
    return values
  }
}
