// Metric math: what expressions come to, and what is refused.
import { evaluateMath, MathError, parseMath, type Series, seriesOf } from '@hearth/shared'
import t from 'tap'

const MINUTE = 60_000
const series = (values: readonly (number | undefined)[]): Series =>
  seriesOf(
    values.map((_, i) => i * MINUTE),
    (time) => values[time / MINUTE],
    60
  )
const metrics = new Map([
  ['m1', series([100, 200, undefined, 400])],
  ['m2', series([1, 0, 3, 4])],
  ['errors', series([undefined, undefined, undefined, undefined])]
])
const context = { metrics, from: 0, to: 4 * MINUTE }

function values(text: string): (number | undefined)[] {
  const found = evaluateMath([{ id: 'e', expression: parseMath(text) }], context).get('e')!
  return [0, 1, 2, 3].map((i) => found[0]!.values.get(i * MINUTE))
}

const none = undefined
t.test('expressions', async (t) => {
  const cases: Record<string, (number | undefined)[]> = {
    'm2/m1*100': [1, 0, none, 1],
    'm1/m2': [100, none, none, 100],
    '-m2 + 2 * (m2 - 1)': [-1, -2, 1, 2],
    '2 ^ m2': [2, 1, 8, 16],
    'SUM(m1)': [700, 700, 700, 700],
    'SUM([m1, m2])': [101, 200, 3, 404],
    'SUM(METRICS())': [101, 200, 3, 404],
    'SUM(METRICS("m2"))': [1, 0, 3, 4],
    'AVG([m1,m2])': [50.5, 100, 3, 202],
    'MAX([m1,m2])-MIN([m1,m2])': [99, 200, 0, 396],
    'FILL(m1, 0)': [100, 200, 0, 400],
    'FILL(m1, REPEAT)': [100, 200, 200, 400],
    'FILL(m1, LINEAR)': [100, 200, 300, 400],
    'FILL(errors, 0) + m2': [1, 0, 3, 4],
    'IF(m2 > 2, m2, 0)': [0, 0, 3, 4],
    'IF(m2 >= 1 AND m2 < 4, 1)': [1, none, 1, none],
    'IF(m2 == 0 || m1 == 400, 9, m2)': [1, 9, 3, 9],
    'RATE(m2)': [none, -1 / 60, 3 / 60, 1 / 60],
    'DIFF(m2)': [none, -1, 3, 1],
    'RUNNING_SUM(m2)': [1, 1, 4, 8],
    'm2 * PERIOD(m2)': [60, 0, 180, 240],
    'CEIL(m2/2) + FLOOR(m2/2)': [1, 0, 3, 4],
    'ABS(0 - m2)': [1, 0, 3, 4],
    'METRIC_COUNT(METRICS()) * 1.5e1': [45, 45, 45, 45]
  }
  for (const [text, want] of Object.entries(cases)) t.strictSame(values(text), want, text)
})

t.test('expressions may name each other, and a list is several series', async (t) => {
  const found = evaluateMath(
    [
      { id: 'e1', expression: parseMath('e2 * 2') },
      { id: 'e2', expression: parseMath('m2 + 1') },
      { id: 'e3', expression: parseMath('METRICS() * 2') }
    ],
    context
  )
  t.strictSame([...found.get('e1')![0]!.values.values()], [4, 2, 8, 10])
  t.equal(found.get('e3')!.length, 3)
})

t.test('what is no expression is refused, and where', async (t) => {
  for (const bad of [
    '',
    'm1 +',
    'm1 m2',
    '(m1',
    'NOPE(m1)',
    'SUM()',
    'FILL(m1)',
    'm1 $ 2',
    'm1 + "a',
    '['.repeat(100),
    `${'-'.repeat(2_000)}1`,
    'constructor(m1)',
    'x'.repeat(3_000)
  ]) {
    t.throws(() => parseMath(bad), MathError, bad.slice(0, 40))
  }
  t.throws(() => parseMath('m1 + )'), { message: 'at character 6: ) is not expected here' })
  for (const bad of ['m9', 'm1 + REPEAT', 'FILL(m1, OFTEN)', 'PERIOD(3)', 'e', 'RATE(3)', '[1]']) {
    t.throws(() => evaluateMath([{ id: 'e', expression: parseMath(bad) }], context), MathError, bad)
  }
})
