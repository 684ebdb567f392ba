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

t.test('webhooks: settings, secrets that are shown once, and who is let in', async (t) => {
  let now = Date.parse('2027-01-01T00:00:00Z')
  const plane = await startControlPlane(t, { now: () => new Date(now) })
  for (const name of ['first', 'second']) t.equal((await plane.put(`${name}.mjs`, SOURCE)).statusCode, 201)
  const url = '/v1/triggers/webhook'
  const send = async (method: 'PUT' | 'PATCH' | 'POST' | 'DELETE', path: string, payload?: object) =>
    await plane.inject({ method, url: `${url}/${path}`, ...(payload === undefined ? {} : { payload }) })
  const sids = async (name: string) =>
    (await plane.get(`/v1/functions/${name}/permissions`)).json<{ items: { Sid: string }[] }>().items
  type View = { path: string; url: string; verification: { secret?: string; secrets: { until: string | null }[] } }

  const made = await send('PUT', 'repo', { function: 'first', verification: { scheme: 'github' } })
  t.equal(made.statusCode, 201)
  const first = made.json<View>()
  t.match(first, {
    kind: 'webhook',
    arn: 'arn:aws:hearth:us-east-1:000000000000:webhook/repo',
    path: /^\/hooks\/[a-z0-9]{32}$/,
    url: /^http:\/\/.+\/hooks\/[a-z0-9]{32}$/,
    functions: [`${ARN}:function:first`],
    methods: ['POST'],
    verification: { scheme: 'github', secret: /^[0-9a-f]{64}$/, secrets: [{ reference: null, until: null }] },
    deduplication: { by: { header: 'x-github-delivery' }, windowSeconds: 86_400 }
  })
  t.match(await sids('first'), [
    {
      Sid: 'hearth-webhook-repo',
      Principal: { Service: 'webhooks.hearth' },
      Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:hearth:us-east-1:000000000000:webhook/repo' } }
    }
  ])

  // What is put again keeps its URL and its secret, which nobody sees again.
  const again = await send('PUT', 'repo', {
    function: 'second',
    verification: { scheme: 'github' },
    deduplication: { enabled: false }
  })
  t.equal(again.statusCode, 200)
  t.match(again.json(), { path: first.path, deduplication: null, verification: { secret: undefined } })
  for (const seen of [again.body, (await plane.get(`${url}/repo`)).body, (await plane.get(url)).body]) {
    t.notOk(seen.includes(first.verification.secret!))
  }
  t.strictSame([(await sids('first')).length, (await sids('second')).length], [0, 1])

  const rotated = (await send('POST', 'repo/rotate-secret', { keepPreviousSeconds: 60 })).json<View>()
  t.match(rotated.verification, {
    secret: /^[0-9a-f]{64}$/,
    secrets: [{ until: null }, { until: '2027-01-01T00:01:00.000Z' }]
  })
  t.not(rotated.verification.secret, first.verification.secret)
  const given = (await send('POST', 'repo/rotate-secret', { secret: 'chosen-by-the-sender' })).json<View>()
  t.match(given.verification, { secret: undefined, secrets: { length: 3 } })
  now += 60_000
  t.equal((await plane.get(`${url}/repo`)).json<View>().verification.secrets.length, 2, 'the oldest is over')
  t.match((await send('PATCH', 'repo', { enabled: false })).json(), { enabled: false, path: first.path })

  // To a bus, with a secret of this server.
  const secret = { value: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
  t.ok((await plane.inject({ method: 'PUT', url: '/v1/secrets/hooks', payload: secret })).statusCode < 300)
  const onBus = await send('PUT', 'paid', {
    bus: 'default',
    verification: { scheme: 'standard-webhooks', secret: 'secret:hooks' }
  })
  t.match(onBus.json(), {
    bus: 'default',
    source: 'webhook.paid',
    detailType: { member: 'type' },
    functions: [],
    verification: { secrets: [{ reference: 'secret:hooks' }] }
  })

  const none = { scheme: 'none' }
  const to = { function: 'first' }
  for (const [body, status, code] of [
    [{ verification: none }, 400, 'INVALID_REQUEST'],
    [{ ...to, bus: 'default', verification: none }, 400, 'INVALID_REQUEST'],
    [{ ...to }, 400, 'INVALID_REQUEST'],
    [{ ...to, source: 'x', verification: none }, 400, 'INVALID_REQUEST'],
    [{ bus: 'default', source: 'aws.ec2', verification: none }, 400, 'INVALID_REQUEST'],
    [{ bus: 'absent', verification: none }, 404, 'RESOURCE_NOT_FOUND'],
    [{ function: 'absent', verification: none }, 404, 'FUNCTION_NOT_FOUND'],
    [{ ...to, deadLetterFunction: 'absent', verification: none }, 404, 'FUNCTION_NOT_FOUND'],
    [{ ...to, verification: { scheme: 'none', secret: 'long-enough' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'github', secret: 'short' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'github', header: 'x' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'hmac' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'hmac', header: 'a b' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'hmac', header: 'x', algorithm: 'md5' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'standard-webhooks', secret: 'whsec_?????' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: { scheme: 'github', secret: 'secret:absent' } }, 400, 'INVALID_SECRET_REFERENCE'],
    [{ ...to, verification: { scheme: 'github', secret: 'secret:a#' } }, 400, 'INVALID_SECRET_REFERENCE'],
    [{ ...to, verification: none, methods: ['TRACE'] }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: none, deduplication: { enabled: true } }, 400, 'INVALID_REQUEST'],
    [{ ...to, verification: none, deduplication: { windowSeconds: 1 } }, 400, 'INVALID_REQUEST']
  ] as const) {
    const answer = await send('PUT', 'bad', body)
    t.equal(answer.statusCode, status, JSON.stringify(body))
    t.equal(answer.json<{ code: string }>().code, code, answer.body)
    t.notMatch(answer.body, /whsec_\?|long-enough|"short"/, 'no error says a secret')
  }
  t.equal((await plane.get(`${url}/bad`)).statusCode, 404)
  t.strictSame(await sids('first'), [], 'and nothing is left behind')
  t.equal((await send('POST', 'absent/rotate-secret')).statusCode, 404)
  t.ok((await send('PUT', 'open', { ...to, verification: none })).statusCode < 300)
  t.equal((await send('POST', 'open/rotate-secret')).statusCode, 400)

  for (const name of ['repo', 'paid', 'open']) t.equal((await send('DELETE', name)).statusCode, 204)
  t.strictSame([...(await sids('first')), ...(await sids('second'))], [])
})

t.test('load balancers: rules, domains that nobody else has, and who is let in', async (t) => {
  const plane = await startControlPlane(t)
  for (const name of ['first', 'second']) t.equal((await plane.put(`${name}.mjs`, SOURCE)).statusCode, 201)
  const url = '/v1/triggers/load-balancer'
  const send = async (method: 'PUT' | 'PATCH' | 'DELETE', path: string, payload?: object) =>
    await plane.inject({ method, url: path, ...(payload === undefined ? {} : { payload }) })
  const sids = async (name: string) =>
    (await plane.get(`/v1/functions/${name}/permissions`)).json<{ items: object[] }>().items

  const rule = (priority: number, more: object) => ({ priority, conditions: { paths: ['/a/*'] }, ...more })
  const body = {
    function: 'first',
    rules: [
      rule(20, { redirect: { protocol: 'HTTPS', port: '443' } }),
      rule(10, { conditions: { headers: { 'X-A': ['b'] } }, function: 'second' }),
      rule(30, { fixedResponse: { status: 404 } })
    ],
    healthCheck: { path: '/health', matcher: '200-299' },
    domains: ['WWW.Example.org.']
  }
  const made = await send('PUT', `${url}/web`, body)
  t.equal(made.statusCode, 201, made.body)
  const group = /^arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup\/web\/[0-9a-f]{16}$/
  t.match(made.json(), {
    arn: 'arn:aws:hearth:us-east-1:000000000000:load-balancer/web',
    path: '/lb/web/',
    url: /^http.*\/lb\/web\/$/,
    targetGroupArn: group,
    functions: [`${ARN}:function:first`, `${ARN}:function:second`],
    multiValueHeaders: false,
    rules: [
      { priority: 10, conditions: { headers: { 'x-a': ['b'] } }, function: `${ARN}:function:second` },
      { priority: 20, redirect: { status: 302, protocol: 'HTTPS', host: '#{host}', port: '443', path: '/#{path}' } },
      { priority: 30, fixedResponse: { status: 404, contentType: 'text/plain', body: '' } }
    ],
    healthCheck: { enabled: true, path: '/health', intervalSeconds: 35, timeoutSeconds: 30, matcher: '200-299' },
    domains: ['www.example.org']
  })
  t.match(await sids('second'), [
    {
      Sid: 'hearth-load-balancer-web',
      Principal: { Service: 'elasticloadbalancing.amazonaws.com' },
      Condition: { ArnLike: { 'AWS:SourceArn': group } }
    }
  ])
  t.match((await plane.get(url)).json(), { items: [{ name: 'web' }], nextCursor: null })

  // A host leads to one thing.
  t.equal((await send('PUT', '/v1/functions/first/url', { authType: 'NONE' })).statusCode, 201)
  const taken = await send('PUT', '/v1/domains/www.example.org', { function: 'first' })
  t.match([taken.statusCode, taken.json()], [409, { code: 'RESOURCE_IN_USE' }])
  t.equal((await send('PUT', '/v1/domains/app.example.org', { function: 'first' })).statusCode, 201)

  const to = { function: 'first' }
  const one = (more: object) => ({ ...to, rules: [rule(1, more)] })
  const when = (conditions: object) => one({ conditions, function: 'first' })
  for (const [wanted, status, code, name = 'bad'] of [
    [{}, 400, 'INVALID_REQUEST'],
    [to, 400, 'INVALID_REQUEST', 'bad.name'],
    [to, 400, 'INVALID_REQUEST', 'bad-'],
    [{ function: 'absent' }, 404, 'FUNCTION_NOT_FOUND'],
    [one({ function: 'absent' }), 404, 'FUNCTION_NOT_FOUND'],
    [one({}), 400, 'INVALID_REQUEST'],
    [one({ function: 'first', fixedResponse: { status: 200 } }), 400, 'INVALID_REQUEST'],
    [{ ...to, rules: [rule(1, to), rule(1, to)] }, 400, 'INVALID_REQUEST'],
    [{ ...to, rules: [rule(0, to)] }, 400, 'INVALID_REQUEST'],
    [{ ...to, rules: [rule(50_001, to)] }, 400, 'INVALID_REQUEST'],
    [{ ...to, rules: Array.from({ length: 101 }, (_, i) => rule(i + 1, to)) }, 400, 'INVALID_REQUEST'],
    [when({}), 400, 'INVALID_REQUEST'],
    [when({ paths: ['/1', '/2', '/3'], methods: ['GET', 'PUT', 'POST'] }), 400, 'INVALID_REQUEST'],
    [when({ paths: ['******'] }), 400, 'INVALID_REQUEST'],
    [when({ headers: { Host: ['x'] } }), 400, 'INVALID_REQUEST'],
    [when({ headers: { 'a b': ['x'] } }), 400, 'INVALID_REQUEST'],
    [when({ sourceIps: ['10.0.0.0/33'] }), 400, 'INVALID_REQUEST'],
    [when({ sourceIps: ['10.0.0.0'] }), 400, 'INVALID_REQUEST'],
    [when({ sourceIps: ['x/8'] }), 400, 'INVALID_REQUEST'],
    [one({ fixedResponse: { status: 302 } }), 400, 'INVALID_REQUEST'],
    [one({ redirect: {} }), 400, 'INVALID_REQUEST'],
    [one({ redirect: { host: 'a/b' } }), 400, 'INVALID_REQUEST'],
    [one({ redirect: { path: '/#{nothing}' } }), 400, 'INVALID_REQUEST'],
    [one({ redirect: { path: '/a\r\nb' } }), 400, 'INVALID_REQUEST'],
    [{ ...to, healthCheck: { intervalSeconds: 5, timeoutSeconds: 5 } }, 400, 'INVALID_REQUEST'],
    [{ ...to, healthCheck: { matcher: '299-200' } }, 400, 'INVALID_REQUEST'],
    [{ ...to, domains: ['www.example.org'] }, 409, 'RESOURCE_IN_USE'],
    [{ ...to, domains: ['app.example.org'] }, 409, 'RESOURCE_IN_USE'],
    [{ ...to, domains: ['x.lambda-url.localhost'] }, 400, 'INVALID_REQUEST'],
    [{ ...to, domains: ['127.0.0.1'] }, 400, 'INVALID_REQUEST']
  ] as const) {
    const answer = await send('PUT', `${url}/${name}`, wanted)
    t.equal(answer.statusCode, status, `${JSON.stringify(wanted).slice(0, 100)} ${answer.body}`)
    t.equal(answer.json<{ code: string }>().code, code)
    t.equal((await plane.get(`${url}/${name}`)).statusCode, 404)
  }
  t.equal((await sids('first')).length, 3, 'nothing is left behind: two of the URL, and the load balancer’s own')
  t.match((await send('PATCH', `${url}/web`, { enabled: false })).json(), { enabled: false, targetGroupArn: group })
  t.equal((await send('PUT', `${url}/web`, { ...to, domains: ['www.example.org'] })).statusCode, 200)
  t.strictSame(await sids('second'), [], 'who is not behind it any more is not let in any more')
  t.equal((await send('DELETE', `${url}/web`)).statusCode, 204)
  t.equal((await send('PUT', '/v1/domains/www.example.org', { function: 'first' })).statusCode, 201)
  t.equal((await sids('first')).length, 2)
})
