// Alarms over time and over restarts, with a clock that the test moves: real databases, and a gateway that comes and goes.
import path from 'node:path'
import { createAlarms } from '@hearth/control-plane/internal/alarms/alarms'
import { createTargets } from '@hearth/control-plane/internal/outbox/to-target'
import { createAlarmsRepository, createSecretBox, openStore, openTelemetry } from '@hearth/store'
import t from 'tap'
import { eventually, ROOT } from '../helpers/hearth.ts'

const SCOPE = { region: 'us-east-1', accountId: '000000000000' }
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:pager'
const MINUTE = 60_000
const dir = t.testdir()
const migrationsDir = path.join(ROOT, 'migrations')
let now = Date.UTC(2026, 0, 2, 3, 0, 5)
const clock = () => new Date(now)
const telemetry = openTelemetry({
  file: path.join(dir, 'telemetry.db'),
  migrationsDir: path.join(migrationsDir, 'telemetry'),
  now: clock
})
t.teardown(() => telemetry.close())

/** What the gateway does with what it is given: takes it, refuses it, or is not there. */
let gateway: 'takes' | 'refuses' | 'away' = 'takes'
const calls: { readonly eventId: string; readonly payload: string }[] = []
const events: { readonly id: string; readonly detailType: string; readonly detail: object }[] = []
const invoker = {
  async invoke({ eventId, payload }: { eventId: string; payload: string }) {
    calls.push({ eventId, payload })
    if (gateway === 'away') throw new Error('it cannot be reached')
    if (gateway === 'takes') return { status: 'accepted' as const }
    return { status: 'refused' as const, code: 'FUNCTION_NOT_FOUND' as const, message: 'Function not found' }
  },
  check: async () => ({ status: 'accepted' as const }),
  async putEvent(event: (typeof events)[number]) {
    events.push(event)
  }
}

/** As a control plane has them that starts now. */
function open() {
  const db = openStore(path.join(dir, 'hearth.db'), migrationsDir, { now: clock })
  const repository = createAlarmsRepository(db, createSecretBox([Buffer.alloc(32, 1)]))
  const problems: unknown[] = []
  const alarms = createAlarms({
    repository,
    metrics: telemetry.metrics,
    invoker,
    scope: SCOPE,
    now: clock,
    exclusively: (work) => work(),
    targets: createTargets({ invoker, networks: [], now: clock }),
    onResult: () => undefined,
    onError: (err) => void problems.push(err)
  })
  return {
    ...alarms,
    problems,
    repository,
    async close() {
      await alarms.close()
      db.close()
    },
    status: () => alarms.service.get('errors').status,
    history: (type: string) =>
      alarms.service.history({ alarm: 'errors', type, isAscending: true, limit: 100 }).map(({ summary }) => summary)
  }
}

const key = { namespace: 'AWS/Lambda', name: 'Errors', dimensions: [['FunctionName', 'f']] as const }
const measure = (value: number, minutesAgo = 1) => {
  const at = Math.floor(now / MINUTE) * MINUTE - minutesAgo * MINUTE
  const values = { count: 1, sum: value, min: value, max: value }
  telemetry.metrics.put([{ key, at, unit: 'Count', values }])
}
const settings = (more: object = {}) => ({
  type: 'MetricAlarm' as const,
  actionsEnabled: true,
  okActions: [],
  alarmActions: [FUNCTION],
  insufficientDataActions: [],
  metric: key,
  stat: 'Sum',
  period: 60,
  evaluationPeriods: 1,
  threshold: 1,
  comparisonOperator: 'GreaterThanOrEqualToThreshold',
  treatMissingData: 'notBreaching',
  ...more
})

t.test('minutes pass, the server too: each change of state is told once', async (t) => {
  let server = open()
  server.service.put('errors', settings(), {})
  await server.evaluator.round('all')
  t.equal(server.status().value, 'OK')
  now += MINUTE
  measure(2)
  await server.evaluator.round('all')
  t.match(server.status(), {
    value: 'ALARM',
    reason:
      'Threshold Crossed: 1 datapoint [2.0 (02/01/26 03:00:00)] was greater than or equal to the threshold (1.0).',
    transitionedAt: now
  })
  await eventually(() => calls.length === 1 && events.length === 2)
  t.match(events.at(-1), {
    detailType: 'CloudWatch Alarm State Change',
    detail: { state: { value: 'ALARM' }, previousState: { value: 'OK' } }
  })
  await server.close()

  server = open()
  now += 1_000
  await server.evaluator.round('all')
  t.strictSame(server.history('StateUpdate').length, 2, 'a restart repeats nothing')
  await server.close()

  // Away for an hour with errors in most minutes: what counts is how it is now.
  for (let minute = 0; minute < 60; minute++) {
    now += MINUTE
    measure(minute % 2)
  }
  now += 10 * MINUTE
  server = open()
  server.start()
  await eventually(() => server.status().value === 'OK')
  await eventually(() => events.length === 3)
  t.strictSame(server.history('StateUpdate'), [
    'Alarm updated from INSUFFICIENT_DATA to OK',
    'Alarm updated from OK to ALARM',
    'Alarm updated from ALARM to OK'
  ])
  t.equal(calls.length, 1)
  t.strictSame(server.problems, [])
  await server.close()
})

t.test('an action that is not taken is tried again with the same id, after a restart too', async (t) => {
  calls.length = 0
  gateway = 'away'
  let server = open()
  now += MINUTE
  measure(5)
  await server.evaluator.round('all')
  await eventually(() => calls.length === 1 && server.repository.nextSendingAt() !== now)
  t.strictSame(server.history('Action'), [`Successfully executed action ${FUNCTION}`], 'nothing is said of it yet')
  await server.close()
  gateway = 'takes'
  now += 2_000
  server = open()
  server.start()
  await eventually(() => server.history('Action').length === 2)
  t.equal(calls.length, 2)
  t.equal(calls[0]?.eventId, calls[1]?.eventId)
  t.equal(server.repository.nextSendingAt(), undefined, 'the outbox is empty')

  gateway = 'refuses'
  server.service.setState('errors', { value: 'OK', reason: 'x', reasonData: undefined })
  server.service.setState('errors', { value: 'ALARM', reason: 'x', reasonData: undefined })
  await eventually(() => server.history('Action').length === 3)
  t.equal(server.history('Action')[2], `Failed to execute action ${FUNCTION}. Received error: "Function not found"`)
  t.equal(calls.length, 3, 'what is refused is not tried again')
  await server.close()
})

t.test('periods move by the minute; short ones by ten seconds', async (t) => {
  gateway = 'takes'
  const server = open()
  now = Date.UTC(2026, 0, 3, 12, 3, 5)
  // Twelve in five minutes that begin at no multiple of five.
  for (let minute = 5; minute >= 1; minute--) measure(minute === 3 ? 8 : 1, minute)
  server.service.put('errors', settings({ period: 300, threshold: 12 }), {})
  await server.evaluator.round('all')
  t.match(server.status(), { value: 'ALARM', reason: /1 datapoint \[12\.0 \(03\/01\/26 11:58:00\)\]/ })

  const at = Math.floor(now / 10_000) * 10_000 - 10_000
  const fast = { ...key, name: 'Fast' }
  const values = { count: 1, sum: 3, min: 3, max: 3 }
  telemetry.metrics.put([{ key: fast, at: at + 4_000, unit: 'None', resolution: 1, values }])
  server.service.put('fast', settings({ metric: fast, period: 10 }), {})
  await server.evaluator.round('short')
  t.match(server.service.get('fast').status, { value: 'ALARM', reason: /\[3\.0 \(03\/01\/26 12:02:50\)\]/ })
  t.strictSame(server.problems, [])
  await server.close()
})

t.test('thousands of alarms do not hold up anything else', async (t) => {
  const server = open()
  const db = openStore(path.join(dir, 'hearth.db'), migrationsDir, { now: clock })
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO alarms SELECT 'many-' || i, 'many-' || i, type, settings, tags, state, reason, reason_data, updated_at,
      transitioned_at, configured_at FROM n, alarms WHERE name = 'errors'`)
  db.close()
  let longest = 0
  let last = performance.now()
  let isOver = false
  const watch = (): void => {
    const at = performance.now()
    longest = Math.max(longest, at - last)
    last = at
    if (!isOver) setImmediate(watch)
  }
  watch()
  const began = performance.now()
  await server.evaluator.round('all')
  isOver = true
  t.comment(`${Math.round(performance.now() - began)} ms for 3,000 alarms, ${Math.round(longest)} ms at once`)
  t.ok(longest < 500, `${longest} ms`)
  await server.close()
})
