// How an alarm's state follows from its latest periods: AWS's documented tables, and the words that it is told in.
import { evaluate, type MissingData, samplesFor } from '@hearth/control-plane/internal/alarms/evaluate'
import { javaDouble } from '@hearth/control-plane/internal/alarms/java-text'
import { reasonDataFor, reasonFor } from '@hearth/control-plane/internal/alarms/reason'
import t from 'tap'

const START = Date.UTC(2026, 0, 2, 3, 0)
/** `0` fine, `X` beyond the threshold, `-` missing; oldest first, a minute each. */
function slots(text: string) {
  return [...text].map((mark, i) => {
    const at = START + i * 60_000
    return { at, point: mark === '-' ? undefined : { at, value: mark === 'X' ? 2 : 0, sampleCount: 5 } }
  })
}
const rules = (n: number, m: number | undefined, treatMissingData: MissingData) => ({
  evaluationPeriods: n,
  datapointsToAlarm: m,
  threshold: 1,
  comparisonOperator: 'GreaterThanThreshold',
  treatMissingData
})

const TREATMENTS = ['missing', 'ignore', 'breaching', 'notBreaching'] as const
const [I, K, A, O] = ['INSUFFICIENT_DATA', undefined, 'ALARM', 'OK'] as const
// Documented: "How alarm state is evaluated when data is missing"; in the order of the treatments.
const TABLE = [
  [3, undefined, '0-X-X', [O, O, O, O]],
  [3, undefined, '0----', [O, O, O, O]],
  [3, undefined, '-----', [I, K, A, O]],
  [3, undefined, '0XX-X', [A, A, A, A]],
  [3, undefined, '----X', [I, K, A, O]],
  [3, undefined, 'X----', [A, K, A, O]],
  [3, 2, '0-X-X', [A, A, A, A]],
  [3, 2, '0-X--', [O, O, A, O]],
  [3, 2, '----0', [O, O, A, O]],
  [3, 2, '----X', [I, K, A, O]],
  // One of one: late points are looked for in two more periods.
  [1, undefined, '--X', [A, A, A, A]],
  [1, undefined, 'X--', [A, A, A, A]],
  [1, undefined, '---', [I, K, A, O]],
  [1, undefined, 'XX0', [O, O, O, O]]
] as const

t.test('every documented row, in all four ways of missing data', async (t) => {
  for (const [n, m, text, expected] of TABLE) {
    for (const [i, treatment] of TREATMENTS.entries()) {
      const { state } = evaluate(slots(text), rules(n, m, treatment))
      t.equal(state, expected[i], `${n}/${m ?? n} ${text} ${treatment}`)
    }
  }
})

t.test('each comparison takes the side of the threshold that it says', async (t) => {
  const sides = {
    GreaterThanOrEqualToThreshold: [O, A, A],
    GreaterThanThreshold: [O, O, A],
    LessThanThreshold: [A, O, O],
    LessThanOrEqualToThreshold: [A, A, O]
  }
  for (const [comparisonOperator, expected] of Object.entries(sides)) {
    const states = [0, 1, 2].map((value) => {
      const point = { at: START, value, sampleCount: 1 }
      return evaluate([{ at: START, point }], { ...rules(1, undefined, 'missing'), comparisonOperator }).state
    })
    t.strictSame(states, expected, comparisonOperator)
  }
})

t.test('percentiles of few values keep the state where the alarm says so', async (t) => {
  t.equal(samplesFor(99), 1_000)
  t.equal(samplesFor(50), 20)
  t.equal(samplesFor(10), 100)
  t.equal(samplesFor(100), undefined)
  const few = { ...rules(1, undefined, 'missing'), minSamples: 20 }
  t.equal(evaluate(slots('X'), few).state, undefined)
  t.equal(evaluate(slots('X'), { ...few, minSamples: 5 }).state, 'ALARM')
})

t.test('reasons in CloudWatch’s words', async (t) => {
  const reason = (text: string, n: number, m: number | undefined, treatment: MissingData = 'missing') => {
    const found = evaluate(slots(text), rules(n, m, treatment))
    return reasonFor(found.state ?? 'OK', found, rules(n, m, treatment))
  }
  t.equal(
    reason('00X', 1, undefined),
    'Threshold Crossed: 1 datapoint [2.0 (02/01/26 03:02:00)] was greater than the threshold (1.0).'
  )
  t.equal(
    reason('XX', 2, 2),
    'Threshold Crossed: 2 out of the last 2 datapoints [2.0 (02/01/26 03:01:00), 2.0 (02/01/26 03:00:00)] were greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition).'
  )
  t.equal(
    reason('X', 1, 1),
    'Threshold Crossed: 1 out of the last 1 datapoints [2.0 (02/01/26 03:00:00)] was greater than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).'
  )
  t.equal(
    reason('0', 1, undefined),
    'Threshold Crossed: 1 datapoint [0.0 (02/01/26 03:00:00)] was not greater than the threshold (1.0).'
  )
  t.equal(
    reason('000', 3, 2),
    'Threshold Crossed: 3 out of the last 3 datapoints [0.0 (02/01/26 03:02:00), 0.0 (02/01/26 03:01:00), 0.0 (02/01/26 03:00:00)] were not greater than the threshold (1.0) (minimum 2 datapoints for ALARM -> OK transition).'
  )
  const listed = [6, 5, 4, 3, 2].map((minute) => `2.0 (02/01/26 03:0${minute}:00)`).join(', ')
  t.equal(
    reason('XXXXXXX', 7, 5),
    `Threshold Crossed: 7 out of the last 7 datapoints were greater than the threshold (1.0). The most recent datapoints which crossed the threshold: [${listed}] (minimum 5 datapoints for OK -> ALARM transition).`
  )
  t.equal(
    reason('----', 2, undefined, 'breaching'),
    'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].'
  )
  t.equal(
    reason('---', 1, undefined, 'notBreaching'),
    'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].'
  )
  t.equal(reason('---', 1, undefined), 'Insufficient Data: 1 datapoint was unknown.')
  t.equal(reason('-----', 3, undefined), 'Insufficient Data: 3 datapoints were unknown.')
})

t.test('numbers as Java writes them', async (t) => {
  const texts = [1, 0, -2, 21.5, 0.05, 1e7, 123_456_789, 0.0005, 9_999_999].map(javaDouble)
  t.strictSame(texts, ['1.0', '0.0', '-2.0', '21.5', '0.05', '1.0E7', '1.23456789E8', '5.0E-4', '9999999.0'])
})

t.test('StateReasonData has what was looked at, and fits', async (t) => {
  const facts = { queriedAt: START + 180_001, statistic: 'Sum', unit: undefined, period: 60 }
  const found = evaluate(slots('--X'), rules(2, undefined, 'missing'))
  t.equal(
    reasonDataFor(found, rules(2, undefined, 'missing'), facts),
    '{"version":"1.0","queryDate":"2026-01-02T03:03:00.001+0000","startDate":"2026-01-02T03:02:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[2.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-02T03:02:00.000+0000","sampleCount":5.0,"value":2.0},{"timestamp":"2026-01-02T03:01:00.000+0000"}]}'
  )
  const many = evaluate(slots('X'.repeat(1_440)), rules(1_440, undefined, 'missing'))
  const text = reasonDataFor(many, rules(1_440, undefined, 'missing'), facts)
  t.ok(text.length <= 4_000, `${text.length} characters`)
  t.match(JSON.parse(text), { threshold: 1, evaluatedDatapoints: [{ value: 2 }] })
})
