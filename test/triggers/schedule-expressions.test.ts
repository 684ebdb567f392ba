// When schedules are due: AWS's syntax, time zones, and clocks that are put forward and back.
import { nextTimes, parseScheduleExpression } from '@hearth/shared'
import t from 'tap'

const times = (text: string, from: string, count: number, timeZone = 'UTC', anchor = from): readonly string[] => {
  const schedule = parseScheduleExpression(text, { timeZone, anchor: Date.parse(anchor), fromAnchor: false })
  return nextTimes(schedule, Date.parse(from), count).map((at) => new Date(at).toISOString().slice(0, 16))
}

t.test('cron', async (t) => {
  const from = '2026-11-28T14:30:00Z'
  const table: readonly (readonly [string, readonly string[]])[] = [
    ['cron(0 10 * * ? *)', ['2026-11-29T10:00', '2026-11-30T10:00']],
    ['cron(15 12 ? * 1 *)', ['2026-11-29T12:15', '2026-12-06T12:15']],
    ['cron(0 18 ? * MON-FRI *)', ['2026-11-30T18:00', '2026-12-01T18:00']],
    ['cron(0/15 * * * ? *)', ['2026-11-28T14:45', '2026-11-28T15:00']],
    ['cron(1/10 * * * ? *)', ['2026-11-28T14:31', '2026-11-28T14:41']],
    ['cron(0 8 1 * ? *)', ['2026-12-01T08:00', '2027-01-01T08:00']],
    ['cron(0 8 L * ? *)', ['2026-11-30T08:00', '2026-12-31T08:00']],
    ['cron(0 8 15W * ? *)', ['2026-12-15T08:00', '2027-01-15T08:00']],
    ['cron(0 8 ? * 6L *)', ['2026-12-25T08:00', '2027-01-29T08:00']],
    ['cron(0 8 ? * 2#1 *)', ['2026-12-07T08:00', '2027-01-04T08:00']],
    ['cron(0 8 ? * TUE#2 *)', ['2026-12-08T08:00', '2027-01-12T08:00']],
    ['cron(0 8 ? * L *)', ['2026-12-05T08:00', '2026-12-12T08:00']],
    ['cron(30 14 28 11 ? 2026-2028)', ['2027-11-28T14:30', '2028-11-28T14:30']],
    ['cron(0 0 1 jan ? 2027/2)', ['2027-01-01T00:00', '2029-01-01T00:00']],
    ['cron(0 0 29 2 ? *)', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['cron(0 9,17 ? JAN,MAR 2,4 *)', ['2027-01-04T09:00', '2027-01-04T17:00']],
    ['cron(0 0 1 1 ? 2020)', []]
  ]
  for (const [text, wanted] of table) t.strictSame(times(text, from, 2), wanted, text)
})

t.test('clocks that are put forward: what they leave out is left out', async (t) => {
  const zone = 'America/New_York'
  // 2027-03-14 02:00 becomes 03:00.
  t.strictSame(times('cron(30 2 * * ? *)', '2027-03-12T12:00:00Z', 3, zone), [
    '2027-03-13T07:30',
    '2027-03-15T06:30',
    '2027-03-16T06:30'
  ])
  t.strictSame(times('cron(30 * * * ? *)', '2027-03-14T05:45:00Z', 3, zone), [
    '2027-03-14T06:30',
    '2027-03-14T07:30',
    '2027-03-14T08:30'
  ])
  t.strictSame(times('cron(30 2,3 14 3 ? *)', '2027-03-14T05:45:00Z', 1, zone), ['2027-03-14T07:30'])
  t.throws(() => times('at(2027-03-14T02:30:00)', '2027-01-01T00:00:00Z', 1, zone), {
    code: 'INVALID_SCHEDULE',
    message: /there is no such time/
  })
})

t.test('clocks that are put back: a time of day comes once, every hour comes twice', async (t) => {
  const zone = 'America/New_York'
  // 2027-11-07 02:00 becomes 01:00.
  t.strictSame(times('cron(30 1 * * ? *)', '2027-11-06T12:00:00Z', 2, zone), ['2027-11-07T05:30', '2027-11-08T06:30'])
  t.strictSame(times('cron(30 * * * ? *)', '2027-11-07T04:45:00Z', 3, zone), [
    '2027-11-07T05:30',
    '2027-11-07T06:30',
    '2027-11-07T07:30'
  ])
  t.strictSame(times('at(2027-11-07T01:30:00)', '2027-01-01T00:00:00Z', 2, zone), ['2027-11-07T05:30'])
})

t.test('rate and at', async (t) => {
  t.strictSame(times('rate(5 minutes)', '2026-01-01T00:07:00Z', 2, 'UTC', '2026-01-01T00:01:00Z'), [
    '2026-01-01T00:11',
    '2026-01-01T00:16'
  ])
  t.strictSame(times('rate(1 hour)', '2026-01-01T00:00:00Z', 1), ['2026-01-01T01:00'])
  // A day has 24 hours whatever clocks do.
  t.strictSame(times('rate(1 day)', '2027-03-13T12:00:00Z', 2, 'America/New_York'), [
    '2027-03-14T12:00',
    '2027-03-15T12:00'
  ])
  t.strictSame(times('at(2026-07-01T12:00:00)', '2026-01-01T00:00:00Z', 2, 'Europe/Berlin'), ['2026-07-01T10:00'])
  t.strictSame(times('at(2026-07-01T12:00:00)', '2026-07-01T12:00:00Z', 2), [])
  const anchor = Date.parse('2026-05-01T00:00:00Z')
  const fromStart = parseScheduleExpression('rate(2 days)', { timeZone: 'UTC', anchor, fromAnchor: true })
  t.equal(fromStart.next(anchor - 1), anchor, 'a start date is the first time')
  t.equal(fromStart.next(anchor), anchor + 2 * 86_400_000)
})

t.test('mistakes', async (t) => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['rate(1 minutes)', /wants minute\./],
    ['rate(5 minute)', /wants minutes\./],
    ['rate(0 minutes)', /greater than 0/],
    ['rate(-1 minutes)', /wants a number/],
    ['rate(5 weeks)', /wants a number/],
    ['rate(5)', /wants a number/],
    ['cron(0 10 * * *)', /6 fields .* not 5/],
    ['cron(0 10 * * * *)', /must be \?/],
    ['cron(0 10 ? * ? *)', /must be \?/],
    ['cron(60 10 * * ? *)', /minutes cannot be 60/],
    ['cron(0 24 * * ? *)', /hours cannot be 24/],
    ['cron(0 0 32 * ? *)', /day-of-month cannot be 32/],
    ['cron(0 0 ? 13 1 *)', /month cannot be 13/],
    ['cron(0 0 ? * 0 *)', /day-of-week cannot be 0/],
    ['cron(0 0 ? * 8 *)', /day-of-week cannot be 8/],
    ['cron(0 0 ? * MON#6 *)', /day-of-week cannot be MON#6/],
    ['cron(0 0 1 1 ? 1969)', /year cannot be 1969/],
    ['cron(5-1 0 1 1 ? *)', /minutes cannot be 5-1/],
    ['cron(*/0 0 1 1 ? *)', /minutes cannot be \*\/0/],
    ['cron(? 0 1 1 ? *)', /minutes cannot be \?/],
    ['at(2026-02-30T00:00:00)', /at wants a time/],
    ['at(tomorrow)', /at wants a time/],
    ['every(5 minutes)', /none of rate/],
    ['', /none of rate/]
  ]
  for (const [text, message] of table) {
    t.throws(() => times(text, '2026-01-01T00:00:00Z', 1), { code: 'INVALID_SCHEDULE', message }, text)
  }
  for (const zone of ['Mars/Olympus', '+01:00', '', '../etc']) {
    t.throws(
      () => times('rate(5 minutes)', '2026-01-01T00:00:00Z', 1, zone),
      { code: 'INVALID_SCHEDULE', message: /There is no time zone/ },
      zone
    )
  }
})

t.test('in any zone, every time of a daily schedule is that time of day, and later than the one before', async (t) => {
  for (const timeZone of [
    'Europe/Berlin',
    'America/Sao_Paulo',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca'
  ]) {
    const anchor = Date.parse('2026-01-01T00:00:00Z')
    const schedule = parseScheduleExpression('cron(30 2 * * ? *)', { timeZone, anchor, fromAnchor: false })
    const found = nextTimes(schedule, anchor, 400)
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' })
    t.ok(
      found.every((at) => clock.format(at) === '02:30'),
      timeZone
    )
    t.equal(
      new Set(found.map((at) => new Intl.DateTimeFormat('en-GB', { timeZone }).format(at))).size,
      found.length,
      timeZone
    )
    t.ok(
      found.every((at, i) => i === 0 || at > found[i - 1]!),
      timeZone
    )
  }
})
