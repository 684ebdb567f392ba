import { randomUUID } from 'node:crypto'
import { BUCKETS, bucketOf, DurationBuckets, EXACT, eachBucket } from './duration-buckets.ts'

/** What a metric had in one minute. */
export interface Tally {
  count: number
  sum: number
  min: number
  max: number
  /** By value, where more than the four are wanted. */
  readonly buckets?: DurationBuckets | undefined
}

export type Dimensions = readonly (readonly [name: string, value: string])[]

// Columns of one way to call a function.
export const INVOCATIONS = 0
export const ERRORS = 1
export const THROTTLES = 2
/** Of the invocations: those that ran on provisioned concurrency, and those that found all of it in use. */
export const PROVISIONED = 3
export const SPILLED = 4
export const DURATION_SUM = 5
export const DURATION_MIN = 6
export const DURATION_MAX = 7
export const CONCURRENT_SUM = 8
export const CONCURRENT_MIN = 9
export const CONCURRENT_MAX = 10
/** Which buckets its durations are in, from 1 on; 0: there are few, which are in the row itself. */
const BUCKET_SET = 11
const FIRST_DURATION = 12
export const WIDTH = FIRST_DURATION + EXACT
/** Sets of buckets in one array: as many arrays as functions would be work for the garbage collector. */
const SETS = 64

/** A target of calls: an object that is the same for each call of it, which knows where its last one was counted. */
export interface MinuteTarget {
  /** Of which table: {@link MinuteTable.id}. */
  minuteTable?: number | undefined
  minuteRow?: number | undefined
}

/** One way to call a function. */
export interface Way {
  readonly functionName: string
  /** `f`, `f:ALIAS` or `f:VERSION`, as called. */
  readonly resource: string
  /** Of calls through an alias: the version's number. */
  readonly executedVersion: string | undefined
}

let tables = 0

/**
 * Everything that is counted of one minute. A call touches its target and one row of one array: with ten thousand busy
 * functions, what counting costs is what it fetches from memory.
 */
export class MinuteTable {
  readonly id = ++tables
  /** Names it beyond this process. */
  readonly key: string
  /** Something was counted since this was last set to false. */
  isChanged = false
  /** Rows of {@link WIDTH} numbers. Another array once there are more rows. */
  values: Float64Array
  readonly ways: Way[] = []
  readonly #buckets: Uint32Array[] = []
  #bucketSets = 0
  #rows = new Map<object, number>()
  readonly #all = new Map<string, Tally>()
  readonly #byFunction = new Map<string, Map<string, Tally>>()
  /** Rarer ones, by dimensions as one text. */
  readonly #others = new Map<string, { readonly dimensions: Dimensions; readonly tallies: Map<string, Tally> }>()

  /** @param rows - So many are likely */
  constructor(rows = 16, key: string = randomUUID()) {
    this.key = key
    this.values = new Float64Array(Math.max(1, rows) * WIDTH)
  }

  /** Where calls of this target are counted: times {@link WIDTH} is the first column. */
  row(target: MinuteTarget, describe: () => Way): number {
    let row = this.#rows.get(target)
    if (row === undefined) {
      row = this.ways.push(describe()) - 1
      this.#rows.set(target, row)
      if (this.values.length < this.ways.length * WIDTH) {
        const grown = new Float64Array(this.values.length * 2)
        grown.set(this.values)
        this.values = grown
      }
      this.values[row * WIDTH + DURATION_MIN] = Infinity
      this.values[row * WIDTH + CONCURRENT_MIN] = Infinity
    }
    target.minuteTable = this.id
    target.minuteRow = row
    return row
  }

  /** One more invocation that took so long. @param at - The first column of its row */
  invoked(at: number, ms: number): void {
    const { values } = this
    const before = values[at + INVOCATIONS]!++
    values[at + DURATION_SUM]! += ms
    if (ms < values[at + DURATION_MIN]!) values[at + DURATION_MIN] = ms
    if (ms > values[at + DURATION_MAX]!) values[at + DURATION_MAX] = ms
    if (before < EXACT) {
      values[at + FIRST_DURATION + before] = ms
      return
    }
    const set = (values[at + BUCKET_SET] ||= this.#addBuckets()) - 1
    this.#buckets[Math.floor(set / SETS)]![(set % SETS) * BUCKETS + bucketOf(ms)]!++
  }

  durations(row: number): [ms: number, count: number][] {
    const durations: [number, number][] = []
    this.eachDuration(row, (ms, count) => durations.push([ms, count]))
    return durations
  }

  eachDuration(row: number, take: (ms: number, count: number) => void): void {
    const at = row * WIDTH
    const few = Math.min(EXACT, this.values[at + INVOCATIONS]!)
    for (let i = 0; i < few; i++) take(this.values[at + FIRST_DURATION + i]!, 1)
    const set = this.values[at + BUCKET_SET]! - 1
    if (set >= 0) eachBucket(this.#buckets[Math.floor(set / SETS)]!, (set % SETS) * BUCKETS, take)
  }

  /** Of a metric of a function, or of all of them. @param keepsValues - Whether percentiles may be asked of it */
  add(metric: string, value: number, keepsValues: boolean, functionName?: string): void {
    let tallies = this.#all
    if (functionName !== undefined) {
      const known = this.#byFunction.get(functionName)
      tallies = known ?? new Map<string, Tally>()
      if (known === undefined) this.#byFunction.set(functionName, tallies)
    }
    addTo(tallies, metric, value, keepsValues)
  }

  /** Of a metric with other dimensions. @param dimensions - Sorted by name */
  addOf(metric: string, value: number, dimensions: Dimensions): void {
    addTo(this.#otherTallies(dimensions), metric, value, false)
  }

  /** Its durations beyond the first few; undefined: there are none. */
  bucketsOf(row: number): Uint32Array | undefined {
    const set = this.values[row * WIDTH + BUCKET_SET]! - 1
    if (set < 0) return undefined
    const from = (set % SETS) * BUCKETS
    return this.#buckets[Math.floor(set / SETS)]!.subarray(from, from + BUCKETS)
  }

  /** Rows of another process, behind those that are there. @param buckets - By row among them */
  restoreRows(ways: readonly Way[], values: Float64Array, buckets: ReadonlyMap<number, Uint32Array>): void {
    const first = this.ways.length
    this.values.set(values, first * WIDTH)
    this.ways.push(...ways)
    for (let i = 0; i < ways.length; i++) {
      const own = buckets.get(i)
      this.values[(first + i) * WIDTH + BUCKET_SET] = own === undefined ? 0 : this.#addBuckets()
      if (own !== undefined) this.bucketsOf(first + i)!.set(own)
    }
  }

  /** A tally of another process. */
  restoreTally(
    dimensions: Dimensions,
    metric: string,
    figures: Omit<Tally, 'buckets'>,
    durations: readonly (readonly [ms: number, count: number])[] | undefined
  ): void {
    const buckets = durations && new DurationBuckets()
    if (durations !== undefined) buckets?.restore(durations)
    this.#talliesOf(dimensions).set(metric, { ...figures, buckets })
  }

  #talliesOf(dimensions: Dimensions): Map<string, Tally> {
    const [only, ...others] = dimensions
    if (only === undefined) return this.#all
    if (others.length > 0 || only[0] !== 'FunctionName') return this.#otherTallies(dimensions)
    const known = this.#byFunction.get(only[1])
    const tallies = known ?? new Map<string, Tally>()
    if (known === undefined) this.#byFunction.set(only[1], tallies)
    return tallies
  }

  #otherTallies(dimensions: Dimensions): Map<string, Tally> {
    const key = dimensions.map((dimension) => dimension.join('\n')).join('\n')
    let other = this.#others.get(key)
    if (other === undefined) {
      other = { dimensions, tallies: new Map() }
      this.#others.set(key, other)
    }
    return other.tallies
  }

  *tallies(): Generator<[dimensions: Dimensions, tallies: ReadonlyMap<string, Tally>]> {
    yield [[], this.#all]
    for (const [name, tallies] of this.#byFunction) yield [[['FunctionName', name]], tallies]
    for (const { dimensions, tallies } of this.#others.values()) yield [dimensions, tallies]
  }

  /** Nothing is added any more: targets need not be found. */
  seal(): void {
    this.#rows = new Map()
  }

  #addBuckets(): number {
    if (this.#bucketSets % SETS === 0) this.#buckets.push(new Uint32Array(SETS * BUCKETS))
    return ++this.#bucketSets
  }
}

function addTo(tallies: Map<string, Tally>, metric: string, value: number, keepsValues: boolean): void {
  let tally = tallies.get(metric)
  if (tally === undefined) {
    const buckets = keepsValues ? new DurationBuckets() : undefined
    tally = { count: 0, sum: 0, min: Infinity, max: -Infinity, buckets }
    tallies.set(metric, tally)
  }
  tally.count++
  tally.sum += value
  if (value < tally.min) tally.min = value
  if (value > tally.max) tally.max = value
  tally.buckets?.add(value)
}
