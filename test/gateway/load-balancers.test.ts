// Functions as targets of a load balancer: rules, an ALB's events and answers, health checks.
import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { LoadBalancer, LoadBalancerRule } from '@hearth/shared'
import t from 'tap'
import { testClock } from './events.ts'
import { ask, type Harness, outcome, record, startGateway, textOf } from './harness.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const GROUP = 'arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/0123456789abcdef'

function put({ loadBalancers, policies }: Harness, changes: Partial<LoadBalancer> = {}, names = ['f']): void {
  loadBalancers.put({
    name: 'web',
    id: '0123456789abcdef',
    isEnabled: true,
    functionArn: `${ARN}:f`,
    multiValueHeaders: false,
    rules: [],
    domains: [],
    createdAt: 0,
    modifiedAt: 0,
    ...changes
  })
  for (const name of names) {
    const statement = {
      Sid: 's',
      Effect: 'Allow' as const,
      Principal: { Service: 'elasticloadbalancing.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: `${ARN}:${name}`,
      Condition: { ArnLike: { 'AWS:SourceArn': GROUP } }
    }
    policies.put(name, '', { statements: [statement], revisionId: randomUUID() })
  }
}

const answerWith = (answer: unknown) => outcome(typeof answer === 'string' ? answer : JSON.stringify(answer))
const OK = { statusCode: 200, body: '' }
const page = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`
const BAD_GATEWAY = {
  status: 502,
  headers: { server: 'awselb/2.0', 'content-type': 'text/html' },
  body: page('502 Bad Gateway')
}

t.test('events are an ALB’s, with single values and with several', async (t) => {
  const harness = await startGateway(t)
  harness.functions.create(record('f'))
  let event: Record<string, unknown> = {}
  harness.executor.behaviour = ({ payload }) => {
    event = JSON.parse(payload.toString()) as Record<string, unknown>
    return answerWith(OK)
  }
  const sent = {
    auth: false,
    headers: {
      accept: '*/*',
      host: 'lambda-alb-1235.us-east-1.elb.amazonaws.com',
      'user-agent': 'curl/8.5.0',
      Cookie: ['cookie1=a', 'cookie2=b'],
      'x-amzn-trace-id': 'Root=1-5c536348-3d683b8b04734faae651f476',
      'x-forwarded-for': '203.0.113.17',
      'x-forwarded-proto': 'https',
      'keep-alive': 'x',
      __proto__x: '1'
    }
  } as const
  put(harness)
  t.equal((await ask(harness.port, '/lb/web/lambda?myKey=val1&myKey=val2&q=a%20b&flag', sent)).status, 200)
  const trace = /^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-5c536348-3d683b8b04734faae651f476$/
  const members = 'requestContext httpMethod path queryStringParameters headers body isBase64Encoded'
  t.equal(Object.keys(event).join(' '), members, 'the members of AWS’s own example, in its order')
  t.match(event, {
    requestContext: { elb: { targetGroupArn: GROUP } },
    httpMethod: 'GET',
    path: '/lambda',
    queryStringParameters: { myKey: 'val2', q: 'a%20b', flag: '' },
    headers: {
      accept: '*/*',
      host: sent.headers.host,
      'user-agent': 'curl/8.5.0',
      'x-forwarded-proto': 'http',
      cookie: 'cookie2=b',
      'x-amzn-trace-id': trace,
      'x-forwarded-for': '203.0.113.17, 127.0.0.1',
      'x-forwarded-port': String(harness.port)
    },
    body: '',
    isBase64Encoded: false
  })
  t.notOk('keep-alive' in (event['headers'] as object))

  put(harness, { multiValueHeaders: true })
  await ask(harness.port, '/lb/web/lambda?myKey=val1&myKey=val2', sent)
  const lists = members.replace('query', 'multiValueQuery').replace(' headers', ' multiValueHeaders')
  t.equal(Object.keys(event).join(' '), lists)
  t.match(event, {
    multiValueQueryStringParameters: { myKey: ['val1', 'val2'] },
    multiValueHeaders: {
      accept: ['*/*'],
      'user-agent': ['curl/8.5.0'],
      'x-forwarded-proto': ['http'],
      'x-amzn-trace-id': [trace],
      'x-forwarded-for': ['203.0.113.17, 127.0.0.1'],
      'x-forwarded-port': [String(harness.port)]
    }
  })

  put(harness)
  for (const [type, body, text] of [
    ['application/json', '{"a":1}', true],
    ['text/plain; charset=utf-8', 'ü', true],
    ['application/xml', '<a/>', true],
    ['application/x-www-form-urlencoded', 'a=b', false],
    ['text/plain', Buffer.of(0xff), false]
  ] as const) {
    await ask(harness.port, '/lb/web', { auth: false, headers: { 'content-type': type }, body })
    const expected = text ? String(body) : Buffer.from(body).toString('base64')
    t.match(event, { path: '/', queryStringParameters: {}, body: expected, isBase64Encoded: !text }, type)
  }
  await ask(harness.port, '/lb/web/', {
    auth: false,
    headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' },
    body: 'x'
  })
  t.match(event, { body: 'eA==', isBase64Encoded: true })
  const trail = (await ask(harness.port, '/lb/web/a%2Fb//c?')) && event
  t.match(trail, { path: '/a%2Fb//c', queryStringParameters: {} }, 'as it was sent')
  t.notOk('authorization' in (event['headers'] as object), 'a key of this server is not the function’s')
  await ask(harness.port, '/lb/web/', { headers: { authorization: 'Basic eDp5' } })
  t.match(event, { headers: { authorization: 'Basic eDp5', 'x-amzn-trace-id': /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/ } })
})

t.test('answers are sent as they say, and 502 when they say nothing that can be', async (t) => {
  const harness = await startGateway(t)
  harness.functions.create(record('f'))
  const { port, executor } = harness
  const get = async (answer: unknown, path = '/lb/web/') => {
    executor.behaviour = () => answerWith(answer)
    return await ask(port, path, { auth: false })
  }
  put(harness)
  t.match(
    await get({
      statusCode: 404,
      statusDescription: '404 Gone Fishing',
      headers: { 'Content-Type': 'text/html', 'Content-Length': '1', 'X-N': 5 },
      body: '<h1>Hello</h1>'
    }),
    {
      status: 404,
      headers: { 'content-type': 'text/html', 'content-length': '14', 'x-n': '5' },
      body: '<h1>Hello</h1>'
    }
  )
  t.match(await get({ statusCode: 200, isBase64Encoded: true, body: 'aGk=' }), {
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: 'hi'
  })
  const { headers } = await get({ statusCode: 200, headers: { 'content-type': 'text/html' }, body: '<script>' })
  t.match(headers['content-security-policy'], /^sandbox/, 'beside the API it has an origin of its own')

  for (const answer of [
    'null',
    '"text"',
    '[]',
    {},
    { statusCode: 'x' },
    { statusCode: 99 },
    { statusCode: 101 },
    { statusCode: 200, body: {} },
    { statusCode: 200, body: 'x', isBase64Encoded: 'yes' },
    { statusCode: 200, headers: [] },
    { statusCode: 200, headers: { 'a b': 'c' } },
    { statusCode: 200, headers: { a: 'b\r\nc: d' } },
    { statusCode: 200, headers: { a: {} } },
    { statusCode: 200, statusDescription: '200 OK\r\nset-cookie: a=b' },
    { statusCode: 200, body: 'x'.repeat(1_048_576) }
  ]) {
    t.match(await get(answer), BAD_GATEWAY, JSON.stringify(answer).slice(0, 80))
  }
  for (const status of ['error', 'timeout', 'crash', 'throttled', 'unavailable'] as const) {
    executor.behaviour = () => outcome('{"errorMessage":"secret"}', { status: status as never, errorType: 'Error' })
    t.match(await ask(port, '/lb/web/', { auth: false }), BAD_GATEWAY, status)
  }
  put(harness, { multiValueHeaders: true })
  const multi = { statusCode: 200, headers: { 'x-a': '1' }, multiValueHeaders: { 'Set-cookie': ['a=1', 'b=2'] } }
  t.match(await get(multi), { status: 200, headers: { 'set-cookie': ['a=1', 'b=2'], 'x-a': undefined } })
  t.match(await get({ statusCode: 200, multiValueHeaders: { a: 'b' } }), BAD_GATEWAY)

  const large = await ask(port, '/lb/web/', { auth: false, body: Buffer.alloc(1_048_577) })
  t.match(large, { status: 413, body: page('413 Request Entity Too Large') })
  executor.behaviour = () => answerWith(OK)
  t.equal((await ask(port, '/lb/web/', { auth: false, body: Buffer.alloc(1_048_576) })).status, 200)
  // Whose length nobody says beforehand.
  const chunked = (bytes: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/lb/web/', method: 'POST', agent: false }
      const req = http.request({ ...options, headers: { 'transfer-encoding': 'chunked' } }, (res) => {
        textOf(res).then((text) => {
          resolve(`${res.statusCode} ${text}`)
        }, reject)
      })
      req.on('error', reject)
      req.write(Buffer.alloc(bytes - 1))
      req.end('x')
    })
  t.equal(await chunked(1_048_577), `413 ${page('413 Request Entity Too Large')}`)
  t.equal(await chunked(1_048_576), '200 ')
  harness.policies.remove('f', '')
  t.match(await get(OK), BAD_GATEWAY, 'the function does not let it in')
  put(harness, { functionArn: `${ARN}:gone` }, [])
  t.match(await get(OK), BAD_GATEWAY, 'there is no function')
  put(harness, { isEnabled: false })
  t.match(await get(OK), { status: 503, body: page('503 Service Temporarily Unavailable') })
  t.equal((await get(OK, '/lb/absent/')).status, 404)
  t.equal((await get(OK, '/lb/w%65b/')).status, 404)
})

t.test('the first rule that holds says where a request goes', async (t) => {
  const harness = await startGateway(t, { functions: ['f', 'g'].map((name) => record(name)) })
  const { port } = harness
  harness.executor.behaviour = (_invocation, { name }) => answerWith({ statusCode: 200, body: name })
  const fixed = (priority: number, conditions: LoadBalancerRule['conditions'], body: string): LoadBalancerRule => ({
    priority,
    conditions,
    action: { fixedResponse: { status: 200, contentType: 'text/plain', body } }
  })
  const same = { protocol: '#{protocol}', host: '#{host}', port: '#{port}', path: '/#{path}', query: '#{query}' }
  const rules: readonly LoadBalancerRule[] = [
    fixed(90, { paths: ['/*'] }, 'last'),
    { priority: 50, conditions: { paths: ['/g/*', '/?.png'] }, action: { functionArn: `${ARN}:g` } },
    fixed(10, { hosts: ['*.Example.com'], methods: ['POST', 'PUT'] }, 'host'),
    fixed(11, { headers: { 'x-client': ['Mobile*', 'tab?'] } }, 'header'),
    fixed(12, { query: [{ key: 'v', value: '2*' }, { value: 'beta' }] }, 'query'),
    fixed(13, { sourceIps: ['192.0.2.0/24'] }, 'elsewhere'),
    fixed(14, { paths: ['/here'], sourceIps: ['2001:db8::/32', '127.0.0.0/8'] }, 'here'),
    {
      priority: 20,
      conditions: { paths: ['/old/*'] },
      action: {
        redirect: { ...same, status: 301, protocol: 'HTTPS', host: 'new.example', port: '443', path: '/new/#{path}' }
      }
    },
    {
      priority: 21,
      conditions: { paths: ['/moved'] },
      action: { redirect: { ...same, status: 302, path: '/g/x', query: '' } }
    },
    {
      priority: 30,
      conditions: { paths: ['/down'] },
      action: { fixedResponse: { status: 503, contentType: 'application/json', body: '{"down":true}' } }
    }
  ]
  put(harness, { rules, domains: ['www.example.org'] }, ['f', 'g'])
  const bodyOf = async (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    (await ask(port, `/lb/web${path}`, { auth: false, ...options })).body
  for (const [expected, path, options] of [
    ['g', '/g/1', {}],
    ['g', '/a.png', {}],
    ['last', '/ab.png', {}],
    ['last', '/G/1', {}],
    ['host', '/g/1', { method: 'PUT', headers: { host: 'A.example.COM:80' } }],
    ['g', '/g/1', { headers: { host: 'a.example.com' } }],
    ['header', '/', { headers: { 'x-client': 'mobile 7' } }],
    ['header', '/', { headers: { 'x-client': 'TABS' } }],
    ['last', '/', { headers: { 'x-client': 'tab' } }],
    ['query', '/?V=2.1', {}],
    ['query', '/?x=%62eta', {}],
    ['last', '/?v=1', {}],
    ['here', '/here', { headers: { 'x-forwarded-for': '192.0.2.1' } }]
  ] as const) {
    t.equal(await bodyOf(path, options), expected, `${path} ${JSON.stringify(options)}`)
  }
  const old = await ask(port, '/lb/web/old/a?b=c', { auth: false, headers: { host: 'localhost' } })
  t.match(old, { status: 301, headers: { location: 'https://new.example:443/new/old/a?b=c' } })
  const moved = await ask(port, '/lb/web/moved?b=c', { auth: false, headers: { host: 'localhost:99' } })
  t.match(moved, { status: 302, headers: { location: 'http://localhost:99/lb/web/g/x' } }, 'where it is served')
  t.match(await ask(port, '/lb/web/down', { auth: false }), {
    status: 503,
    headers: { 'content-type': 'application/json' },
    body: '{"down":true}'
  })

  // By a host of its own, which goes before every path of the server.
  const own = { auth: false, headers: { host: 'WWW.example.org.:8080' } }
  let answer = await ask(port, '/v1/functions', own)
  for (let tries = 0; answer.body !== 'last' && tries < 500; tries++) answer = await ask(port, '/v1/functions', own)
  t.equal(answer.body, 'last')
  t.equal(answer.headers['content-security-policy'], undefined)
  t.match((await ask(port, '/moved', own)).headers, { location: 'http://www.example.org:8080/g/x' })
  t.equal((await ask(port, '/g/1', own)).body, 'g')
  harness.loadBalancers.remove('web')
  t.equal((await ask(port, '/lb/web/', { auth: false })).status, 404)
})

t.test('health checks call the functions, and say how they are', async (t) => {
  const clock = testClock()
  const harness = await startGateway(t, { functions: [record('f')], clock, attached: false })
  const healthCheck = {
    path: '/health',
    intervalSeconds: 10,
    timeoutSeconds: 5,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
    matcher: '200,204-205'
  }
  put(harness, { healthCheck })
  let status = 204
  const events: unknown[] = []
  harness.executor.behaviour = ({ payload }) => {
    events.push(JSON.parse(payload.toString()))
    return status === 0 ? undefined : answerWith({ statusCode: status })
  }
  harness.attach()
  const targets = async () =>
    (
      JSON.parse((await ask(harness.port, '/v1/triggers/load-balancer/web/status')).body) as {
        targets: { state: string; reason: string | null }[]
      }
    ).targets
  t.match(await targets(), [{ function: `${ARN}:f`, state: 'initial', checkedAt: null }])
  clock.pass(0)
  t.match(await targets(), [{ state: 'healthy', reason: null }])
  t.strictSame(events, [
    {
      requestContext: { elb: { targetGroupArn: GROUP } },
      httpMethod: 'GET',
      path: '/health',
      queryStringParameters: {},
      headers: { 'user-agent': 'ELB-HealthChecker/2.0' },
      body: '',
      isBase64Encoded: false
    }
  ])
  status = 500
  clock.pass(10_000)
  t.match(await targets(), [{ state: 'healthy' }], 'once is not enough')
  clock.pass(10_000)
  t.match(await targets(), [{ state: 'unhealthy', reason: 'health checks failed with these codes: [500]' }])
  const answer = await ask(harness.port, '/lb/web/', { auth: false })
  t.equal(answer.status, 500, 'with no healthy target all are asked')
  status = 200
  for (const state of ['unhealthy', 'healthy']) {
    clock.pass(10_000)
    t.match(await targets(), [{ state }])
  }
  status = 0
  clock.pass(10_000)
  clock.pass(5_000)
  clock.pass(10_000)
  clock.pass(5_000)
  t.match(await targets(), [{ state: 'unhealthy', reason: 'it did not answer within 5 s' }])
  const metrics = await ask(harness.port, '/metrics')
  t.match(metrics.body, 'hearth_load_balancer_target_healthy{load_balancer="web",function="f"} 0\n')

  status = 200
  const tried = await ask(harness.port, '/v1/triggers/load-balancer/web/test', { body: '{}' })
  t.match(JSON.parse(tried.body), { matches: true, fired: [{ function: `${ARN}:f`, delivered: true }] })
  harness.loadBalancers.remove('web')
  t.equal((await ask(harness.port, '/v1/triggers/load-balancer/web/status')).status, 404)
  const before = events.length
  clock.pass(100_000)
  t.equal(events.length, before, 'who is gone is asked no more')
})
