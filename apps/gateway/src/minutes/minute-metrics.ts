import type { Outcome } from '@hearth/executor'
import type { Entry } from '../function-routes.ts'
import {
  CONCURRENT_MAX,
  CONCURRENT_MIN,
  CONCURRENT_SUM,
  type Dimensions,
  ERRORS,
  MinuteTable,
  PROVISIONED,
  SPILLED,
  THROTTLES,
  type Way,
  WIDTH
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
  /** What {@link MinuteMetrics.#tableAt} found last, and the time that it is of. */
  #table = new MinuteTable()
  #from = Infinity
  #to = -Infinity

  /** @param now - Unix time in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * A call is over.
   *
   * @param running - How many of its function there were with it
   * @param now - Unix time in ms
   */
  settled(entry: Entry, outcome: Outcome, running: number, now = this.#now()): void {
    const { status } = outcome
    if (status === 'unavailable') return
    const { executeMs } = outcome.phases
    const table = this.#tableAt(now - executeMs)
    const row = entry.minuteTable === table.id ? entry.minuteRow! : table.row(entry, () => describe(entry))
    const at = row * WIDTH
    const { values } = table
    if (status === 'throttled') {
      values[at + THROTTLES]!++
      return
    }
    table.invoked(at, executeMs)
    if (status !== 'ok') values[at + ERRORS]!++
    if (outcome.provisioned === true) values[at + PROVISIONED]!++
    else if (outcome.spilled === true) values[at + SPILLED]!++
    values[at + CONCURRENT_SUM]! += running
    if (running < values[at + CONCURRENT_MIN]!) values[at + CONCURRENT_MIN] = running
    if (running > values[at + CONCURRENT_MAX]!) values[at + CONCURRENT_MAX] = running
  }

  /** One more of a metric of a function: in all, and its own. */
  count(metric: string, functionName: string): void {
    this.#observe(metric, 1, false, functionName)
  }

  /** Milliseconds, of which percentiles may be asked. */
  observe(metric: string, ms: number, functionName: string): void {
    this.#observe(metric, ms, true, functionName)
  }

  /** A metric at one time, of which the highest is of interest. @param dimensions - Sorted by name */
  sample(metric: string, value: number, dimensions: Dimensions = []): void {
    const table = this.#tableAt(this.#now())
    if (dimensions.length === 0) table.add(metric, value, false)
    else table.addOf(metric, value, dimensions)
  }

  /** A request to a function URL was answered. */
  urlAnswered(functionName: string, code: number, ms: number): void {
    const table = this.#tableAt(this.#now())
    for (const name of [undefined, functionName]) {
      table.add('UrlRequestCount', 1, false, name)
      table.add('Url4xxCount', code >= 400 && code < 500 ? 1 : 0, false, name)
      table.add('Url5xxCount', code >= 500 ? 1 : 0, false, name)
      table.add('UrlRequestLatency', ms, true, name)
    }
  }

  /**
   * Minutes that are over, with what they had. What ends from here on is counted in tables of its own.
   *
   * @param all - The present one too
   */
  take(all: boolean): [at: number, table: MinuteTable][] {
    const present = Math.floor(this.#now() / MINUTE_MS)
    const taken: [number, MinuteTable][] = []
    for (const [minute, table] of this.#tables) {
      if (!all && minute >= present) continue
      this.#tables.delete(minute)
      table.seal()
      taken.push([minute * MINUTE_MS, table])
    }
    this.#from = Infinity
    return taken
  }

  /** Minutes that go on, and have more than when this was last asked for. */
  takeChanged(): [at: number, table: MinuteTable][] {
    const changed: [number, MinuteTable][] = []
    for (const [minute, table] of this.#tables) {
      if (!table.isChanged) continue
      table.isChanged = false
      changed.push([minute * MINUTE_MS, table])
    }
    return changed
  }

  #observe(metric: string, value: number, keepsValues: boolean, functionName: string): void {
    const table = this.#tableAt(this.#now())
    table.add(metric, value, keepsValues)
    table.add(metric, value, keepsValues, functionName)
  }

  #tableAt(at: number): MinuteTable {
    const table = at >= this.#from && at < this.#to ? this.#table : this.#turnTo(Math.floor(at / MINUTE_MS))
    table.isChanged = true
    return table
  }

  #turnTo(minute: number): MinuteTable {
    let table = this.#tables.get(minute)
    if (table === undefined) {
      // One that is long over gets a few calls more, and the present one as many as the last.
      table = new MinuteTable(minute * MINUTE_MS + MINUTE_MS > this.#now() ? this.#mostRows() : undefined)
      this.#tables.set(minute, table)
    }
    this.#from = minute * MINUTE_MS
    this.#to = this.#from + MINUTE_MS
    this.#table = table
    return table
  }

  #mostRows(): number {
    return Math.max(1, ...[...this.#tables.values()].map(({ ways }) => ways.length))
  }
}

function describe({ record, invokedArn }: Entry): Way {
  const [, , , , , , name = '', qualifier] = invokedArn.split(':')
  const isAlias = qualifier !== undefined && qualifier !== '$LATEST' && !/^\d+$/.test(qualifier)
  return {
    functionName: record.name,
    resource: qualifier === undefined ? name : `${name}:${qualifier}`,
    executedVersion: isAlias ? record.version : undefined
  }
}
