// What functions used, in money: the worked examples of AWS's price list, and price tables that cannot be used.
import {
  type Architecture,
  AWS_PRICES,
  addToBill,
  addUsage,
  emptyBill,
  extraEventRequests,
  type FunctionUsage,
  monthRates,
  noUsage,
  type PriceTable,
  PriceTableError,
  parsePriceTable,
  readConfig,
  tieredAmount,
  totalOf
} from '@hearth/shared'
import t from 'tap'

const usage = (counts: Partial<FunctionUsage>): FunctionUsage => ({ ...noUsage(), ...counts })
const month = (counts: Partial<FunctionUsage>, architecture: Architecture = 'x86_64', table: PriceTable = AWS_PRICES) =>
  monthRates(table, { x86_64: noUsage(), arm64: noUsage(), [architecture]: usage(counts) }).bill
const cents = (amount: number): string => amount.toFixed(2)
const calls = (requests: number, ms: number, memoryMiB: number) => ({
  requests,
  billedMs: requests * ms,
  durationMsMiB: requests * ms * memoryMiB
})

t.test('the worked examples', async (t) => {
  const first = month(calls(3_000_000, 120, 1_536))
  t.match(first, { duration: { quantity: 540_000, free: 400_000 }, requests: { quantity: 3_000_000, free: 1_000_000 } })
  t.strictSame(
    [first.duration.amount, first.requests.amount, totalOf(first)].map(cents),
    ['2.33', '0.40', '2.73'],
    'the free tier'
  )

  const second = month({ ...calls(6_000_000, 280, 4_096), ephemeralMsMiB: 6_000_000 * 280 * (2_048 - 512) })
  t.equal(second.ephemeralStorage.quantity, 2_520_000)
  t.strictSame(
    [second.duration.amount, second.requests.amount, second.ephemeralStorage.amount, totalOf(second)].map(cents),
    ['105.33', '1.00', '0.08', '106.41'],
    'ephemeral storage'
  )

  const third = month({
    ...calls(2_500_000, 120, 1_536),
    requests: 3_000_000,
    provisionedDurationMsMiB: 500_000 * 100 * 1_536,
    provisionedMsMiB: 100 * 1_536 * 8 * 3_600_000
  })
  t.strictSame(
    [
      third.provisionedConcurrency.amount,
      third.requests.amount,
      third.provisionedDuration.amount,
      third.duration.amount,
      totalOf(third)
    ].map(cents),
    ['18.00', '0.40', '0.73', '0.83', '19.96'],
    'provisioned concurrency, which has no free tier'
  )

  t.equal(1 + extraEventRequests(600 * 1_024), 7, 'a large asynchronous event')
  t.strictSame([0, 262_144, 262_145, 327_680, 327_681, 1_048_576].map(extraEventRequests), [0, 0, 1, 1, 2, 12])
})

t.test('tiers are marginal, by architecture, and come after the free tier', async (t) => {
  const tiers = AWS_PRICES.prices.duration.x86_64
  t.equal(cents(tieredAmount(tiers, 6e9)), '100000.20')
  t.equal(cents(tieredAmount(tiers, 16e9)), cents(100_000.2 + 9e9 * 0.000_015 + 1e9 * 0.000_013_333_4))
  const arm = month({ durationMsMiB: 8_000_400_000 * 1_024_000 }, 'arm64')
  t.equal(cents(arm.duration.amount), cents(7.5e9 * 0.000_013_333_4 + 0.5e9 * 0.000_012_000_1))
  const streamed = month({ billedStreamBytes: 100 * 2 ** 30 + 50e9 })
  t.equal(cents(streamed.streaming.amount), '0.40', '100 GiB a month are free')
  t.equal(month({ ...calls(1_000_000, 100, 128) }).requests.amount, 0)
})

t.test('what is free is shared out by use, and the parts add up to the month', async (t) => {
  const parts: readonly (readonly [Architecture, FunctionUsage])[] = [
    ['x86_64', usage({ ...calls(3_000_000, 120, 1_536), ephemeralMsMiB: 7_000 })],
    ['x86_64', usage({ requests: 1_000_000, durationMsMiB: 1_024_000 * 260_000, billedStreamBytes: 200e9 })],
    ['arm64', usage(calls(1, 1, 128))],
    ['arm64', usage({ requests: 2_000_000, durationMsMiB: 1_024_000 * 800_000, provisionedMsMiB: 5e9 })]
  ]
  const totals = { x86_64: noUsage(), arm64: noUsage() }
  for (const [architecture, part] of parts) addUsage(totals[architecture], part)
  const rates = monthRates(AWS_PRICES, totals)
  t.match(rates.bill.duration.free.toFixed(3), '400000.000', 'both architectures together')
  const bills = parts.map(([architecture, part]) => {
    const bill = emptyBill()
    addToBill(bill, rates, architecture, part)
    return bill
  })
  const sum = bills.reduce((all, bill) => all + totalOf(bill), 0)
  t.equal(sum.toFixed(9), totalOf(rates.bill).toFixed(9))
  t.equal(bills[1]!.requests.free.toFixed(3), ((1_000_000 * 1_000_000) / 6_000_001).toFixed(3))
  t.equal(totalOf(monthRates(AWS_PRICES, { x86_64: noUsage(), arm64: noUsage() }).bill), 0, 'nothing costs nothing')
})

t.test('price tables', async (t) => {
  const own = {
    effective: '2026-01-01',
    region: 'home',
    currency: 'EUR',
    freeTier: { requests: 0, gbSeconds: 0, streamedGiB: 0 },
    prices: {
      requests: 0.001,
      duration: 0.5,
      provisionedDuration: { x86_64: 1, arm64: [{ from: 0, price: 2 }] },
      provisionedConcurrency: 0,
      ephemeralStorage: [
        { from: 0, to: 10, price: 3 },
        { from: 10, price: 1 }
      ],
      streaming: 0
    }
  }
  const table = parsePriceTable(JSON.stringify(own))
  t.equal(totalOf(month({ requests: 10, durationMsMiB: 2_048_000 }, 'arm64', table)), 1.01)
  t.equal(totalOf(month({ ephemeralMsMiB: 12 * 1_024_000 }, 'arm64', table)), 32)
  t.strictSame(parsePriceTable(JSON.stringify(AWS_PRICES)), AWS_PRICES)

  const wrong = (change: (table: typeof own) => object): string => {
    try {
      parsePriceTable(JSON.stringify(change(structuredClone(own))))
    } catch (err) {
      if (err instanceof PriceTableError) return err.message
    }
    return 'no error'
  }
  const tiers = (...list: readonly object[]) =>
    wrong((it) => ({ ...it, prices: { ...it.prices, duration: { x86_64: list, arm64: 1 } } }))
  t.equal(
    tiers({ from: 0, to: 5, price: 1 }, { from: 6, price: 1 }),
    'prices.duration.x86_64[1].from: a gap: nothing is said between 5 and 6'
  )
  t.equal(
    tiers({ from: 0, to: 5, price: 1 }, { from: 4, price: 1 }),
    'prices.duration.x86_64[1].from: overlaps the tier before it, which goes to 5'
  )
  t.equal(tiers({ from: 1, price: 1 }), 'prices.duration.x86_64[0].from: a gap: nothing is said between 0 and 1')
  t.equal(tiers({ from: 0, to: 5, price: 1 }), 'prices.duration.x86_64[0].to: a gap: nothing is said above 5')
  t.equal(
    tiers({ from: 0, price: 1 }, { from: 5, price: 1 }),
    'prices.duration.x86_64[1].from: the tier before it has no end'
  )
  t.match(tiers({ from: 0, price: -1 }), 'prices.duration.x86_64[0].price: must not be negative')
  t.match(
    wrong((it) => ({ ...it, prices: { ...it.prices, requests: -1 } })),
    /^prices\.requests.*must not be negative/
  )
  t.match(
    wrong((it) => ({ ...it, prices: { ...it.prices, streaming: undefined } })),
    /^prices\.streaming: /
  )
  t.equal(
    wrong((it) => ({ ...it, prices: { ...it.prices, snow: 1 } })),
    'prices: unknown member snow'
  )
  t.match(
    wrong((it) => ({ ...it, effective: 'soon' })),
    'effective: a day such as 2026-09-19 is expected'
  )
  t.match(
    wrong((it) => ({ ...it, freeTier: { ...it.freeTier, requests: -5 } })),
    'freeTier.requests: must not be negative'
  )
  t.throws(() => parsePriceTable('{'), /^not JSON/)

  const dir = t.testdir({ 'own.json': JSON.stringify(own), 'wrong.json': '{"effective":"2026-01-01"}' })
  t.strictSame(readConfig({ HEARTH_PRICES: 'own.json' }, dir).prices, table)
  t.strictSame(readConfig({}, dir).prices, AWS_PRICES)
  t.throws(() => readConfig({ HEARTH_PRICES: 'wrong.json' }, dir), {
    name: 'ConfigError',
    message: /^HEARTH_PRICES: region: /
  })
  t.throws(() => readConfig({ HEARTH_PRICES: 'none.json' }, dir), { message: /^HEARTH_PRICES: cannot be read/ })
})
