// Events on buses and schedules, from the request or the clock to the function.
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { EventArchive, EventReplay, EventRule, EventTarget, Schedule } from '@hearth/shared'
import t from 'tap'
import { testClock } from './events.ts'
import { ADMIN, ask, type Harness, outcome, record, startGateway, textOf, until } from './harness.ts'
import { signed } from './signed.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const RULES = 'arn:aws:events:us-east-1:000000000000:rule'
const MINUTE = 60_000

const rule = (name: string, changes: Partial<EventRule>): EventRule => ({
  bus: 'default',
  name,
  id: randomUUID(),
  pattern: undefined,
  schedule: undefined,
  isEnabled: true,
  description: undefined,
  roleArn: undefined,
  tags: {},
  anchor: 0,
  activeFrom: 0,
  createdAt: 0,
  ...changes
})

const target = (functionName: string, changes: Partial<EventTarget> = {}): EventTarget => ({
  id: functionName,
  arn: `${ARN}:${functionName}`,
  activeFrom: 0,
  ...changes
})

function put({ rules }: Harness, one: EventRule, ...targets: readonly EventTarget[]): void {
  rules.putRule(one)
  for (const each of targets) rules.putTarget(one.bus, one.name, each)
}

function permit({ policies }: Harness, functionName: string, service: string, sourceArn: string): void {
  const statement = {
    Sid: 's',
    Effect: 'Allow' as const,
    Principal: { Service: service },
    Action: 'lambda:InvokeFunction',
    Resource: `${ARN}:${functionName}`,
    Condition: { ArnLike: { 'AWS:SourceArn': sourceArn } }
  }
  policies.put(functionName, '', { statements: [statement], revisionId: randomUUID() })
}

/** What functions were given, in the order in which they got it. */
function listen({ executor }: Harness) {
  const seen: {
    readonly fn: string
    readonly event: unknown
    readonly id: string
    readonly context: string
    readonly trace: string
  }[] = []
  executor.behaviour = ({ payload, requestId, clientContext, traceId }, { name }) => {
    seen.push({
      fn: name,
      event: JSON.parse(payload.toString()),
      id: requestId,
      context: clientContext,
      trace: traceId
    })
    return outcome('null')
  }
  return seen
}

async function putEvents(port: number, body: unknown, headers: Record<string, string> = {}) {
  const answer = await ask(port, '/', {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'x-amz-target': 'AWSEvents.PutEvents', 'content-type': 'application/x-amz-json-1.1', ...headers }
  })
  return {
    ...answer,
    json: JSON.parse(answer.body) as { Entries: Record<string, string>[]; FailedEntryCount: number } & Record<
      string,
      string
    >
  }
}

const ORDER = { Source: 'com.example.shop', DetailType: 'OrderPlaced', Detail: '{"orderId":"o-17","total":42.50}' }

t.test('an event reaches the targets of the rules that want it', async (t) => {
  const gateway = await startGateway(t, {
    functions: ['all', 'part', 'made', 'fixed', 'other'].map((name) => record(name))
  })
  const seen = listen(gateway)
  const pattern = JSON.stringify({ source: ['com.example.shop'], detail: { total: [{ numeric: ['>', 40] }] } })
  const template = '{"who": "order <id>", "total": <total>, "rule": <aws.events.rule-name>, "gone": <gone>}'
  put(
    gateway,
    rule('orders', { pattern }),
    target('all'),
    target('part', { inputPath: '$.detail' }),
    target('made', {
      inputTransformer: { paths: { id: '$.detail.orderId', total: '$.detail.total', gone: '$.x' }, template }
    }),
    target('fixed', { input: '{"a":1}' })
  )
  put(gateway, rule('off', { pattern, isEnabled: false }), target('other'))
  put(gateway, rule('cheap', { pattern: '{"detail":{"total":[{"numeric":["<",40]}]}}' }), target('other'))
  for (const name of ['all', 'part', 'made', 'fixed', 'other'])
    permit(gateway, name, 'events.amazonaws.com', `${RULES}/*`)

  const { status, json, headers } = await putEvents(gateway.port, {
    Entries: [
      { ...ORDER, Time: 1_764_003_186.9, Resources: ['arn:x'] },
      { ...ORDER, EventBusName: 'nowhere' },
      { ...ORDER, Detail: '{' }
    ]
  })
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/x-amz-json-1.1')
  t.equal(json.FailedEntryCount, 2)
  t.match(json.Entries, [
    { EventId: /^[0-9a-f-]{36}$/ },
    { ErrorCode: 'InvalidArgument', ErrorMessage: 'Event bus nowhere does not exist.' },
    { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }
  ])
  await until('four events', () => seen.length === 4)
  const given = Object.fromEntries(seen.map(({ fn, event }) => [fn, event]))
  t.strictSame(given['all'], {
    version: '0',
    id: json.Entries[0]!['EventId'],
    'detail-type': 'OrderPlaced',
    source: 'com.example.shop',
    account: '000000000000',
    time: '2025-11-24T16:53:06Z',
    region: 'us-east-1',
    resources: ['arn:x'],
    detail: { orderId: 'o-17', total: 42.5 }
  })
  t.strictSame(given['part'], { orderId: 'o-17', total: 42.5 })
  t.strictSame(given['made'], { who: 'order o-17', total: 42.5, rule: 'orders', gone: null })
  t.strictSame(given['fixed'], { a: 1 })

  // A rule that was made this moment counts for the very next event.
  put(gateway, rule('late', { pattern: '{"source":["late"]}' }), target('other'))
  await putEvents(gateway.port, { Entries: [{ ...ORDER, Source: 'late' }] })
  await until('a fifth', () => seen.length === 5)
  t.equal(seen[4]!.fn, 'other')
})

t.test('what a target may not have goes to its dead-letter target, or nowhere', async (t) => {
  const gateway = await startGateway(t, { functions: ['shut', 'letters', 'elsewhere'].map((name) => record(name)) })
  const seen = listen(gateway)
  put(
    gateway,
    rule('r', { pattern: '{"source":["com.example.shop"]}' }),
    target('shut', { deadLetterArn: `${ARN}:letters` }),
    target('gone', { deadLetterArn: `${ARN}:letters` }),
    target('elsewhere')
  )
  permit(gateway, 'letters', 'events.amazonaws.com', `${RULES}/r`)
  // For another rule, and by another service.
  permit(gateway, 'shut', 'events.amazonaws.com', `${RULES}/s`)
  permit(gateway, 'elsewhere', 's3.amazonaws.com', `${RULES}/r`)
  t.match(await putEvents(gateway.port, { Entries: [ORDER] }), { json: { FailedEntryCount: 0 } })
  await until('two letters', () => seen.length === 2)
  await putEvents(gateway.port, { Entries: [{ ...ORDER, Source: 'unheard' }] })
  t.strictSame(
    seen.map(({ fn }) => fn),
    ['letters', 'letters']
  )
  t.match(
    seen.map(({ context }) => JSON.parse(context) as { custom: object }),
    [
      { custom: { TARGET_ARN: `${ARN}:gone`, ERROR_CODE: 'NO_RESOURCE' } },
      { custom: { RULE_ARN: `${RULES}/r`, TARGET_ARN: `${ARN}:shut`, ERROR_CODE: 'NO_PERMISSIONS' } }
    ]
  )
  t.match(seen[0]!.event, { detail: { orderId: 'o-17' } })
})

t.test('requests that cannot be are refused as a whole, entries one by one', async (t) => {
  const { port } = await startGateway(t)
  for (const [body, type, message] of [
    ['{', 'SerializationException', /not JSON/],
    [{}, 'ValidationException', /'entries'.*must not be null/],
    [{ Entries: [] }, 'ValidationException', /greater than or equal to 1/],
    [{ Entries: Array(11).fill(ORDER) }, 'ValidationException', /less than or equal to 10/],
    [{ Entries: [5] }, 'SerializationException', /must be an object/],
    [
      { Entries: [{ ...ORDER, Detail: JSON.stringify({ x: 'x'.repeat(262_144) }) }] },
      'ValidationException',
      /Total size/
    ]
  ] as const) {
    const answer = await putEvents(port, body)
    t.equal(answer.status, 400, type)
    t.equal(answer.json['__type'], type)
    t.match(answer.json['message'], message)
  }
  const entries: readonly (readonly [object, string])[] = [
    [{ ...ORDER, Source: undefined }, 'InvalidArgument'],
    [{ ...ORDER, DetailType: '' }, 'InvalidArgument'],
    [{ ...ORDER, Detail: null }, 'InvalidArgument'],
    [{ ...ORDER, Detail: '[]' }, 'MalformedDetail'],
    [{ ...ORDER, Detail: `${'{"a":'.repeat(200)}1${'}'.repeat(200)}` }, 'MalformedDetail'],
    [{ ...ORDER, Source: 'aws.ec2' }, 'NotAuthorizedForSource'],
    [{ ...ORDER, Time: 'tomorrow' }, 'InvalidArgument'],
    [{ ...ORDER, Resources: 'x' }, 'InvalidArgument'],
    [{ ...ORDER, EventBusName: 5 }, 'InvalidArgument']
  ]
  const answer = await putEvents(port, { Entries: entries.map(([entry]) => entry) })
  t.strictSame(
    answer.json.Entries.map(({ ErrorCode }) => ErrorCode),
    entries.map(([, code]) => code)
  )
  const stranger = await ask(port, '/', { body: '{}', auth: false, headers: { 'x-amz-target': 'AWSEvents.PutEvents' } })
  t.equal(stranger.status, 400)
  t.match(JSON.parse(stranger.body), { __type: 'MissingAuthenticationTokenException' })
})

t.test('archives keep what they want, and replays send it again', async (t) => {
  const clock = testClock()
  const reports: { archives: { id: string; events: number }[]; replays: { id: string; state: string }[] }[] = []
  const controlPlane = http.createServer((req, res) => {
    void textOf(req).then((body) => {
      if (req.url === '/internal/archives') reports.push(JSON.parse(body) as (typeof reports)[number])
      res.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => controlPlane.listen(0, '127.0.0.1', resolve))
  t.teardown(() => controlPlane.close())
  const { port: controlPort } = controlPlane.address() as AddressInfo
  const gateway = await startGateway(t, { clock, controlPort, functions: [record('live'), record('again')] })
  const seen = listen(gateway)
  put(gateway, rule('live', { pattern: '{"source":["com.example.shop"]}' }), target('live'))
  put(gateway, rule('again', { pattern: '{"replay-name":["r"]}' }), target('again'))
  for (const name of ['live', 'again']) permit(gateway, name, 'events.amazonaws.com', `${RULES}/${name}`)
  const archive = (name: string, changes: Partial<EventArchive> = {}): EventArchive => ({
    name,
    id: name,
    bus: 'default',
    pattern: undefined,
    description: undefined,
    retentionDays: 0,
    createdAt: 0,
    ...changes
  })
  gateway.archives.put(archive('all'))
  gateway.archives.put(archive('some', { pattern: '{"detail":{"n":[{"numeric":["<",10]}]}}', retentionDays: 1 }))
  gateway.rules.putBus({ name: 'b', description: undefined, tags: {}, createdAt: 0, modifiedAt: 0 })
  gateway.archives.put(archive('elsewhere', { bus: 'b' }))

  const start = clock.now()
  for (let n = 0; n < 120; n += 10) {
    const Entries = Array.from({ length: 10 }, (_, i) => ({
      ...ORDER,
      Detail: JSON.stringify({ n: n + i }),
      Time: start / 1_000 + n + i
    }))
    t.equal((await putEvents(gateway.port, { Entries })).json.FailedEntryCount, 0)
  }
  await until('all of them', () => seen.length === 120)
  const contents = (id: string) => reports.at(-1)?.archives.find((one) => one.id === id)?.events
  const passing = async (what: string, ms: number, condition: () => boolean) =>
    await until(what, () => {
      if (clock.nextIn() <= ms) clock.pass(ms)
      return condition()
    })
  await passing('the report', 1_000, () => contents('all') === 120)
  t.equal(contents('some'), 10)
  t.equal(contents('elsewhere'), undefined)

  const replay = (id: string, changes: Partial<EventReplay> = {}): EventReplay => ({
    name: 'r',
    id,
    archive: 'all',
    archiveId: 'all',
    bus: 'default',
    rules: [`${RULES}/again`],
    eventsFrom: start + 5_000,
    eventsUntil: start + 114_000,
    state: 'STARTING',
    reason: undefined,
    lastEventAt: undefined,
    startedAt: 0,
    endedAt: undefined,
    ...changes
  })
  gateway.archives.putReplay(replay('first'))
  const stateOf = (id: string) => reports.at(-1)?.replays.find((one) => one.id === id)?.state
  await until('a batch', () => seen.length === 220)
  await until('it is told', () => stateOf('first') === 'RUNNING')
  t.equal(seen.length, 220, 'the next batch waits')
  await passing('the end', 1_000, () => stateOf('first') === 'COMPLETED')
  const again = seen.slice(120)
  t.strictSame(
    again.map(({ event }) => (event as { detail: { n: number } }).detail.n).sort((a, b) => a - b),
    Array.from({ length: 110 }, (_, i) => i + 5)
  )
  t.ok(again.every(({ fn, event }) => fn === 'again' && (event as Record<string, unknown>)['replay-name'] === 'r'))
  t.equal(contents('all'), 120, 'what is replayed is not kept again')

  gateway.archives.putReplay(replay('second', { name: 's', archive: 'some', archiveId: 'some', state: 'CANCELLING' }))
  await until('it is cancelled', () => stateOf('second') === 'CANCELLED')
  t.equal(seen.length, 230)
  clock.pass(86_400_000)
  await passing('the oldest are gone', 60_000, () => contents('some') === 0)
  t.equal(contents('all'), 120)
  gateway.archives.remove('all')
  await passing('the archive is gone', 1_000, () => contents('all') === undefined)
})

t.test('a function that puts the event that starts it is stopped', async (t) => {
  const gateway = await startGateway(t)
  put(gateway, rule('loop', { pattern: '{"source":["com.example.shop"]}' }), target('hello'))
  permit(gateway, 'hello', 'events.amazonaws.com', `${RULES}/loop`)
  let calls = 0
  gateway.executor.behaviour = ({ traceId }) => {
    calls += 1
    // As AWS's client does inside of a function, whatever the entry itself says of a trace.
    const headers = [{}, { TraceHeader: 'Root=1-6745a1b2-0123456789abcdef01234567' }, { TraceHeader: 'none' }]
    const own = headers[calls % 3]!
    void putEvents(gateway.port, { Entries: [{ ...ORDER, ...own }] }, { 'x-amzn-trace-id': traceId })
    return outcome('null')
  }
  await putEvents(gateway.port, { Entries: [ORDER] })
  const failed = async () => (await ask(gateway.port, '/v1/functions/hello/invocations?status=failed')).body
  for (let i = 0; i < 500 && !(await failed()).includes('RecursiveInvocationDetected'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.match(await failed(), 'RecursiveInvocationDetected')
  t.equal(calls, 16)
})

const schedule = (now: number, changes: Partial<Schedule>): Schedule => ({
  group: 'default',
  name: 's',
  id: randomUUID(),
  expression: 'rate(5 minutes)',
  timeZone: 'UTC',
  isEnabled: true,
  deletesItself: false,
  target: { arn: `${ARN}:hello` },
  anchor: now,
  activeFrom: now,
  createdAt: now,
  modifiedAt: now,
  ...changes
})

t.test('schedules fire when they are due, once each', async (t) => {
  const clock = testClock()
  const start = clock.now()
  const gateway = await startGateway(t, {
    clock,
    attached: false,
    functions: ['hello', 'ruled'].map((name) => record(name))
  })
  const seen = listen(gateway)
  const hasTimers = async (ms: number) => await until('a timer', () => clock.nextIn() <= ms)
  permit(gateway, 'hello', 'scheduler.amazonaws.com', 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/*')
  permit(gateway, 'ruled', 'events.amazonaws.com', `${RULES}/each`)
  put(
    gateway,
    rule('each', { schedule: 'rate(1 minute)', anchor: start, activeFrom: start }),
    target('ruled', { activeFrom: start })
  )
  gateway.schedules.put(schedule(start, { name: 'plain' }))
  gateway.schedules.put(schedule(start, { name: 'off', isEnabled: false }))
  gateway.schedules.put(schedule(start, { name: 'over', endAt: start + MINUTE }))
  gateway.schedules.put(
    schedule(start, {
      name: 'once',
      expression: `at(${new Date(start + 2 * MINUTE).toISOString().slice(0, 19)})`,
      target: { arn: `${ARN}:hello`, input: '{"at":"<aws.scheduler.scheduled-time>"}' }
    })
  )
  gateway.attach()
  await hasTimers(MINUTE)
  clock.pass(MINUTE)
  await until('the rule', () => seen.length === 1)
  const time = (after: number) => `${new Date(start + after).toISOString().slice(0, 19)}Z`
  t.match(seen[0], {
    fn: 'ruled',
    event: {
      version: '0',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      time: time(MINUTE),
      resources: [`${RULES}/each`],
      detail: {}
    }
  })
  await hasTimers(MINUTE)
  clock.pass(MINUTE)
  await until('rule and schedule', () => seen.length === 3)
  t.strictSame(seen.find(({ fn }) => fn === 'hello')?.event, { at: time(2 * MINUTE) })
  await hasTimers(MINUTE)
  // The machine stood still: what was missed is made up for once.
  clock.pass(5 * MINUTE)
  await until('one each', () => seen.length === 5)
  t.match(seen.at(-1)!.fn === 'ruled' ? seen.slice(-2) : seen.slice(-2).reverse(), [
    {
      fn: 'hello',
      event: { source: 'aws.scheduler', 'detail-type': 'Scheduled Event', time: time(5 * MINUTE), detail: '{}' }
    },
    { fn: 'ruled', event: { time: time(7 * MINUTE) } }
  ])
  t.equal(new Set(seen.map(({ id }) => id)).size, seen.length, 'each is an event of its own')
  await hasTimers(MINUTE)
  clock.pass(MINUTE)
  await until('and on', () => seen.length === 6)
  t.match(seen[5], { fn: 'ruled', event: { time: time(8 * MINUTE) } })
})

t.test('a schedule invokes with the rights of its role, or not at all', async (t) => {
  const clock = testClock()
  const gateway = await startGateway(t, { clock, attached: false })
  const seen = listen(gateway)
  const now = clock.now()
  const make = (name: string, service: string, policy: string | undefined, ...more: readonly object[]): string => {
    const roleId = `AROA${name.toUpperCase().padEnd(17, 'X')}`
    gateway.roles.create({
      name,
      path: '/',
      roleId,
      trust: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }]
      }),
      description: undefined,
      maxSessionS: 3_600,
      tags: {},
      boundary: undefined,
      createdAt: new Date(now).toISOString(),
      sessionsFrom: new Date(0).toISOString()
    } as unknown as Parameters<typeof gateway.roles.create>[0])
    if (policy !== undefined) {
      const document = {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: policy }, ...more]
      }
      gateway.owned.putInline(roleId, 'p', JSON.stringify(document))
    }
    return `arn:aws:iam::000000000000:role/${name}`
  }
  const scheduler = 'scheduler.amazonaws.com'
  const roles = {
    good: make('good', scheduler, `${ARN}:hello`),
    stranger: make('stranger', 'lambda.amazonaws.com', `${ARN}:hello`),
    poor: make('poor', scheduler, undefined),
    late: make('late', scheduler, `${ARN}:hello`, {
      Effect: 'Deny',
      Action: '*',
      Resource: '*',
      Condition: { DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }
    }),
    absent: 'arn:aws:iam::000000000000:role/absent'
  }
  for (const [name, roleArn] of Object.entries(roles)) {
    gateway.schedules.put(
      schedule(now, {
        name,
        expression: 'rate(1 minute)',
        target: { arn: `${ARN}:hello`, roleArn, input: JSON.stringify(name) }
      })
    )
  }
  gateway.attach()
  for (let i = 1; i <= 2; i++) {
    await until('a timer', () => clock.nextIn() <= MINUTE)
    clock.pass(MINUTE)
    await until('the good one', () => seen.length === i)
  }
  t.strictSame(
    seen.map(({ event }) => event),
    ['good', 'good']
  )
})

t.test('a trigger tells how it is, and can be tried', async (t) => {
  const harness = await startGateway(t, { functions: [record('f')] })
  const { port } = harness
  const seen = listen(harness)
  put(harness, rule('orders', { pattern: '{"source":["shop"]}' }), target('f'))
  const url = '/v1/triggers/event/orders'
  const call = async (path: string, body?: string) => {
    const answer = await ask(port, path, body === undefined ? {} : { body })
    return { status: answer.status, json: JSON.parse(answer.body) as Record<string, unknown> }
  }
  const nothing = { fired: 0, failed: 0, skipped: 0, lagMs: null, problem: null, lastError: null, events: [] }
  t.same(await call(`${url}/status`), { status: 200, json: nothing })

  const sample = JSON.stringify({ source: 'shop', detailType: 'Order', detail: { n: 1 } })
  t.match(await call(`${url}/test`, sample), { status: 202, json: { matches: true, fired: [{ delivered: false }] } })
  t.match((await call(`${url}/status`)).json, { failed: 1, lastError: { error: { code: 'NO_PERMISSIONS' } } })
  permit(harness, 'f', 'events.amazonaws.com', `${RULES}/orders`)
  const tried = await call(`${url}/test`, sample)
  t.match(tried, { status: 202, json: { matches: true, fired: [{ function: `${ARN}:f`, delivered: true }] } })
  await until('the function has it', () => seen.length === 1)
  const [event] = seen
  t.match(event, { fn: 'f', event: { source: 'shop', 'detail-type': 'Order', detail: { n: 1 } } })
  t.match(tried.json['fired'], [{ requestId: event!.id }])
  t.match((await call(`${url}/status`)).json, { fired: 1, failed: 1, events: [{ requestId: event!.id, error: null }] })

  t.match(await call(`${url}/test`, '{"source":"other"}'), { status: 200, json: { matches: false, fired: [] } })
  t.equal(seen.length, 1)
  for (const body of ['{', '{"detail":[]}', '{"source":1}'])
    t.equal((await call(`${url}/test`, body)).status, 400, body)

  // Signed, and once under a key.
  const path = `${url}/test`
  const headers = signed(ADMIN, { method: 'POST', path, body: sample, port })
  t.equal((await ask(port, path, { body: sample, auth: false, headers })).status, 202)
  t.equal((await ask(port, path, { body: sample.replace('1', '2'), auth: false, headers })).status, 403, 'another body')
  const keyed = (body: string) => ask(port, path, { body, headers: { 'idempotency-key': 'k' } })
  const first = await keyed(sample)
  t.equal((await keyed(sample)).body, first.body, 'nothing is fired again')
  t.equal((await keyed(sample.replace('1', '2'))).status, 422)
  await until('two more', () => seen.length === 3)
  for (const path of ['status', 'test']) {
    const body = path === 'test' ? '{}' : undefined
    t.equal((await call(`/v1/triggers/event/none/${path}`, body)).status, 404)
    t.equal((await call(`/v1/triggers/schedule/orders/${path}`, body)).status, 404)
    t.equal((await call(`/v1/triggers/event/orders/${path}?bus=b`, body)).status, 404)
    t.equal((await call(`/v1/triggers/event/orders/${path}?bus=default`, body)).status, 200)
  }
})
