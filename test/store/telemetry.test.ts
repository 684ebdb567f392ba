// Metrics over time: what is put, what is read back, how it grows old.
import path from 'node:path'
import { type MetricSample, openTelemetry, statisticOf, type TelemetryOptions } from '@hearth/store'
import t, { type Test } from 'tap'

const migrationsDir = path.resolve('migrations/telemetry')
const MINUTE = 60_000
const DAY = 86_400_000
const NOW = Date.UTC(2026, 0, 20, 12)

function open(t: Test, options: Partial<TelemetryOptions> = {}) {
  const clock = { at: NOW }
  const file = options.file ?? path.join(t.testdir(), 'telemetry.db')
  const telemetry = openTelemetry({ file, migrationsDir, now: () => new Date(clock.at), ...options })
  t.teardown(() => telemetry.close())
  return { ...telemetry, clock, file }
}

const key = (name: string, dimensions: [string, string][] = []) => ({ namespace: 'App', name, dimensions })

function sample(name: string, at: number, values: readonly number[], more: Partial<MetricSample> = {}): MetricSample {
  return {
    key: key(name),
    at,
    unit: 'Count',
    values: {
      count: values.length,
      sum: values.reduce((a, b) => a + b, 0),
      min: Math.min(...values),
      max: Math.max(...values),
      distribution: values.map((value) => [value, 1] as const)
    },
    ...more
  }
}

t.test('values of a minute add up, and periods are aligned', async (t) => {
  const { metrics } = open(t)
  metrics.put([sample('m', NOW + 1_000, [1, 2]), sample('m', NOW + 59_000, [6]), sample('m', NOW + MINUTE, [10])])
  const read = (period: number, from = NOW, to = NOW + 2 * MINUTE) =>
    metrics.points({ key: key('m'), from, to, period })
  t.match(read(60), [
    { at: NOW, unit: 'Count', values: { count: 3, sum: 9, min: 1, max: 6, distribution: { length: 3 } } },
    { at: NOW + MINUTE, values: { count: 1, sum: 10 } }
  ])
  t.match(read(300, NOW + 2 * MINUTE, NOW + 3 * MINUTE), [], 'only what began before the end')
  t.match(read(300, NOW + 30_000, NOW + 3 * MINUTE), [{ at: NOW, values: { count: 4, sum: 19 } }])
  t.strictSame(read(60, NOW, NOW + MINUTE).length, 1, 'the end is excluded')
  t.strictSame(metrics.points({ key: key('other'), from: 0, to: NOW * 2, period: 60 }), [])
  t.strictSame(metrics.points({ key: key('m'), from: NOW, to: NOW * 2, period: 60, unit: 'Bytes' }), [])
  t.strictSame(metrics.points({ key: key('m', [['a', 'b']]), from: NOW, to: NOW * 2, period: 60 }), [])
})

t.test('a report is taken once, also by the next process', async (t) => {
  const { metrics, file } = open(t)
  const samples = [sample('m', NOW, [1])]
  metrics.put(samples, 'r1')
  metrics.put(samples, 'r1')
  const other = open(t, { file })
  other.metrics.put(samples, 'r1')
  other.metrics.put(samples, 'r2')
  t.match(metrics.points({ key: key('m'), from: NOW, to: NOW + 1, period: 60 }), [{ values: { count: 2 } }])
})

t.test('what is refused leaves nothing behind', async (t) => {
  const { metrics } = open(t, { maxCustomSeries: 2, maxPlatformSeries: 1 })
  metrics.put([sample('a', NOW, [1])])
  t.throws(() => metrics.put([sample('b', NOW, [1]), sample('c', NOW, [1])], 'r'), { code: 'LIMIT_EXCEEDED' })
  t.throws(() => metrics.put([sample('a', NOW, [1]), sample('a', NOW, [Number.NaN])]), { code: 'VALIDATION_FAILED' })
  t.match(metrics.list({}), [{ name: 'a' }])
  t.match(metrics.points({ key: key('a'), from: NOW, to: NOW + 1, period: 60 }), [{ values: { count: 1 } }])
  metrics.put([sample('b', NOW, [1])], 'r')
  t.match(metrics.list({ name: 'b' }), [{ name: 'b' }], 'the report was not taken when it failed')
  const platform = (name: string) => sample(name, NOW, [1], { key: { namespace: 'AWS/Lambda', name, dimensions: [] } })
  metrics.put([platform('x'), platform('y'), platform('x')])
  t.match(metrics.list({ namespace: 'AWS/Lambda' }), [{ name: 'x' }], 'the platform’s own are cut, not refused')
})

t.test('values written with something else share its transaction', async (t) => {
  const { metrics, db } = open(t)
  const both = db.transaction((fail: boolean) => {
    metrics.put([sample('m', NOW, [1])])
    if (fail) throw new Error('not now')
  })
  t.throws(() => both(true))
  t.strictSame(metrics.list({}), [])
  both(false)
  t.match(metrics.points({ key: key('m'), from: NOW, to: NOW + 1, period: 60 }), [{ values: { count: 1 } }])
})

t.test('percentiles come back within 1 %, few values exactly, none where they are not known', async (t) => {
  const { metrics } = open(t)
  const many = Array.from({ length: 10_000 }, (_, i) => (i + 1) / 7)
  metrics.put([
    sample('many', NOW, many),
    sample('few', NOW, [-5, 0, 2.5, 100.25]),
    sample('sums', NOW, [1], { values: { count: 4, sum: 10, min: 1, max: 4 } }),
    sample('equal', NOW, [7, 7, 7], { values: { count: 3, sum: 21, min: 7, max: 7 } }),
    sample('wide', NOW, [...Array.from({ length: 2_000 }, (_, i) => 10 ** ((i % 600) - 300)), -1e200])
  ])
  const of = (name: string) => metrics.points({ key: key(name), from: NOW, to: NOW + 1, period: 60 })[0]!.values
  for (const p of [1, 50, 90, 99, 99.9]) {
    const want = many[Math.ceil((p / 100) * many.length) - 1]!
    const got = statisticOf(of('many'), `p${p}`)!
    t.ok(Math.abs(got / want - 1) < 0.0101, `p${p}: ${got} for ${want}`)
  }
  t.equal(statisticOf(of('many'), 'p100'), many.at(-1))
  t.equal(statisticOf(of('few'), 'p50'), 0)
  t.equal(statisticOf(of('few'), 'p99'), 100.25)
  t.equal(statisticOf(of('sums'), 'p50'), undefined)
  t.equal(statisticOf(of('sums'), 'Average'), 2.5)
  t.equal(statisticOf(of('equal'), 'p50'), 7)
  t.equal(
    of('wide').distribution!.reduce((sum, [, count]) => sum + count, 0),
    2_001
  )
})

t.test('statistics', async (t) => {
  const values = {
    count: 10,
    sum: 55,
    min: 1,
    max: 10,
    distribution: Array.from({ length: 10 }, (_, i) => [i + 1, 1] as const)
  }
  const cases: Record<string, number> = {
    SampleCount: 10,
    Sum: 55,
    Average: 5.5,
    Minimum: 1,
    Maximum: 10,
    p0: 1,
    p10: 1,
    p50: 5,
    'p99.9': 10,
    tm90: 5,
    'TM(10%:90%)': 5.5,
    'TM(:5)': 3,
    tc50: 5,
    'TC(2:4)': 2,
    ts50: 15,
    'TS(8:)': 19,
    'WM(20%:80%)': 5.5,
    'PR(:3)': 30,
    'PR(3:5)': 20,
    IQM: 5.5
  }
  for (const [stat, want] of Object.entries(cases)) t.equal(statisticOf(values, stat), want, stat)
  for (const bad of ['p101', 'P50', 'sum', 'tm(5)', 'TM(5:4)', 'TM(:)', 'PR(10%:20%)', 'TM(5%:9)', '', 'p1e3']) {
    t.throws(() => statisticOf(values, bad), { code: 'VALIDATION_FAILED' }, bad)
  }
})

t.test('values grow old: seconds, minutes, five minutes, hours, nothing', async (t) => {
  const telemetry = open(t)
  const { metrics, clock, db } = telemetry
  const tidyAll = () => {
    let steps = 1
    while (telemetry.tidy()) steps++
    return steps
  }
  metrics.put(Array.from({ length: 600 }, (_, i) => sample('s', NOW + i * 1_000, [i], { resolution: 1 })))
  const read = (period: number) => metrics.points({ key: key('s'), from: NOW, to: NOW + DAY, period })
  const total = () => read(3_600).map(({ values }) => [values.count, values.sum, values.min, values.max])
  const before = total()
  t.strictSame(before, [[600, 179_700, 0, 599]])
  t.equal(read(1).length, 600)
  tidyAll()
  t.equal(read(1).length, 600, 'not old yet')
  clock.at = NOW + 4 * 3_600_000
  t.ok(tidyAll() > 1, 'in steps')
  t.equal(read(1).length, 0)
  t.equal(read(60).length, 10)
  clock.at = NOW + 16 * DAY
  tidyAll()
  t.equal(read(60).length, 0)
  t.equal(read(300).length, 2)
  const p50 = statisticOf(read(3_600)[0]!.values, 'p50')!
  t.ok(Math.abs(p50 / 299 - 1) < 0.03, `percentiles stay: ${p50}`)
  clock.at = NOW + 64 * DAY
  tidyAll()
  t.equal(read(300).length, 0)
  t.strictSame(total(), before, 'nothing was lost on the way')
  metrics.put([], 'late')
  clock.at = NOW + 456 * DAY
  tidyAll()
  tidyAll()
  t.strictSame(total(), [])
  t.equal(db.prepare('SELECT count(*) FROM metric_series').pluck().get(), 0)
  t.equal(db.prepare('SELECT count(*) FROM metric_reports').pluck().get(), 0)
  metrics.put([sample('s', clock.at, [1])])
  t.match(metrics.list({}), [{ name: 's' }], 'a series that was removed begins anew')
})
