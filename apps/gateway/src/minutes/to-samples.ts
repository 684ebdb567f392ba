import type { MetricSample, StatisticSet } from '@hearth/store'
import { BUCKETS, bucketed } from './duration-buckets.ts'
import {
  CONCURRENT_MAX,
  CONCURRENT_MIN,
  CONCURRENT_SUM,
  type Dimensions,
  DURATION_MAX,
  DURATION_MIN,
  DURATION_SUM,
  ERRORS,
  INVOCATIONS,
  type MinuteTable,
  PROVISIONED,
  SPILLED,
  type Tally,
  THROTTLES,
  type Way,
  WIDTH
} from './minute-table.ts'

const NAMESPACE = 'AWS/Lambda'
const UNITS: Readonly<Record<string, string>> = {
  Duration: 'Milliseconds',
  AsyncEventAge: 'Milliseconds',
  UrlRequestLatency: 'Milliseconds',
  ProvisionedConcurrencyUtilization: 'None'
}

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
    for (const [value, times] of distribution) this.note(value, times)
  }

  /** Part of a distribution whose other figures are added by themselves. */
  note(value: number, times: number): void {
    const known = this.#distribution
    if (known === undefined) return
    // Very many values are kept as the buckets that they fall into.
    const as = known.size < DISTINCT ? value : bucketed(value)
    known.set(as, (known.get(as) ?? 0) + times)
  }

  get values(): StatisticSet {
    const [count, sum, min, max] = [this.#count, this.#sum, this.#min, this.#max]
    return { count, sum, min, max, distribution: this.#distribution && [...this.#distribution] }
  }
}

/** Rows, and series that are no calls', of one pass: a few ms at most. */
const ROWS = 25
/** Of a row that was called. */
const METRICS = 5
/** Distinct durations of all samples of one part: writing them takes longer than the rest. */
const DURATIONS = 8_000

type Group = { readonly rows: readonly number[] } | { readonly dimensions: Dimensions; readonly of: TallyMap }
type TallyMap = ReadonlyMap<string, Tally>

/**
 * A minute of a table as samples for all dimension sets. Step by step: there may be ten thousand functions. The table
 * stays as it is, so that a part that is made again is the same.
 */
export class MinuteSums {
  readonly #at: number
  readonly #table: MinuteTable
  /** Over all functions. */
  readonly #totals = new Map<string, Sum>()
  readonly #groups: Group[][] = []

  /** @param at - Unix time in ms */
  constructor(at: number, table: MinuteTable) {
    this.#at = at
    this.#table = table
  }

  /** Adds up, and divides into parts of about so many samples; between two steps the event loop may turn. */
  *addUp(size: number): Generator<undefined> {
    const table = this.#table
    const functions = new Map<string, number[]>()
    for (const [row, { functionName }] of table.ways.entries()) {
      const rows = functions.get(functionName)
      if (rows === undefined) functions.set(functionName, [row])
      else rows.push(row)
      this.#addToTotals(row)
      if (row % ROWS === ROWS - 1) yield undefined
    }
    yield* this.#divide(this.#groupsOf(functions.values()), size)
  }

  /** Each is made when it is asked for. */
  parts(): (() => MetricSample[])[] {
    return this.#groups.map((groups, index) => () => {
      const totals = index === 0 ? [...this.#totals.values()] : []
      return [...totals.map((sum) => this.#sampleOf(sum)), ...groups.flatMap((group) => this.#samplesOf(group))]
    })
  }

  #addToTotals(row: number): void {
    for (const [metric, values] of metricsOf(this.#table, row, false)) {
      // Over all functions it is sampled.
      if (metric === 'ConcurrentExecutions') continue
      const sum = sumOf(this.#totals, metric, [])
      sum.add(values)
      if (metric === 'Duration') this.#table.eachDuration(row, (ms, count) => sum.note(ms, count))
    }
  }

  *#groupsOf(functions: Iterable<readonly number[]>): Generator<Group> {
    for (const rows of functions) yield { rows }
    for (const [dimensions, of] of this.#table.tallies()) yield { dimensions, of }
  }

  *#divide(groups: Iterable<Group>, size: number): Generator<undefined> {
    let part: Group[] = []
    let samples = 0
    let durations = 0
    let done = 0
    for (const group of groups) {
      const ownSamples = 'rows' in group ? METRICS * this.#setsOf(group.rows) : group.of.size
      const ownDurations = 'rows' in group ? this.#durationsOf(group.rows) : 0
      if (part.length > 0 && (samples + ownSamples > size || durations + ownDurations > DURATIONS)) {
        this.#groups.push(part)
        part = []
        samples = 0
        durations = 0
      }
      part.push(group)
      samples += ownSamples
      durations += ownDurations
      done++
      if (done % (20 * ROWS) === 0) yield undefined
    }
    if (samples > 0) this.#groups.push(part)
  }

  /** Dimension sets, at most. */
  #setsOf(rows: readonly number[]): number {
    const { ways } = this.#table
    return rows.reduce((sum, row) => sum + (ways[row]!.executedVersion === undefined ? 1 : 2), 1)
  }

  /** Distinct ones in all of them, at most. */
  #durationsOf(rows: readonly number[]): number {
    const { values } = this.#table
    return rows.reduce((sum, row) => sum + 2 * Math.min(BUCKETS, values[row * WIDTH + INVOCATIONS]!), 0)
  }

  #samplesOf(group: Group): MetricSample[] {
    if (!('rows' in group)) {
      return [...group.of].map(([metric, { buckets, ...values }]) =>
        this.#sample(metric, group.dimensions, { ...values, distribution: buckets?.values() })
      )
    }
    const [only, ...others] = group.rows
    if (only !== undefined && others.length === 0) {
      const metrics = metricsOf(this.#table, only, true)
      return dimensionSets(this.#table.ways[only]!).flatMap((dimensions) =>
        metrics.map(([metric, values]) => this.#sample(metric, dimensions, values))
      )
    }
    const sums = new Map<string, Sum>()
    for (const row of group.rows) {
      const metrics = metricsOf(this.#table, row, true)
      for (const dimensions of dimensionSets(this.#table.ways[row]!)) {
        for (const [metric, values] of metrics) sumOf(sums, metric, dimensions).add(values)
      }
    }
    return [...sums.values()].map((sum) => this.#sampleOf(sum))
  }

  #sampleOf({ metric, dimensions, values }: Sum): MetricSample {
    return this.#sample(metric, dimensions, values)
  }

  #sample(metric: string, dimensions: Dimensions, values: StatisticSet): MetricSample {
    return {
      key: { namespace: NAMESPACE, name: metric, dimensions },
      at: this.#at,
      unit: UNITS[metric] ?? 'Count',
      values
    }
  }
}

function sumOf(sums: Map<string, Sum>, metric: string, dimensions: Dimensions): Sum {
  const name = `${metric}\n${dimensions.join('\n')}`
  let sum = sums.get(name)
  if (sum === undefined) {
    sum = new Sum(metric, dimensions)
    sums.set(name, sum)
  }
  return sum
}

function dimensionSets({ functionName, resource, executedVersion }: Way): Dimensions[] {
  const own = ['FunctionName', functionName] as const
  const as = ['Resource', resource] as const
  const sets: Dimensions[] = [[own], [own, as]]
  if (executedVersion !== undefined) sets.push([['ExecutedVersion', executedVersion], own, as])
  return sets
}

/** @param withDurations - Each of them, or only what they sum up to, which then has no distribution */
function metricsOf(table: MinuteTable, row: number, withDurations: boolean): [metric: string, values: StatisticSet][] {
  const { values } = table
  const at = row * WIDTH
  const invocations = values[at + INVOCATIONS]!
  const throttles = values[at + THROTTLES]!
  const throttled: [string, StatisticSet] = ['Throttles', flags(throttles, invocations)]
  if (invocations === 0) return throttles === 0 ? [] : [throttled]
  const errors = values[at + ERRORS]!
  const metrics: [metric: string, values: StatisticSet][] = [
    throttled,
    ['Invocations', ones(invocations)],
    // A 0 for each success, so that the average is the rate.
    ['Errors', flags(errors, invocations - errors)],
    [
      'Duration',
      {
        count: invocations,
        sum: values[at + DURATION_SUM]!,
        min: values[at + DURATION_MIN]!,
        max: values[at + DURATION_MAX]!,
        distribution: withDurations ? table.durations(row) : []
      }
    ],
    [
      'ConcurrentExecutions',
      {
        count: invocations,
        sum: values[at + CONCURRENT_SUM]!,
        min: values[at + CONCURRENT_MIN]!,
        max: values[at + CONCURRENT_MAX]!
      }
    ]
  ]
  const [provisioned, spilled] = [values[at + PROVISIONED]!, values[at + SPILLED]!]
  if (provisioned > 0) metrics.push(['ProvisionedConcurrencyInvocations', ones(provisioned)])
  if (spilled > 0) metrics.push(['ProvisionedConcurrencySpilloverInvocations', ones(spilled)])
  return metrics
}

function ones(count: number): StatisticSet {
  return { count, sum: count, min: 1, max: 1 }
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
