import { type Architecture, addUsage, type FunctionUsage, noUsage, toGbSeconds } from './function-usage.ts'
import type { PriceTable, Tiers } from './price-table.ts'

/** Lines of a bill. */
export const BILL_LINES = [
  'requests',
  'duration',
  'provisionedDuration',
  'provisionedConcurrency',
  'ephemeralStorage',
  'streaming'
] as const

export type BillLine = (typeof BILL_LINES)[number]

/** A quantity and its price: requests, GB-seconds, or GB of 10^9 bytes. */
export interface Charge {
  readonly quantity: number
  /** Of the quantity: what the free tier covers. */
  readonly free: number
  readonly amount: number
}

export type Bill = Readonly<Record<BillLine, Charge>>

/** What one unit of a line costs on average in a month. */
interface Rate {
  readonly amount: number
  /** 0 to 1: which part of it is free. */
  readonly free: number
}

/** A month's prices as they come out of its totals: what a part of the month costs is its share of them. */
export interface MonthRates {
  readonly rates: Readonly<Record<Architecture, Readonly<Record<BillLine, Rate>>>>
  /** The month as a whole. */
  readonly bill: Bill
}

export const ARCHITECTURES: readonly Architecture[] = ['x86_64', 'arm64']

/**
 * Each part of a quantity at the price of its tier.
 *
 * @param quantity - Not negative
 */
export function tieredAmount(tiers: Tiers, quantity: number): number {
  let sum = 0
  for (const { from, to = Number.POSITIVE_INFINITY, price } of tiers) {
    if (quantity > from) sum += (Math.min(quantity, to) - from) * price
  }
  return sum
}

/** Units as they are on a bill. */
export function quantitiesOf(usage: FunctionUsage): Readonly<Record<BillLine, number>> {
  return {
    requests: usage.requests,
    duration: toGbSeconds(usage.durationMsMiB),
    provisionedDuration: toGbSeconds(usage.provisionedDurationMsMiB),
    provisionedConcurrency: toGbSeconds(usage.provisionedMsMiB),
    ephemeralStorage: toGbSeconds(usage.ephemeralMsMiB),
    streaming: usage.billedStreamBytes / 1e9
  }
}

/**
 * Prices a month. The free tier and the tiers are those of all functions together, so every unit of a line costs the
 * same in the end, whoever used it and when: each function, role, tag or day has its share of what is free, and of what a
 * higher tier saves, by its part of the month's quantity. Of free GB-seconds the two architectures have theirs in the
 * same way. The free part is taken off before the tiers are applied.
 *
 * @param totals - Of all functions in the month, by architecture
 */
export function monthRates(table: PriceTable, totals: Readonly<Record<Architecture, FunctionUsage>>): MonthRates {
  const both = noUsage()
  for (const architecture of ARCHITECTURES) addUsage(both, totals[architecture])
  const all = quantitiesOf(both)
  const { freeTier, prices } = table
  const freeParts: Partial<Record<BillLine, number>> = {
    requests: part(freeTier.requests, all.requests),
    duration: part(freeTier.gbSeconds, all.duration),
    streaming: part((freeTier.streamedGiB * 2 ** 30) / 1e9, all.streaming)
  }
  const rates: Partial<Record<Architecture, Record<BillLine, Rate>>> = {}
  const bill = emptyBill()
  for (const architecture of ARCHITECTURES) {
    const own = quantitiesOf(totals[architecture])
    const ofLine = (line: BillLine): Rate => {
      const price = prices[line]
      const free = freeParts[line] ?? 0
      // What is not priced by architecture has its tiers over both.
      const quantity = 'x86_64' in price ? own[line] : all[line]
      const amount = tieredAmount('x86_64' in price ? price[architecture] : price, quantity * (1 - free))
      return { amount: quantity === 0 ? 0 : amount / quantity, free }
    }
    const made = Object.fromEntries(BILL_LINES.map((line) => [line, ofLine(line)])) as Record<BillLine, Rate>
    rates[architecture] = made
    addCharges(bill, own, made)
  }
  return { rates: rates as MonthRates['rates'], bill }
}

/** What a part of the month costs; adds it to `bill`. */
export function addToBill(bill: MutableBill, { rates }: MonthRates, architecture: Architecture, usage: FunctionUsage) {
  addCharges(bill, quantitiesOf(usage), rates[architecture])
}

export type MutableBill = Record<BillLine, { -readonly [K in keyof Charge]: Charge[K] }>

export function emptyBill(): MutableBill {
  return Object.fromEntries(BILL_LINES.map((line) => [line, { quantity: 0, free: 0, amount: 0 }])) as MutableBill
}

/** In full precision. */
export function totalOf(bill: Bill): number {
  return BILL_LINES.reduce((sum, line) => sum + bill[line].amount, 0)
}

function addCharges(
  bill: MutableBill,
  quantities: Readonly<Record<BillLine, number>>,
  rates: Readonly<Record<BillLine, Rate>>
): void {
  for (const line of BILL_LINES) {
    const charge = bill[line]
    const quantity = quantities[line]
    charge.quantity += quantity
    charge.free += quantity * rates[line].free
    charge.amount += quantity * rates[line].amount
  }
}

function part(free: number, quantity: number): number {
  return quantity === 0 ? 0 : Math.min(1, free / quantity)
}
