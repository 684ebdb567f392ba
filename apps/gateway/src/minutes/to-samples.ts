import type { MetricSample, StatisticSet } from '@hearth/store'
import {
  CONCURRENT_COUNT,
  CONCURRENT_MAX,
  CONCURRENT_MIN,
  CONCURRENT_SUM,
  DURATION_MAX,
  DURATION_MIN,
  DURATION_SUM,
  ERRORS,
  INVOCATIONS,
  type MinuteTable,
  partsOf,
  type Slot,
  THROTTLES
} from './minute-table.ts'

const NAMESPACE = 'AWS/Lambda'
const UNITS: Readonly<Record<string, string>> = {
  Duration: 'Milliseconds',
  AsyncEventAge: 'Milliseconds',
  UrlRequestLatency: 'Milliseconds',
  ProvisionedConcurrencyUtilization: 'None'
}

type Dimensions = readonly (readonly [name: string, value: string])[]

interface Sum {
  readonly metric: string
  readonly dimensions: Dimensions
  values: StatisticSet
}

/** What a minute had as samples: of each call in all its dimension sets. */
export function toSamples(at: number, table: MinuteTable): MetricSample[] {
  const sums = new Map<string, Sum>()
  const add = (metric: string, dimensions: Dimensions, values: StatisticSet): void => {
    const key = JSON.stringify([metric, dimensions])
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { metric, dimensions, values })
    else sum.values = combine(sum.values, values)
  }
  for (const slot of table.slots.values()) {
    for (const [metric, values] of metricsOf(slot)) {
      for (const dimensions of dimensionSets(slot)) {
        // Over all functions it is sampled.
        if (metric === 'ConcurrentExecutions' && dimensions.length === 0) continue
        add(metric, dimensions, values)
      }
    }
    slot.durations.release()
  }
  for (const [key, { count, sum, min, max, buckets }] of table.tallies) {
    const { metric, dimensions } = partsOf(key)
    add(metric, dimensions, { count, sum, min, max, distribution: buckets?.values() })
    buckets?.release()
  }
  return [...sums.values()].map(({ metric, dimensions, values }) => ({
    key: { namespace: NAMESPACE, name: metric, dimensions },
    at,
    unit: UNITS[metric] ?? 'Count',
    values
  }))
}

function dimensionSets({ functionName, resource, executedVersion }: Slot): Dimensions[] {
  const own = ['FunctionName', functionName] as const
  const as = ['Resource', resource] as const
  const sets: Dimensions[] = [[], [own], [own, as]]
  if (executedVersion !== undefined) sets.push([['ExecutedVersion', executedVersion], own, as])
  return sets
}

function metricsOf({ values, durations }: Slot): [metric: string, values: StatisticSet][] {
  const invocations = values[INVOCATIONS]!
  const throttles = values[THROTTLES]!
  const throttled: [string, StatisticSet] = ['Throttles', flags(throttles, invocations)]
  if (invocations === 0) return throttles === 0 ? [] : [throttled]
  const errors = values[ERRORS]!
  return [
    throttled,
    ['Invocations', { count: invocations, sum: invocations, min: 1, max: 1 }],
    // A 0 for each success, so that the average is the rate.
    ['Errors', flags(errors, invocations - errors)],
    [
      'Duration',
      {
        count: invocations,
        sum: values[DURATION_SUM]!,
        min: values[DURATION_MIN]!,
        max: values[DURATION_MAX]!,
        distribution: durations.values()
      }
    ],
    [
      'ConcurrentExecutions',
      {
        count: values[CONCURRENT_COUNT]!,
        sum: values[CONCURRENT_SUM]!,
        min: values[CONCURRENT_MIN]!,
        max: values[CONCURRENT_MAX]!
      }
    ]
  ]
}

/** So many ones and so many zeros. */
function flags(ones: number, zeros: number): StatisticSet {
  return {
    count: ones + zeros,
    sum: ones,
    min: zeros > 0 ? 0 : 1,
    max: ones > 0 ? 1 : 0,
    distribution: [[0, zeros] as const, [1, ones] as const].filter(([, count]) => count > 0)
  }
}

function combine(a: StatisticSet, b: StatisticSet): StatisticSet {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    distribution: a.distribution && b.distribution && [...a.distribution, ...b.distribution]
  }
}
