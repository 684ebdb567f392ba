import type { MetricSample } from '@hearth/store'
import type { MetricValues } from './emf.ts'

interface Gathered extends Omit<MetricValues, 'values'> {
  readonly counts: Map<number, number>
}

/** What many events say of the same metric at the same time, as one sample each. */
export function gatherSamples(all: readonly MetricValues[]): readonly MetricSample[] {
  const byName = new Map<string, Gathered>()
  for (const { values, key, at, unit, resolution } of all) {
    const start = Math.floor(at / (resolution * 1_000)) * resolution * 1_000
    const name = JSON.stringify([key, start, unit, resolution])
    let gathered = byName.get(name)
    if (gathered === undefined) {
      gathered = { key, at: start, unit, resolution, counts: new Map() }
      byName.set(name, gathered)
    }
    for (const value of values) gathered.counts.set(value, (gathered.counts.get(value) ?? 0) + 1)
  }
  return [...byName.values()].map(({ counts, ...rest }) => {
    const distribution = [...counts]
    let count = 0
    let sum = 0
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (const [value, times] of distribution) {
      count += times
      sum += value * times
      min = Math.min(min, value)
      max = Math.max(max, value)
    }
    return { ...rest, values: { count, sum, min, max, distribution } }
  })
}
