import { z } from 'zod'

/** One part of a month's total; `to` is missing in the last. */
export interface PriceTier {
  readonly from: number
  readonly to?: number | undefined
  /** Per unit. */
  readonly price: number
}

/** From nothing upward without a gap. */
export type Tiers = readonly PriceTier[]

export interface ByArchitecture {
  readonly x86_64: Tiers
  readonly arm64: Tiers
}

/** Prices of one region from a day on. */
export interface PriceTable {
  /** Day from which they are the list prices, `YYYY-MM-DD`. */
  readonly effective: string
  readonly region: string
  readonly currency: string
  /** Every month, over all functions. */
  readonly freeTier: {
    readonly requests: number
    /** Of duration on demand, both architectures together. */
    readonly gbSeconds: number
    /** GiB of streamed answers, beyond what is free in each. */
    readonly streamedGiB: number
  }
  readonly prices: {
    /** Per request. */
    readonly requests: Tiers
    /** Per GB-second. */
    readonly duration: ByArchitecture
    readonly provisionedDuration: ByArchitecture
    readonly provisionedConcurrency: ByArchitecture
    readonly ephemeralStorage: ByArchitecture
    /** Per GB of 10^9 bytes. */
    readonly streaming: Tiers
  }
}

const flat = (price: number): Tiers => [{ from: 0, price }]

/** AWS's list prices of us-east-1. Source: public price list of 19 September 2026. */
export const AWS_PRICES: PriceTable = {
  effective: '2026-09-19',
  region: 'us-east-1',
  currency: 'USD',
  freeTier: { requests: 1_000_000, gbSeconds: 400_000, streamedGiB: 100 },
  prices: {
    requests: flat(0.000_000_2),
    duration: {
      x86_64: [
        { from: 0, to: 6_000_000_000, price: 0.000_016_666_7 },
        { from: 6_000_000_000, to: 15_000_000_000, price: 0.000_015 },
        { from: 15_000_000_000, price: 0.000_013_333_4 }
      ],
      arm64: [
        { from: 0, to: 7_500_000_000, price: 0.000_013_333_4 },
        { from: 7_500_000_000, to: 18_750_000_000, price: 0.000_012_000_1 },
        { from: 18_750_000_000, price: 0.000_010_666_7 }
      ]
    },
    provisionedDuration: { x86_64: flat(0.000_009_722_2), arm64: flat(0.000_007_777_8) },
    provisionedConcurrency: { x86_64: flat(0.000_004_166_7), arm64: flat(0.000_003_333_4) },
    ephemeralStorage: { x86_64: flat(0.000_000_030_9), arm64: flat(0.000_000_030_9) },
    streaming: flat(0.008)
  }
}

const amount = z.number({ error: 'a number is expected' }).min(0, 'must not be negative')

const Tier = z.strictObject({ from: amount, to: amount.optional(), price: amount })

/** A price alone is one tier for all. */
const Price = z
  .union([z.number(), z.array(Tier)], { error: 'a price, or a list of tiers with from, to and price' })
  .transform((value): Tiers => (typeof value === 'number' ? flat(value) : value))
  .superRefine((tiers, context) => {
    for (const { path, message } of problemsOf(tiers)) context.addIssue({ code: 'custom', path: [...path], message })
  })

const PerArchitecture = z.union([
  z.strictObject({ x86_64: Price, arm64: Price }),
  Price.transform((tiers) => ({ x86_64: tiers, arm64: tiers }))
])

const Table = z.strictObject({
  effective: z.iso.date('a day such as 2026-09-19 is expected'),
  region: z.string().min(1).max(64),
  currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters such as USD are expected'),
  freeTier: z.strictObject({ requests: amount, gbSeconds: amount, streamedGiB: amount }),
  prices: z.strictObject({
    requests: Price,
    duration: PerArchitecture,
    provisionedDuration: PerArchitecture,
    provisionedConcurrency: PerArchitecture,
    ephemeralStorage: PerArchitecture,
    streaming: Price
  })
})

/** A price table that cannot be used: each line of the message names a place in it. */
export class PriceTableError extends Error {
  override readonly name = 'PriceTableError'
}

/** @param text - JSON, as docs/usage.md describes it. @throws PriceTableError */
export function parsePriceTable(text: string): PriceTable {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PriceTableError(`not JSON: ${(cause as Error).message}`, { cause })
  }
  const parsed = Table.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PriceTableError([...new Set(parsed.error.issues.flatMap((issue) => describe(issue, [])))].join('\n'))
}

/** Where two tiers do not meet. */
function problemsOf(tiers: Tiers): { readonly path: readonly (string | number)[]; readonly message: string }[] {
  if (tiers.length === 0) return [{ path: [], message: 'at least one tier is expected' }]
  const problems: { path: (string | number)[]; message: string }[] = []
  let end: number | undefined = 0
  for (const [index, { from, to, price }] of tiers.entries()) {
    const at = (name: string, message: string) => problems.push({ path: [index, name], message })
    if (price < 0) at('price', 'must not be negative')
    if (end === undefined) at('from', 'the tier before it has no end')
    else if (from > end) at('from', `a gap: nothing is said between ${end} and ${from}`)
    else if (from < end) at('from', `overlaps the tier before it, which goes to ${end}`)
    if (to !== undefined && to <= from) at('to', `must be more than ${from}`)
    end = to
  }
  if (end !== undefined)
    problems.push({ path: [tiers.length - 1, 'to'], message: `a gap: nothing is said above ${end}` })
  return problems
}

/** Of alternatives the one that came furthest says what is wrong. */
function describe(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): string[] {
  const place = [...above, ...issue.path]
  if (issue.code === 'invalid_union') {
    const depth = (issues: readonly z.core.$ZodIssue[]) => Math.max(0, ...issues.map(({ path }) => path.length))
    const best = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]
    if (best !== undefined && depth(best) > 0) return best.flatMap((inner) => describe(inner, place))
  }
  if (issue.code === 'unrecognized_keys') return [`${nameOf(place)}: unknown member ${issue.keys.join(', ')}`]
  return [`${nameOf(place)}: ${issue.message}`]
}

function nameOf(place: readonly PropertyKey[]): string {
  const name = place.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return name === '' ? 'the table' : name.replace(/^\./, '')
}
