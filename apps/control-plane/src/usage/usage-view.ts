import {
  BILL_LINES,
  type Bill,
  emptyBill,
  type FunctionUsage,
  type PriceTable,
  toGbSeconds,
  totalOf
} from '@hearth/shared'
import { z } from 'zod'
import { toCsv } from './csv.ts'
import type { UsageGroup, UsageMonth } from './usage-report.ts'

const count = z.int().min(0)
const amount = z.number().min(0)

const Usage = z.object({
  requests: count.meta({ description: 'Starts of functions, and what large asynchronous events cost beside theirs' }),
  eventRequests: count.meta({ description: 'Of these: for the size of asynchronous events' }),
  billedMs: count,
  gbSeconds: amount.meta({ description: 'Duration on demand' }),
  provisionedDurationGbSeconds: amount.meta({ description: 'Duration on provisioned concurrency, inits included' }),
  provisionedConcurrencyGbSeconds: amount.meta({ description: 'Provisioned concurrency that was kept' }),
  ephemeralGbSeconds: amount.meta({ description: 'Ephemeral storage above 512 MB' }),
  streamedBytes: count,
  billedStreamedBytes: count.meta({ description: 'Of these: beyond 6 MB in each answer' })
})

const Line = z.object({
  quantity: amount.meta({ description: 'Requests, GB-seconds, or GB of 10⁹ bytes' }),
  free: amount.meta({ description: 'Of the quantity: what the free tier covers' }),
  amount: amount.meta({ description: 'In full precision' })
})

const Price = z.object({
  total: amount.meta({ description: 'In full precision' }),
  rounded: z.string().meta({ description: 'The total in cents', example: '2.73' }),
  lines: z.record(z.enum(BILL_LINES), Line)
})

export const UsageView = z.object({
  from: z.string(),
  to: z.string(),
  groupBy: z.string(),
  prices: z.object({
    effective: z.string().meta({ description: 'Day of the price list' }),
    region: z.string(),
    currency: z.string(),
    freeTier: z.object({ requests: amount, gbSeconds: amount, streamedGiB: amount })
  }),
  items: z.array(
    z.object({
      key: z.string().nullable().meta({ description: 'null: functions without the tag, or that are deleted' }),
      usage: Usage,
      price: Price
    })
  ),
  total: z.object({ usage: Usage, price: Price }),
  months: z
    .array(z.object({ month: z.string().meta({ example: '2026-11' }), price: Price }))
    .meta({ description: 'The whole months, of all functions: what the shares were taken of' })
})

export function usageView(usage: FunctionUsage): z.infer<typeof Usage> {
  return {
    requests: usage.requests,
    eventRequests: usage.eventRequests,
    billedMs: usage.billedMs,
    gbSeconds: exact(toGbSeconds(usage.durationMsMiB)),
    provisionedDurationGbSeconds: exact(toGbSeconds(usage.provisionedDurationMsMiB)),
    provisionedConcurrencyGbSeconds: exact(toGbSeconds(usage.provisionedMsMiB)),
    ephemeralGbSeconds: exact(toGbSeconds(usage.ephemeralMsMiB)),
    streamedBytes: usage.streamedBytes,
    billedStreamedBytes: usage.billedStreamBytes
  }
}

export function priceView(bill: Bill): z.infer<typeof Price> {
  const total = totalOf(bill)
  const lines = Object.fromEntries(
    BILL_LINES.map((line) => {
      const { quantity, free, amount: price } = bill[line]
      return [line, { quantity: exact(quantity), free: exact(free), amount: exact(price) }]
    })
  )
  return { total: exact(total), rounded: total.toFixed(2), lines: lines as z.infer<typeof Price>['lines'] }
}

export function pricesView({ effective, region, currency, freeTier }: PriceTable) {
  return { effective, region, currency, freeTier }
}

export function monthView({ month, bill }: UsageMonth) {
  return { month, price: priceView(bill) }
}

export function billSum(bills: readonly Bill[]): Bill {
  const sum = emptyBill()
  for (const bill of bills) {
    for (const line of BILL_LINES) {
      sum[line].quantity += bill[line].quantity
      sum[line].free += bill[line].free
      sum[line].amount += bill[line].amount
    }
  }
  return sum
}

/** One row for each group, with the same figures. */
export function usageCsv(groupBy: string, groups: readonly UsageGroup[], currency: string): string {
  const measures = Object.keys(Usage.shape) as (keyof z.infer<typeof Usage>)[]
  const header = [
    groupBy,
    ...measures,
    'freeRequests',
    'freeGbSeconds',
    ...BILL_LINES.map((line) => `${line}Amount`),
    'amount',
    'currency'
  ]
  const rows = groups.map(({ key = '', usage, bill }) => {
    const figures = usageView(usage)
    return [
      key,
      ...measures.map((measure) => figures[measure]),
      exact(bill.requests.free),
      exact(bill.duration.free),
      ...BILL_LINES.map((line) => exact(bill[line].amount)),
      exact(totalOf(bill)),
      currency
    ]
  })
  return toCsv(header, rows)
}

/** Without the dust of floating point. */
function exact(value: number): number {
  return Number(value.toFixed(12))
}
