import { DurationBuckets } from './duration-buckets.ts'

/** What a metric had in one minute. */
export interface Tally {
  count: number
  sum: number
  min: number
  max: number
  /** By value, where more than the four are wanted. */
  readonly buckets?: DurationBuckets | undefined
}

// Columns of one way to call a function.
export const INVOCATIONS = 0
export const ERRORS = 1
export const THROTTLES = 2
export const DURATION_SUM = 3
export const DURATION_MIN = 4
export const DURATION_MAX = 5
export const CONCURRENT_COUNT = 6
export const CONCURRENT_SUM = 7
export const CONCURRENT_MIN = 8
export const CONCURRENT_MAX = 9
const WIDTH = 10

/** One way to call a function, as it was called in one minute. */
export interface Slot {
  readonly functionName: string
  /** `f`, `f:ALIAS` or `f:VERSION`, as called. */
  readonly resource: string
  /** Of calls through an alias: the version's number. */
  readonly executedVersion: string | undefined
  readonly values: Float64Array
  readonly durations: DurationBuckets
}

/** Dimensions beside which a tally stands, as one text. */
const SEPARATOR = '\n'

/** Everything that is counted of one minute. */
export class MinuteTable {
  /** By what was called: an object that is the same for each call of it. */
  readonly slots = new Map<object, Slot>()
  /** Rarer metrics, by name and dimensions. */
  readonly tallies = new Map<string, Tally>()

  slot(target: object, describe: () => Pick<Slot, 'functionName' | 'resource' | 'executedVersion'>): Slot {
    const known = this.slots.get(target)
    if (known !== undefined) return known
    const values = new Float64Array(WIDTH)
    values[DURATION_MIN] = Infinity
    values[CONCURRENT_MIN] = Infinity
    const slot: Slot = { ...describe(), values, durations: new DurationBuckets() }
    this.slots.set(target, slot)
    return slot
  }

  /** @param dimensions - Names and values in turn, sorted by name */
  add(metric: string, value: number, keepsValues: boolean, ...dimensions: string[]): void {
    const key = dimensions.length === 0 ? metric : `${metric}${SEPARATOR}${dimensions.join(SEPARATOR)}`
    let tally = this.tallies.get(key)
    if (tally === undefined) {
      tally = {
        count: 0,
        sum: 0,
        min: Infinity,
        max: -Infinity,
        buckets: keepsValues ? new DurationBuckets() : undefined
      }
      this.tallies.set(key, tally)
    }
    tally.count++
    tally.sum += value
    if (value < tally.min) tally.min = value
    if (value > tally.max) tally.max = value
    tally.buckets?.add(value)
  }
}

/** The inverse of how {@link MinuteTable.add} names tallies. */
export function partsOf(key: string): { metric: string; dimensions: [name: string, value: string][] } {
  const [metric = '', ...rest] = key.split(SEPARATOR)
  const dimensions: [string, string][] = []
  for (let i = 0; i < rest.length; i += 2) dimensions.push([rest[i]!, rest[i + 1] ?? ''])
  return { metric, dimensions }
}
