import {
  type Architecture,
  addToBill,
  addUsage,
  type Bill,
  DAY_MS,
  emptyBill,
  type FunctionUsage,
  type FunctionUsageDay,
  type Measure,
  type MonthRates,
  monthRates,
  noUsage,
  type PriceTable,
  periodStart
} from '@hearth/shared'
import type { UsageSource } from './usage-source.ts'

export interface UsageQuery {
  /** First and last day since 1970-01-01, UTC. */
  readonly from: number
  readonly to: number
  /** @returns what its usage belongs to; undefined: to nothing that has a name; null: it is left out */
  readonly groupOf: (day: FunctionUsageDay) => string | undefined | null
}

export interface UsageGroup {
  readonly key: string | undefined
  readonly usage: FunctionUsage
  readonly bill: Bill
}

export interface UsageMonth {
  /** `YYYY-MM`. */
  readonly month: string
  /** Of all functions and the whole month, as far as it has gone. */
  readonly bill: Bill
}

export interface UsageReport {
  /** By key, in code-unit order, the one without a name last. */
  readonly groups: readonly UsageGroup[]
  readonly months: readonly UsageMonth[]
}

type ByArchitecture = Record<Architecture, Record<Measure, number>>

/** What is known of a group: per month, since each has its own prices. */
type Months = Map<number, ByArchitecture>

/**
 * What functions used in some days, and its price. Free tier and tiers are a month's, so the months of these days are
 * read as a whole, and each group has its share of them.
 *
 * @throws HearthError GATEWAY_UNAVAILABLE
 */
export async function reportUsage(
  source: UsageSource,
  prices: PriceTable,
  { from, to, groupOf }: UsageQuery
): Promise<UsageReport> {
  const totals: Months = new Map()
  const groups = new Map<string | undefined, Months>()
  for await (const day of source.read(periodStart(from, 'MONTH'), lastOfMonth(to))) {
    const month = periodStart(day.day, 'MONTH')
    addTo(totals, month, day)
    if (day.day < from || day.day > to) continue
    const key = groupOf(day)
    if (key === null) continue
    let months = groups.get(key)
    if (months === undefined) groups.set(key, (months = new Map<number, ByArchitecture>()))
    addTo(months, month, day)
  }
  const rates = new Map([...totals].map(([month, usage]) => [month, monthRates(prices, usage)]))
  return {
    groups: [...groups].map(([key, months]) => groupFrom(key, months, rates)).sort(byKey),
    months: [...rates].map(([month, { bill }]) => ({ month: dayText(month).slice(0, 7), bill }))
  }
}

/** `YYYY-MM-DD`. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

function groupFrom(key: string | undefined, months: Months, rates: ReadonlyMap<number, MonthRates>): UsageGroup {
  const usage = noUsage()
  const bill = emptyBill()
  for (const [month, own] of months) {
    for (const [architecture, part] of Object.entries(own) as [Architecture, FunctionUsage][]) {
      addUsage(usage, part)
      addToBill(bill, rates.get(month)!, architecture, part)
    }
  }
  return { key, usage, bill }
}

function addTo(months: Months, month: number, { architecture, usage }: FunctionUsageDay): void {
  let own = months.get(month)
  if (own === undefined) months.set(month, (own = { x86_64: noUsage(), arm64: noUsage() }))
  addUsage(own[architecture], usage)
}

function lastOfMonth(day: number): number {
  const date = new Date(day * DAY_MS)
  return Math.floor(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) / DAY_MS)
}

function byKey({ key: a }: UsageGroup, { key: b }: UsageGroup): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
  return a < b ? -1 : a > b ? 1 : 0
}
