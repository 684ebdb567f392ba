import type { Outcome } from '@hearth/executor'
import type { Entry } from '../function-routes.ts'
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
  MinuteTable,
  type Slot,
  THROTTLES
} from './minute-table.ts'

const MINUTE_MS = 60_000

/**
 * CloudWatch's metrics of functions, minute by minute. A call is counted in the minute in which its function began:
 * a minute that is long over may get some more, which are then reported by themselves.
 *
 * @see reference: monitoring §3
 */
export class MinuteMetrics {
  readonly #now: () => number
  readonly #tables = new Map<number, MinuteTable>()
  #minute = -1
  #table = new MinuteTable()

  /** @param now - Unix time in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A call is over. @param running - How many of its function there were with it */
  settled(entry: Entry, outcome: Outcome, running: number): void {
    const { status } = outcome
    if (status === 'unavailable') return
    const { executeMs } = outcome.phases
    const now = this.#now()
    const { values, durations } = this.#slot(now - executeMs, entry)
    if (status === 'throttled') {
      values[THROTTLES]!++
      return
    }
    values[INVOCATIONS]!++
    if (status !== 'ok') values[ERRORS]!++
    values[DURATION_SUM]! += executeMs
    if (executeMs < values[DURATION_MIN]!) values[DURATION_MIN] = executeMs
    if (executeMs > values[DURATION_MAX]!) values[DURATION_MAX] = executeMs
    durations.add(executeMs)
    values[CONCURRENT_COUNT]!++
    values[CONCURRENT_SUM]! += running
    if (running < values[CONCURRENT_MIN]!) values[CONCURRENT_MIN] = running
    if (running > values[CONCURRENT_MAX]!) values[CONCURRENT_MAX] = running
  }

  /** One more of a metric of a function: in all, and its own. */
  count(metric: string, functionName: string): void {
    this.#observe(metric, 1, false, functionName)
  }

  /** Milliseconds, of which percentiles may be asked. */
  observe(metric: string, ms: number, functionName: string): void {
    this.#observe(metric, ms, true, functionName)
  }

  /** A metric at one time, of which the highest is of interest. @param dimensions - Names and values in turn, sorted */
  sample(metric: string, value: number, ...dimensions: string[]): void {
    this.#tableAt(this.#now()).add(metric, value, false, ...dimensions)
  }

  /** Several of a metric at once. */
  add(metric: string, count: number, ...dimensions: string[]): void {
    const table = this.#tableAt(this.#now())
    for (let i = 0; i < count; i++) table.add(metric, 1, false, ...dimensions)
  }

  /** A request to a function URL was answered. */
  urlAnswered(functionName: string, code: number, ms: number): void {
    const table = this.#tableAt(this.#now())
    for (const dimensions of [[], ['FunctionName', functionName]]) {
      table.add('UrlRequestCount', 1, false, ...dimensions)
      table.add('Url4xxCount', code >= 400 && code < 500 ? 1 : 0, false, ...dimensions)
      table.add('Url5xxCount', code >= 500 ? 1 : 0, false, ...dimensions)
      table.add('UrlRequestLatency', ms, true, ...dimensions)
    }
  }

  /** Minutes that are over, with what they had. @param all - The present one too */
  take(all: boolean): [at: number, table: MinuteTable][] {
    const present = Math.floor(this.#now() / MINUTE_MS)
    const taken: [number, MinuteTable][] = []
    for (const [minute, table] of this.#tables) {
      if (!all && minute >= present) continue
      this.#tables.delete(minute)
      taken.push([minute * MINUTE_MS, table])
    }
    this.#minute = -1
    return taken
  }

  #observe(metric: string, value: number, keepsValues: boolean, functionName: string): void {
    const table = this.#tableAt(this.#now())
    table.add(metric, value, keepsValues)
    table.add(metric, value, keepsValues, 'FunctionName', functionName)
  }

  #slot(at: number, entry: Entry): Slot {
    const table = this.#tableAt(at)
    return table.slots.get(entry) ?? table.slot(entry, () => describe(entry))
  }

  #tableAt(at: number): MinuteTable {
    const minute = Math.floor(at / MINUTE_MS)
    if (minute === this.#minute) return this.#table
    let table = this.#tables.get(minute)
    if (table === undefined) {
      table = new MinuteTable()
      this.#tables.set(minute, table)
    }
    this.#minute = minute
    this.#table = table
    return table
  }
}

function describe({ record, invokedArn }: Entry): Pick<Slot, 'functionName' | 'resource' | 'executedVersion'> {
  const [, , , , , , name = '', qualifier] = invokedArn.split(':')
  const isAlias = qualifier !== undefined && qualifier !== '$LATEST' && !/^\d+$/.test(qualifier)
  return {
    functionName: record.name,
    resource: qualifier === undefined ? name : `${name}:${qualifier}`,
    executedVersion: isAlias ? record.version : undefined
  }
}
