// Triggers in /v1: one resource with kinds, made of what AWS's APIs keep.
import t from 'tap'
import { ARN, SOURCE, startControlPlane } from './support.ts'

const EVENTS = 'arn:aws:events:us-east-1:000000000000'

t.test('triggers of both kinds', async (t) => {
  const now = new Date('2027-01-01T00:00:00Z')
  const plane = await startControlPlane(t, { now: () => now })
  for (const name of ['first', 'second']) t.equal((await plane.put(`${name}.mjs`, SOURCE)).statusCode, 201)
  const send = async (method: 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
    await plane.inject({ method, url: `/v1/triggers/${url}`, ...(payload === undefined ? {} : { payload }) })
  const permissionsOf = async (name: string) =>
    (await plane.get(`/v1/functions/${name}/permissions`)).json<{ items: { Sid: string; Condition: unknown }[] }>()
      .items

  const event = { function: 'first', pattern: { source: ['shop'] }, inputPath: '$.detail', description: 'orders' }
  const made = await send('PUT', 'event/orders', event)
  t.equal(made.statusCode, 201)
  t.match(made.json(), {
    kind: 'event',
    name: 'orders',
    arn: `${EVENTS}:rule/orders`,
    functions: [`${ARN}:function:first`],
    enabled: true,
    pattern: { source: ['shop'] },
    inputPath: '$.detail'
  })
  t.match(await permissionsOf('first'), [
    {
      Sid: 'hearth-event-orders',
      Principal: { Service: 'events.amazonaws.com' },
      Condition: { ArnLike: { 'AWS:SourceArn': `${EVENTS}:rule/orders` } }
    }
  ])
  t.equal((await send('PUT', 'event/orders', { ...event, function: 'second', inputPath: null })).statusCode, 200)
  t.strictSame(await permissionsOf('first'), [], 'who is not started any more is not let in any more')
  t.equal((await permissionsOf('second')).length, 1)
  t.match((await send('PATCH', 'event/orders', { enabled: false })).json(), {
    enabled: false,
    functions: [`${ARN}:function:second`]
  })

  const schedule = {
    function: 'first',
    expression: 'cron(30 9 ? * MON-FRI *)',
    timeZone: 'Europe/Berlin',
    input: { a: 1 }
  }
  const timed = await send('PUT', 'schedule/mornings', schedule)
  t.equal(timed.statusCode, 201)
  const { nextTimes } = timed.json<{ nextTimes: string[] }>()
  t.equal(nextTimes.length, 10)
  t.strictSame(nextTimes.slice(0, 2), ['2027-01-01T08:30:00.000Z', '2027-01-04T08:30:00.000Z'])
  t.match((await plane.get('/v1/triggers/schedule/mornings')).json(), { input: { a: 1 }, enabled: true, role: null })
  t.match((await send('PATCH', 'schedule/mornings', { enabled: false })).json(), { enabled: false, nextTimes: [] })
  t.match((await plane.get('/v1/triggers/schedule')).json(), { items: [{ name: 'mornings' }], nextCursor: null })
  t.match((await plane.get('/v1/triggers/event')).json(), { items: [{ name: 'orders' }], nextCursor: null })

  for (const [url, body, status, code] of [
    ['event/bad', { function: 'first', pattern: { a: 5 } }, 400, 'INVALID_EVENT_PATTERN'],
    ['event/bad', { function: 'absent', pattern: { a: [5] } }, 404, 'FUNCTION_NOT_FOUND'],
    ['event/bad', { function: 'first', pattern: { a: [5] }, inputPath: 'x' }, 400, 'VALIDATION_FAILED'],
    ['event/bad', { function: 'first' }, 400, 'INVALID_REQUEST'],
    ['event/bad', { function: 'first', pattern: { a: [5] }, expression: 'rate(1 hour)' }, 400, 'INVALID_REQUEST'],
    ['schedule/bad', { function: 'first', expression: 'cron(0 0 * * * *)' }, 400, 'INVALID_SCHEDULE'],
    ['schedule/bad', { function: 'first', expression: 'rate(1 hour)', timeZone: 'Mars' }, 400, 'INVALID_SCHEDULE'],
    ['schedule/bad', { function: 'absent', expression: 'rate(1 hour)' }, 404, 'FUNCTION_NOT_FOUND'],
    [
      'schedule/bad',
      { function: 'first', expression: 'rate(1 hour)', role: 'arn:aws:iam::000000000000:role/absent' },
      400,
      'VALIDATION_FAILED'
    ]
  ] as const) {
    const answer = await send('PUT', url, body)
    t.equal(answer.statusCode, status, JSON.stringify(body))
    t.equal(answer.json<{ code: string }>().code, code, answer.body)
    t.equal((await plane.get(`/v1/triggers/${url}`)).statusCode, 404, 'nothing is left behind')
  }
  t.strictSame(
    (await permissionsOf('first')).map(({ Sid }) => Sid),
    ['hearth-schedule-mornings']
  )

  // Elsewhere than on the default bus and in the default group.
  const aws = async (target: string, payload: object) =>
    await plane.inject({
      method: 'POST',
      url: '/',
      headers: { 'x-amz-target': `AWSEvents.${target}`, 'content-type': 'application/x-amz-json-1.1' },
      payload
    })
  t.equal((await aws('CreateEventBus', { Name: 'shop' })).statusCode, 200)
  const group = await plane.inject({ method: 'POST', url: '/schedule-groups/night', payload: {} })
  t.equal(group.statusCode, 200)
  t.equal((await send('PUT', 'event/orders', { ...event, bus: 'nowhere' })).statusCode, 404)
  t.equal((await send('PUT', 'event/orders?bus=shop', { ...event, bus: 'default' })).statusCode, 400)
  const there = await send('PUT', 'event/orders', { ...event, bus: 'shop', description: 'of the shop' })
  t.match(there.json(), { bus: 'shop', arn: `${EVENTS}:rule/shop/orders`, description: 'of the shop' })
  t.equal((await send('PUT', 'schedule/mornings?group=night', schedule)).statusCode, 201)
  // Schedules of rules are none of kind event, and do not shorten its pages.
  for (const Name of ['a', 'b']) await aws('PutRule', { Name, ScheduleExpression: 'rate(1 day)' })
  t.match((await plane.get('/v1/triggers/event/orders')).json(), { bus: 'default', description: 'orders' })
  t.match((await plane.get('/v1/triggers/event/orders?bus=shop')).json(), { bus: 'shop' })
  t.match((await send('PATCH', 'event/orders?bus=shop', { enabled: false })).json(), { bus: 'shop', enabled: false })
  t.match((await plane.get('/v1/triggers/schedule?group=night')).json(), { items: [{ group: 'night' }] })
  t.equal((await permissionsOf('first')).length, 3, 'each is let in on its own account')

  interface Page {
    readonly items: readonly { readonly path: string }[]
    readonly nextCursor: string | null
  }
  const listed = async (query: string): Promise<readonly string[]> => {
    const paths: string[] = []
    for (let cursor = ''; ; ) {
      const page = (await plane.get(`/v1/triggers?limit=2${query}${cursor}`)).json<Page>()
      paths.push(...page.items.map(({ path }) => path.slice('/v1/triggers/'.length)))
      if (page.nextCursor === null) return paths
      cursor = `&cursor=${page.nextCursor}`
    }
  }
  const all = ['event/orders', 'event/orders?bus=shop', 'schedule/mornings', 'schedule/mornings?group=night']
  t.strictSame(await listed(''), all)
  t.strictSame(await listed('&kind=schedule'), all.slice(2))
  t.strictSame(await listed('&function=second'), all.slice(0, 1))
  t.strictSame(await listed(`&function=${ARN}:function:first`), all.slice(1))
  t.match((await plane.get('/v1/triggers?limit=1')).json(), {
    items: [
      {
        kind: 'event',
        name: 'orders',
        bus: 'default',
        arn: `${EVENTS}:rule/orders`,
        functions: [`${ARN}:function:second`],
        enabled: false,
        status: '/v1/triggers/event/orders/status'
      }
    ]
  })
  for (const query of ['kind=email', 'limit=0', 'cursor=x', 'function=a%20b'])
    t.equal((await plane.get(`/v1/triggers?${query}`)).statusCode, 400, query)

  for (const url of all) {
    t.equal((await send('DELETE', url)).statusCode, 204)
    t.equal((await send('DELETE', url)).statusCode, 404)
  }
  t.strictSame([...(await permissionsOf('first')), ...(await permissionsOf('second'))], [])
})

t.test('archives and replays ask for what they are made of', async (t) => {
  const plane = await startControlPlane(t)
  await plane.inject({ method: 'PUT', url: '/v1/users/ada', payload: {} })
  const key = (await plane.inject({ method: 'POST', url: '/v1/keys', payload: { user: 'ada' } })).json<{
    token: string
  }>()
  const may = async (...statements: readonly [action: string, resource: string][]) => {
    const Statement = statements.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource }))
    const payload = { policies: { p: { Version: '2012-10-17', Statement } } }
    t.equal((await plane.inject({ method: 'PUT', url: '/v1/users/ada', payload })).statusCode, 200)
  }
  const call = async (name: string, payload: object) => {
    const answer = await plane.app.inject({
      method: 'POST',
      url: '/',
      headers: {
        authorization: `Bearer ${key.token}`,
        'x-amz-target': `AWSEvents.${name}`,
        'content-type': 'application/x-amz-json-1.1'
      },
      payload
    })
    return answer.json<{ __type?: string; message?: string }>()
  }
  const denied = { __type: 'AccessDeniedException' }
  const bus = `${EVENTS}:event-bus/default`
  const archive = { ArchiveName: 'a', EventSourceArn: bus }
  const replay = {
    ReplayName: 'r',
    EventSourceArn: `${EVENTS}:archive/a`,
    EventStartTime: 0,
    EventEndTime: 1,
    Destination: { Arn: bus }
  }
  await may(['events:CreateArchive', `${EVENTS}:archive/*`])
  t.match(await call('CreateArchive', archive), { ...denied, message: /event-bus\/default/ })
  await may(['events:CreateArchive', `${EVENTS}:archive/*`], ['events:CreateArchive', bus])
  t.match(await call('CreateArchive', archive), { State: 'ENABLED' })
  for (const name of ['DescribeArchive', 'UpdateArchive', 'DeleteArchive'])
    t.match(await call(name, { ArchiveName: 'a' }), denied, name)
  for (const name of ['ListArchives', 'ListReplays']) t.match(await call(name, {}), denied, name)
  await may(['events:StartReplay', bus], ['events:StartReplay', `${EVENTS}:replay/r`])
  t.match(await call('StartReplay', replay), { ...denied, message: /archive\/a/ })
  await may(['events:StartReplay', '*'])
  t.match(await call('StartReplay', replay), { State: 'STARTING' })
  for (const name of ['DescribeReplay', 'CancelReplay']) t.match(await call(name, { ReplayName: 'r' }), denied, name)
  await may(['events:CancelReplay', '*'])
  t.match(await call('CancelReplay', { ReplayName: 'r' }), { State: 'CANCELLING' })
  t.match(await call('CancelReplay', { ReplayName: 'r' }), { __type: 'IllegalStatusException' })
  const trail = await plane.get('/v1/audit?limit=100')
  for (const action of ['events:CreateArchive', 'events:DeleteArchive', 'events:StartReplay', 'events:CancelReplay'])
    t.match(trail.body, action)
})
