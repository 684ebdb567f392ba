import type { MetricSample, StatisticSet } from '@hearth/store'
import { bucketed } from './duration-buckets.ts'
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

/** Kept as they are. */
const DISTINCT = 256

/** Adds up in place: all functions together have a great many values. */
class Sum {
  readonly metric: string
  readonly dimensions: Dimensions
  #count = 0
  #sum = 0
  #min = Infinity
  #max = -Infinity
  #distribution: Map<number, number> | undefined = new Map()

  constructor(metric: string, dimensions: Dimensions) {
    this.metric = metric
    this.dimensions = dimensions
  }

  add({ count, sum, min, max, distribution }: StatisticSet): void {
    this.#count += count
    this.#sum += sum
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
    if (distribution === undefined) {
      // Equal values say it by themselves.
      if (min !== max) this.#distribution = undefined
      else this.#distribution?.set(min, (this.#distribution.get(min) ?? 0) + count)
      return
    }
    const known = this.#distribution
    if (known === undefined) return
    for (const [value, times] of distribution) {
      // Very many values are kept as the buckets that they fall into.
      const as = known.size < DISTINCT ? value : bucketed(value)
      known.set(as, (known.get(as) ?? 0) + times)
    }
  }

  get values(): StatisticSet {
    const [count, sum, min, max] = [this.#count, this.#sum, this.#min, this.#max]
    return { count, sum, min, max, distribution: this.#distribution && [...this.#distribution] }
  }
}

/** Of one pass: some ms at most. */
const SLOTS = 50

/** What a minute had, added up for all dimension sets. Step by step: there may be ten thousand functions. */
export class MinuteSums {
  readonly #at: number
  readonly #sums = new Map<string, Sum>()

  /** @param at - Unix time in ms */
  constructor(at: number) {
    this.#at = at
  }

  /** Adds up; between two steps the event loop may turn. */
  *addUp(table: MinuteTable): Generator<undefined> {
    let done = 0
    for (const slot of table.slots.values()) {
      const sets = dimensionSets(slot)
      for (const [metric, values] of metricsOf(slot)) {
        for (const [key, dimensions] of sets) {
          // Over all functions it is sampled.
          if (metric === 'ConcurrentExecutions' && dimensions.length === 0) continue
          this.#add(key, metric, dimensions, values)
        }
      }
      slot.durations.release()
      done++
      if (done % SLOTS === 0) yield undefined
    }
    for (const [key, { count, sum, min, max, buckets }] of table.tallies) {
      const { metric, dimensions } = partsOf(key)
      const values = { count, sum, min, max, distribution: buckets?.values() }
      this.#add(keyOf(dimensions), metric, dimensions, values)
      buckets?.release()
      done++
      if (done % SLOTS === 0) yield undefined
    }
  }

  /** @param size - So many samples at once; each part is made when it is asked for */
  parts(size: number): (() => MetricSample[])[] {
    const all = [...this.#sums.values()]
    const parts: (() => MetricSample[])[] = []
    for (let i = 0; i < all.length; i += size) {
      const some = all.slice(i, i + size)
      parts.push(() => some.map((sum) => this.#sample(sum)))
    }
    return parts
  }

  #sample({ metric, dimensions, values }: Sum): MetricSample {
    return {
      key: { namespace: NAMESPACE, name: metric, dimensions },
      at: this.#at,
      unit: UNITS[metric] ?? 'Count',
      values
    }
  }

  #add(key: string, metric: string, dimensions: Dimensions, values: StatisticSet): void {
    const name = `${metric}\n${key}`
    let sum = this.#sums.get(name)
    if (sum === undefined) {
      sum = new Sum(metric, dimensions)
      this.#sums.set(name, sum)
    }
    sum.add(values)
  }
}

function keyOf(dimensions: Dimensions): string {
  return dimensions.map((dimension) => dimension.join('\n')).join('\n')
}

function dimensionSets({ functionName, resource, executedVersion }: Slot): [key: string, dimensions: Dimensions][] {
  const own = ['FunctionName', functionName] as const
  const as = ['Resource', resource] as const
  const sets: Dimensions[] = [[], [own], [own, as]]
  if (executedVersion !== undefined) sets.push([['ExecutedVersion', executedVersion], own, as])
  return sets.map((dimensions) => [keyOf(dimensions), dimensions])
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
