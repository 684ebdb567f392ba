import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { AppDeps } from '@hearth/gateway'
import { codeDirOf } from '@hearth/store'
import t from 'tap'
import { API, HOST, letsApisIn, publish } from '../helpers/http-api.ts'
import { startApi } from './apis.ts'
import { ADMIN, ask, BEARER, outcome, rawConnection, SECRET, until } from './harness.ts'
import { signed } from './signed.ts'

type Guard = NonNullable<AppDeps['guard']>
type GuardedRequest = Parameters<Guard['check']>[0]
type Verdict = Parameters<Parameters<Guard['check']>[1]>[0]

const NOT_FOUND = { status: 404, headers: { 'content-type': 'application/json' }, body: '{"message":"Not Found"}' }

t.test('routes are chosen as AWS chooses them', async (t) => {
  const harness = await startApi(t, {
    'GET /pets/dog/1': {},
    'GET /pets/dog/{id}': {},
    'GET /pets/{proxy+}': {},
    'ANY /{proxy+}': {},
    $default: {}
  })
  const { eventOf, call } = harness
  const routes = async (cases: Record<string, [string, object?]>) => {
    for (const [request, [routeKey, pathParameters]] of Object.entries(cases)) {
      const [method, path] = request.split(' ') as [string, string]
      t.match(await eventOf(path, { method }), { routeKey, pathParameters }, request)
    }
  }
  // AWS's own example.
  await routes({
    'GET /pets/dog/1': ['GET /pets/dog/1'],
    'GET /pets/dog/2': ['GET /pets/dog/{id}', { id: '2' }],
    'GET /pets/cat/1': ['GET /pets/{proxy+}', { proxy: 'cat/1' }],
    'POST /test/5': ['ANY /{proxy+}', { proxy: 'test/5' }]
  })
  publish(harness, {
    'GET /': {},
    'GET /a': {},
    'ANY /a': {},
    'POST /a/{x}': {},
    'GET /a/{y}': {},
    'ANY /a/b': {},
    'GET /{p}/c/{q}': {},
    'GET /a/{proxy+}': {},
    'GET /a/d/{rest+}': {},
    'GET /un/{proto}/{__proto__}': {},
    $default: {}
  })
  await routes({
    'GET /': ['GET /'],
    'POST /': ['$default'],
    'GET /a': ['GET /a'],
    'PATCH /a': ['ANY /a'],
    'PROPFIND /a': ['ANY /a'],
    'POST /a/1': ['POST /a/{x}', { x: '1' }],
    'GET /a/1': ['GET /a/{y}', { y: '1' }],
    'GET /a/b': ['GET /a/{y}', { y: 'b' }],
    'DELETE /a/b': ['ANY /a/b'],
    'GET /a/c/e': ['GET /{p}/c/{q}', { p: 'a', q: 'e' }],
    'GET /a/d/e/f': ['GET /a/d/{rest+}', { rest: 'e/f' }],
    'GET /a/e/f': ['GET /a/{proxy+}', { proxy: 'e/f' }],
    'GET /a/': ['GET /a/{proxy+}', { proxy: '' }],
    'POST /a/': ['$default'],
    'GET /a//b': ['GET /a/{proxy+}', { proxy: '/b' }],
    'GET /A': ['$default'],
    'GET /a%20b/c/%C3%A9%2Bx': ['GET /{p}/c/{q}', { p: 'a b', q: 'é+x' }],
    // Matched as the function sees it: no spelling leads past the route that is for a path.
    'GET /%61/d%2Fe': ['GET /a/d/{rest+}', { rest: 'e' }]
  })
  t.match((await call('/un/1/2')).body, '"__proto__":"2"')
  publish(harness, { 'GET /only': {} })
  for (const [path, method] of [
    ['/', 'GET'],
    ['/only/', 'GET'],
    ['/only', 'HEAD'],
    ['/only', 'POST'],
    ['/only/x', 'GET']
  ] as const) {
    t.match(await call(path, { method }), { status: 404 }, `${method} ${path}`)
  }
  t.match(await call('/nothing'), NOT_FOUND)
})

t.test('stages, hosts, domains and the path below /api lead to an API', async (t) => {
  const stages = [{}, { name: 'prod', variables: { env: 'live' } }, { name: 'pets' }]
  const harness = await startApi(t, { 'GET /pets/{id}': {}, 'GET /{id}': {}, 'GET /': {} }, { stages })
  const { eventOf, call, apis, port } = harness
  t.match(await eventOf('/pets/1'), { requestContext: { stage: 'pets' }, rawPath: '/pets/1', routeKey: 'GET /{id}' })
  t.match(await eventOf('/prod'), { requestContext: { stage: 'prod' }, rawPath: '/prod', routeKey: 'GET /' })
  t.match(await eventOf('/prod/pets/7?x=1', {}, `${HOST.toUpperCase()}.:${port}`), {
    rawPath: '/prod/pets/7',
    stageVariables: { env: 'live' },
    requestContext: {
      stage: 'prod',
      apiId: API,
      accountId: '000000000000',
      domainName: HOST,
      domainPrefix: API,
      http: { path: '/prod/pets/7' }
    }
  })
  t.match(await eventOf('/$default'), { requestContext: { stage: '$default' }, pathParameters: { id: '$default' } })

  for (const name of ['shop.example', 'other.example']) {
    apis.putDomain({ name, tags: {}, settings: [], createdAt: 1 })
  }
  const map = (id: string, key: string, stage: string, domain = 'shop.example') => {
    apis.putMapping({ id, domain, apiId: API, stage, key })
  }
  map('m1', 'v1', 'prod')
  map('m2', 'v1/inner', '$default')
  map('m3', 'gone', 'none')
  const at = (path: string, host = 'shop.example') => call(path, {}, host)
  t.match(await eventOf('/v1/pets/1', {}, `Shop.Example:${port}`), {
    rawPath: '/prod/pets/1',
    pathParameters: { id: '1' },
    requestContext: { domainName: 'shop.example', domainPrefix: 'shop', stage: 'prod' }
  })
  t.match(await eventOf('/v1/inner/5', {}, 'shop.example'), { rawPath: '/5', requestContext: { stage: '$default' } })
  t.match(await eventOf('/v1/innermost', {}, 'shop.example'), { rawPath: '/prod/innermost' }, 'by whole segments')
  t.match(await at('/v2/pets/1'), { status: 403, body: '{"message":"Forbidden"}' })
  t.match(await at('/gone/x'), NOT_FOUND)
  t.match(await at('/v1/functions', 'other.example'), { status: 503 }, 'a domain without mappings is the server')
  map('m4', '', '$default', 'other.example')
  t.match(await eventOf('/v1', {}, 'other.example'), { routeKey: 'GET /{id}' }, 'seen at once')

  const byPath = await ask(port, `/api/${API}/prod/pets/9`, { auth: false })
  t.match(JSON.parse(byPath.body), { rawPath: '/prod/pets/9', requestContext: { domainName: HOST } })
  t.match(byPath.headers['content-security-policy'], /^sandbox (?!.*allow-same-origin)/, 'in an origin of its own')
  t.match(await eventOf('/', {}, HOST), { routeKey: 'GET /' })
  t.match(JSON.parse((await ask(port, `/api/${API}`, { auth: false })).body), { routeKey: 'GET /' })
  t.match(await ask(port, '/api/zzzzzzzzzz/x', { auth: false }), NOT_FOUND)
  t.match(await ask(port, '/api/%2e%2e/x', { auth: false }), { status: 404 })
  t.match(await ask(port, `/api/${API}/`, { auth: false, method: 'PROPFIND' }), NOT_FOUND, 'whatever the method')
  t.match(await call('/', {}, 'zzzzzzzzzz.lambda-url.localhost'), NOT_FOUND)

  publish(harness, { 'GET /': {} }, { stages, api: { disableExecuteApiEndpoint: true } })
  t.match(await call('/'), NOT_FOUND)
  t.match(await ask(port, `/api/${API}/`, { auth: false }), NOT_FOUND)
  t.match(await eventOf('/', {}, 'other.example'), { routeKey: 'GET /' }, 'only domains lead to it')
})

t.test('events of format 2.0', async (t) => {
  const { eventOf, call, port } = await startApi(t, { 'ANY /{proxy+}': {} })
  const sent = {
    cookie: 's=abc; t=def',
    'content-type': 'application/json',
    'x-multi': ['a', 'b'],
    'X-Forwarded-For': '1.2.3.4',
    'x-forwarded-proto': 'gopher',
    'x-amzn-trace-id': 'Root=1-00000000-000000000000000000000000',
    authorization: 'Bearer of-somebody-else'
  }
  const event = await eventOf('/a%20b?a=1&a=2&b=x%20y&c', { method: 'POST', headers: sent, body: '{"x":1}' })
  t.match(event, {
    version: '2.0',
    routeKey: 'ANY /{proxy+}',
    rawPath: '/a b',
    rawQueryString: 'a=1&a=2&b=x%20y&c',
    cookies: ['s=abc', 't=def'],
    queryStringParameters: { a: '1,2', b: 'x y', c: '' },
    pathParameters: { proxy: 'a b' },
    requestContext: {
      http: { method: 'POST', path: '/a b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
      timeEpoch: Number,
      time: /^\d\d\/[A-Z][a-z]{2}\/\d{4}:/
    },
    body: '{"x":1}',
    isBase64Encoded: false
  })
  t.match(event.headers, {
    'x-multi': /^a, ?b$/,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-port': String(port),
    authorization: 'Bearer of-somebody-else',
    host: HOST
  })
  t.notOk('cookie' in event.headers)
  t.not(event.headers['x-amzn-trace-id'], sent['x-amzn-trace-id'])
  const bare = await eventOf('/x', { headers: { authorization: BEARER } })
  for (const absent of ['cookies', 'queryStringParameters', 'stageVariables', 'body']) t.notOk(absent in bare, absent)
  t.notOk('authorization' in bare.headers, "the server's own key goes to no function")
  const bytes = Buffer.from([0x89, 0x50, 0, 0xff])
  const form = { 'content-type': 'multipart/form-data; boundary=x' }
  t.match(await eventOf('/up', { method: 'POST', body: bytes, headers: form }), {
    isBase64Encoded: true,
    body: bytes.toString('base64')
  })
  const answer = await call('/x')
  t.match(answer.headers, { 'apigw-requestid': /^[0-9a-f-]{36}$/ })
})

t.test('events and responses of format 1.0', async (t) => {
  const one = { integration: { payloadFormat: '1.0' as const } }
  const { call, executor, apis } = await startApi(
    t,
    { 'POST /pets/{id}': one, $default: one },
    { stages: [{ name: 'dev', variables: { env: 'x' } }, {}] }
  )
  let event: Record<string, unknown> = {}
  let answer = '{"statusCode":200}'
  executor.behaviour = ({ payload }) => {
    event = JSON.parse(payload.toString()) as typeof event
    return outcome(answer)
  }
  t.match(await call('/dev/pets/1?a=1&a=2', { method: 'POST', headers: { 'X-Multi': ['a', 'b'] }, body: 'x' }), {
    status: 200,
    headers: { 'content-type': 'text/plain;charset=UTF-8' },
    body: ''
  })
  t.match(event, {
    version: '1.0',
    resource: '/pets/{id}',
    path: '/dev/pets/1',
    httpMethod: 'POST',
    headers: { 'X-Multi': 'b', 'X-Forwarded-For': '127.0.0.1' },
    multiValueHeaders: { 'X-Multi': ['a', 'b'] },
    queryStringParameters: { a: '2' },
    multiValueQueryStringParameters: { a: ['1', '2'] },
    pathParameters: { id: '1' },
    stageVariables: { env: 'x' },
    requestContext: {
      resourcePath: '/pets/{id}',
      httpMethod: 'POST',
      stage: 'dev',
      path: '/dev/pets/1',
      identity: { sourceIp: '127.0.0.1', userArn: null }
    },
    body: 'eA==',
    isBase64Encoded: true
  })
  await call('/none')
  t.match(event, {
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    body: null,
    resource: '$default'
  })
  apis.putDomain({ name: 'shop.example', tags: {}, settings: [], createdAt: 1 })
  apis.putMapping({ id: 'm', domain: 'shop.example', apiId: API, stage: 'dev', key: 'v1' })
  await call('/v1/pets/1', { method: 'POST' }, 'shop.example')
  t.match(event, { path: '/v1/pets/1' }, 'as the client sees it')

  answer = JSON.stringify({
    statusCode: '201',
    headers: { 'x-a': 'solo', 'set-cookie': 'c=3', n: true, gone: null },
    multiValueHeaders: { 'X-A': ['m1', 'm2'], 'Set-Cookie': ['a=1', 'b=2'] },
    body: 'AAH/',
    isBase64Encoded: true
  })
  t.match(await call('/x'), {
    status: 201,
    headers: { 'x-a': 'm1, m2, solo', 'set-cookie': ['a=1', 'b=2', 'c=3'], n: 'true', gone: undefined }
  })
  for (const malformed of ['"text"', '{"body":"x"}', '{"statusCode":"x"}', '{"statusCode":200,"headers":[]}', 'null']) {
    answer = malformed
    t.match(await call('/x'), { status: 500, body: '{"message":"Internal Server Error"}' }, malformed)
  }
})

t.test('responses of format 2.0, and what comes instead of one', async (t) => {
  const harness = await startApi(t, { 'GET /slow': { integration: { timeoutMs: 50 } }, $default: {} })
  const { call, executor, port, policies, functions } = harness
  const answers = async (payload: string, changes: Parameters<typeof outcome>[1] = {}) => {
    executor.behaviour = () => outcome(payload, changes)
    return call('/')
  }
  t.match(await answers('{"a":1}'), { status: 200, headers: { 'content-type': 'application/json' }, body: '{"a":1}' })
  t.match(await answers('"hello"'), { status: 200, body: 'hello' })
  t.match(await answers('{"statusCode":202,"cookies":["a=1","b=2"],"body":"x"}'), {
    status: 202,
    headers: { 'set-cookie': ['a=1', 'b=2'], 'content-type': 'text/plain;charset=UTF-8' }
  })
  const reserved = await answers('{"statusCode":200,"headers":{"connection":"x","apigw-requestid":"mine","date":"x"}}')
  t.match(reserved.headers, { 'apigw-requestid': /^[0-9a-f-]{36}$/ })
  const failed = { status: 500, body: '{"message":"Internal Server Error"}' }
  t.match(await answers('{"statusCode":99}'), failed)
  t.match(await answers('{"statusCode":200,"headers":{"a b":"c"}}'), failed)
  for (const status of ['error', 'crash', 'timeout', 'oom', 'init_error'] as const) {
    t.match(await answers('{"errorMessage":"secret"}', { status, errorType: 'E' }), failed, status)
  }
  for (const status of ['throttled', 'unavailable'] as const) {
    t.match(await answers('', { status }), { status: 503, body: '{"message":"Service Unavailable"}' }, status)
  }

  executor.behaviour = () => undefined
  t.match(
    await call('/slow'),
    { status: 503, body: '{"message":"Service Unavailable"}' },
    'the integration waits no longer'
  )

  executor.behaviour = ({ payload }) => outcome(payload.toString())
  const large = await rawConnection(t, port)
  large.socket.write(`POST / HTTP/1.1\r\nhost: ${HOST}\r\ncontent-length: 10485761\r\n\r\n`)
  await until('an answer', () => large.received.includes('}'))
  t.match(large.received, /^HTTP\/1\.1 413[^]*\{"message":"Request Entity Too Large"\}/, 'before the body is there')
  t.match(
    await call('/', { method: 'POST', body: Buffer.alloc(6_291_456, 1) }),
    { status: 413 },
    'too much for a function'
  )
  t.match(await call('/', { headers: { big: 'x'.repeat(10_300) } }), { status: 431 })

  policies.put('hello', '', letsApisIn(`arn:aws:execute-api:us-east-1:000000000000:${API}/*/$default`))
  t.match(await call('/'), { status: 200 }, 'the policy names a route')
  t.match(await call('/slow'), failed, 'and not this one')
  policies.remove('hello', '')
  t.match(await call('/'), failed, 'nobody lets the API in')
  functions.update('hello', () => undefined)
  t.match(await call('/'), failed)

  const status = JSON.parse((await ask(port, '/v1/triggers/http/shop/status')).body) as { lastError: object }
  t.match(status, {
    requests: Number,
    failed: Number,
    problem: null,
    lastError: { reason: 'no_function', route: '$default $default' }
  })
  t.match(await ask(port, '/v1/triggers/http/none/status'), { status: 404 })
  const test = await ask(port, `/v1/triggers/http/${API}/test`, { method: 'POST', body: '{"path":"/slow"}' })
  t.match(JSON.parse(test.body), { matches: true, routeKey: 'GET /slow', function: /:function:hello$/ })
  const metrics = (await ask(port, '/metrics')).body
  t.match(
    metrics,
    /hearth_http_request_duration_seconds_count\{service="gateway",route="api",method="GET",code="503"\} \d/
  )
  t.match(metrics, /hearth_api_failures_total\{reason="permission"\} 2/)
  t.match(metrics, /hearth_api_failures_total\{reason="timeout"\} 1/)
})

t.test('throttles, AWS_IAM, and routes that need the guard', async (t) => {
  const { call, eventOf, executor, owned, users, port } = await startApi(
    t,
    {
      'GET /two': {},
      'GET /none': {},
      'GET /iam': { authorization: 'AWS_IAM' },
      'POST /iam': { authorization: 'AWS_IAM', integration: { payloadFormat: '1.0' } },
      'GET /jwt': { authorization: 'JWT' },
      'GET /custom': { authorization: 'CUSTOM' },
      'GET /key': { apiKeyRequired: true }
    },
    { stages: [{ throttle: {}, routeThrottles: { 'GET /two': { rate: 0.001, burst: 2 }, 'GET /none': { rate: 0 } } }] }
  )
  const tooMany = { status: 429, body: '{"message":"Too Many Requests"}' }
  t.match(await call('/two'), { status: 200 })
  t.match(await call('/two'), { status: 200 })
  t.match(await call('/two'), tooMany)
  t.match(await call('/none'), tooMany)

  const forbidden = { status: 403, body: '{"message":"Forbidden"}' }
  t.match(await call('/iam'), forbidden)
  t.match(await call('/iam', { headers: { authorization: 'Bearer wrong' } }), forbidden)
  const event = await eventOf('/iam', { headers: { authorization: BEARER } })
  t.match(event.requestContext, { authorizer: { iam: { userArn: 'arn:aws:iam::000000000000:user/admin' } } })
  t.notOk('authorization' in event.headers)
  executor.behaviour = ({ payload }) => outcome(JSON.stringify({ statusCode: 200, body: payload.toString() }))
  const old = await eventOf('/iam', { method: 'POST', headers: { authorization: BEARER }, body: '{}' })
  t.match(old.requestContext, { identity: { userArn: 'arn:aws:iam::000000000000:user/admin' } })
  const path = `/api/${API}/iam`
  const key = { accessKeyId: ADMIN.accessKeyId, secretAccessKey: SECRET }
  const sent = async (service: string, body: string) =>
    await ask(port, path, {
      auth: false,
      method: 'POST',
      body,
      headers: signed(key, { method: 'POST', path, body: '{"a":1}', port, service })
    })
  const signedEvent = await sent('execute-api', '{"a":1}')
  t.match(JSON.parse(signedEvent.body), { requestContext: { identity: { accessKey: ADMIN.accessKeyId } } })
  t.notMatch(signedEvent.body, /aws4-hmac/i, 'a signature goes to no function')
  t.match(await sent('execute-api', '{"a":2}'), forbidden, 'another body than was signed')
  t.match(await sent('lambda', '{"a":1}'), forbidden, 'for another service')
  const { userId } = users.find('admin')!
  owned.detach(userId, 'arn:aws:iam::aws:policy/AdministratorAccess')
  t.match(await call('/iam', { headers: { authorization: BEARER } }), forbidden, 'somebody who may not')

  for (const path of ['/jwt', '/custom'])
    t.match(await call(path), { status: 500 }, `${path}: its authorizer is not there`)
  t.match(await call('/key'), forbidden, 'nobody has a key')
})

t.test('a guard is asked before the body is there, and what it says goes into the event', async (t) => {
  const asked: GuardedRequest[] = []
  let verdict: Verdict = {
    isAllowed: false,
    status: 401,
    message: 'Unauthorized',
    headers: ['www-authenticate', 'Bearer']
  }
  const guard: Guard = {
    check(request, done) {
      asked.push(request)
      setImmediate(done, verdict)
    }
  }
  const jwt = { authorization: 'JWT' as const, authorizerId: 'a1' }
  const authorizer = {
    id: 'a1',
    name: 'tokens',
    type: 'JWT' as const,
    identitySources: ['$request.header.Authorization'],
    jwt: { issuer: 'https://issuer.example', audience: ['shop'] },
    simpleResponses: false,
    ttlSeconds: 0
  }
  const { call, eventOf, executor, port } = await startApi(
    t,
    {
      'POST /two/{id}': jwt,
      'POST /one/{id}': { ...jwt, integration: { payloadFormat: '1.0' } },
      $default: { apiKeyRequired: true }
    },
    { stages: [{ name: 'dev' }], authorizers: [authorizer] },
    { guard }
  )
  const connection = await rawConnection(t, port)
  connection.socket.write(
    `POST /dev/two/7?a=1 HTTP/1.1\r\nhost: ${HOST}\r\nexpect: 100-continue\r\ncontent-length: 99\r\n\r\n`
  )
  await until('an answer', () => connection.received.includes('}'))
  t.match(connection.received, /^HTTP\/1\.1 401[^]*www-authenticate: Bearer\r\n[^]*\{"message":"Unauthorized"\}/)
  t.match(asked, [
    {
      route: { key: 'POST /two/{id}' },
      authorizer: { name: 'tokens' },
      stage: { name: 'dev' },
      path: '/two/7',
      rawQuery: 'a=1',
      pathParameters: { id: '7' },
      domainName: HOST,
      sourceIp: '127.0.0.1'
    }
  ])
  executor.behaviour = ({ payload }) => outcome(JSON.stringify({ statusCode: 200, body: payload.toString() }))
  const post = (path: string) => eventOf(path, { method: 'POST', body: 'x'.repeat(100_000) })
  verdict = { isAllowed: true, authorizer: { kind: 'jwt', claims: { sub: 'ada' }, scopes: ['read'] } }
  t.match(await post('/dev/two/7'), {
    requestContext: { authorizer: { jwt: { claims: { sub: 'ada' }, scopes: ['read'] } } },
    body: /^.{133336}$/
  })
  t.match((await post('/dev/one/7')).requestContext, { authorizer: { claims: { sub: 'ada' }, scopes: ['read'] } })
  verdict = { isAllowed: true, authorizer: { kind: 'lambda', principalId: 'p', context: { plan: 'gold' } } }
  t.match((await post('/dev/two/7')).requestContext, { authorizer: { lambda: { plan: 'gold' } } })
  t.match((await post('/dev/one/7')).requestContext, { authorizer: { principalId: 'p', plan: 'gold' } })
  verdict = { isAllowed: true, authorizer: undefined }
  t.notOk('authorizer' in (await post('/dev/other')).requestContext)
  verdict = { isAllowed: true, authorizer: undefined, apiKeyId: 'k1' }
  const keyed = await eventOf('/dev/other', { headers: { 'x-api-key': 'secret', 'x-other': '1' } })
  t.match(keyed, { headers: { 'x-other': '1' }, requestContext: { apiKeyId: 'k1' } })
  t.notMatch(JSON.stringify(keyed), 'secret', 'the key is for the gateway')
  const open = await eventOf('/dev/one/7', { method: 'POST', headers: { 'x-api-key': 'its own' } })
  t.match(open, { headers: { 'x-api-key': 'its own' } }, 'where none is asked for it is the function’s affair')
  verdict = { isAllowed: false, status: 429, message: 'Limit Exceeded' }
  t.match(await call('/dev/other'), { status: 429, body: '{"message":"Limit Exceeded"}' })
})

t.test('CORS of an API', async (t) => {
  const cors = { allowOrigins: ['https://a.example'], allowMethods: ['GET'], allowHeaders: ['x-a'], maxAge: 5 }
  const harness = await startApi(
    t,
    { 'GET /x': {}, 'ANY /open': {}, 'ANY /locked': { authorization: 'AWS_IAM' }, 'OPTIONS /own': {} },
    { api: { cors } }
  )
  const { call, executor } = harness
  executor.behaviour = () =>
    outcome('{"statusCode":200,"headers":{"access-control-allow-origin":"https://evil.example"}}')
  const ask = (path: string, origin = 'https://a.example') =>
    call(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
  const allowed = {
    status: 204,
    headers: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'x-a',
      'access-control-max-age': '5'
    }
  }
  for (const path of ['/x', '/open', '/own', '/without-route']) t.match(await ask(path), allowed, path)
  t.match(await ask('/x', 'https://b.example'), { status: 204, headers: { 'access-control-allow-origin': undefined } })
  t.match(await ask('/locked'), { status: 403 }, 'a route for all methods has its authorizer for this one too')
  t.match(await call('/x', { headers: { origin: 'https://a.example' } }), {
    status: 200,
    headers: { 'access-control-allow-origin': 'https://a.example' }
  })
  t.match(await call('/none', { headers: { origin: 'https://a.example' } }), {
    status: 404,
    headers: { 'access-control-allow-origin': 'https://a.example' }
  })
  t.match((await call('/x')).headers['access-control-allow-origin'], undefined)
  publish(harness, { 'GET /x': {} }, { api: { cors: { allowOrigins: ['https://*'] } } })
  t.match((await ask('/x', 'https://any.example')).headers['access-control-allow-origin'], 'https://any.example')
  for (const origin of ['http://any.example', 'null', 'https', 'httpsx://a']) {
    t.equal((await ask('/x', origin)).headers['access-control-allow-origin'], undefined, origin)
  }
  publish(harness, { 'GET /x': {}, 'OPTIONS /own': {} })
  t.match(await ask('/x'), { status: 404 }, 'without a configuration OPTIONS is a method like any other')
  t.match(await ask('/own'), { status: 200, headers: { 'access-control-allow-origin': 'https://evil.example' } })
})

t.test('hostile requests get a clear 4xx', async (t) => {
  const { call, port, eventOf } = await startApi(t, { 'ANY /{proxy+}': {} })
  for (const path of [
    '/%zz',
    '/%',
    '/%ff',
    '/a%00b',
    '/..',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a%2f..%2fb',
    '/a/.%2e',
    '/a\\..\\b',
    '/a/%252e%252e/b',
    '/a/.%09./b',
    `/${'a/'.repeat(200)}../x`
  ]) {
    t.match(await call(path), { status: 400, body: '{"message":"Bad Request"}' }, path.slice(0, 40))
  }
  for (const path of ['/...', '/.a', '/a..', '/a.b/c', '/%25zz', '//', `/${'a/'.repeat(2_000)}`, '/?%zz=%zz&=&&']) {
    t.equal((await call(path)).status, 200, path.slice(0, 40))
  }
  t.match(await eventOf('/a%3Fadmin=1?b=2'), { rawPath: '/a', rawQueryString: 'b=2' }, 'a question mark ends a path')
  for (const host of ['', '.', '%', `${API}.`, `${'x'.repeat(5_000)}.lambda-url.localhost`, `x.${HOST}`]) {
    const { status } = await call('/metrics', {}, host)
    t.ok(status >= 400 && status < 500, `${host.slice(0, 20)}: ${status}`)
  }
  for (const line of [`GET http://127.0.0.1/x HTTP/1.1`, 'OPTIONS * HTTP/1.1', 'GET x HTTP/1.1']) {
    const connection = await rawConnection(t, port)
    connection.socket.write(`${line}\r\nhost: ${HOST}\r\n\r\n`)
    await until('an answer', () => connection.received.includes('\r\n\r\n'))
    t.match(connection.received, /^HTTP\/1\.1 400/, line)
  }
})

t.test('files of a folder beside the routes', async (t) => {
  const sha256 = 'f'.repeat(64)
  const folder = { sha256, index: 'index.html', uploadedAt: 1 }
  const harness = await startApi(
    t,
    { 'ANY /api/{proxy+}': {} },
    { api: { static: folder }, stages: [{}, { name: 'dev' }] }
  )
  const { call, port, dataDir } = harness
  const root = codeDirOf(dataDir, sha256)
  const page = '<h1>Hé</h1>'
  mkdirSync(path.join(root, 'docs'), { recursive: true })
  mkdirSync(path.join(root, 'empty'))
  for (const file of ['index.html', 'docs/index.html', 'a b#?.html', '.secret'])
    writeFileSync(path.join(root, file), page)
  writeFileSync(path.join(root, 'app.js'), 'x'.repeat(300_000))
  writeFileSync(path.join(root, 'none.txt'), '')
  writeFileSync(path.join(dataDir, 'outside.html'), 'outside')
  symlinkSync(path.join(dataDir, 'outside.html'), path.join(root, 'link.html'))
  symlinkSync(dataDir, path.join(root, 'dir'))

  const first = await call('/')
  t.match(first, { status: 200, body: page, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(first.headers, { 'cache-control': 'public, max-age=0, must-revalidate', 'x-content-type-options': 'nosniff' })
  const { etag = '' } = first.headers
  for (const sent of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    t.match(await call('/', { headers: { 'if-none-match': sent } }), { status: 304, body: '' }, sent)
  }
  t.match(await call('/', { headers: { 'if-none-match': '"x"', range: 'bytes=0-1' } }), { status: 200, body: page })
  t.equal((await call('/app.js')).body.length, 300_000)
  t.match(await call('/app.js', { method: 'HEAD' }), { status: 200, body: '', headers: { 'content-length': '300000' } })
  t.match(await call('/none.txt'), { status: 200, body: '' })
  t.match(await call('/docs'), { status: 301, headers: { location: './docs/' } })
  t.match(await call('/docs/'), { status: 200, body: page })
  t.match(await call('/dev/docs/'), { status: 200 }, 'in every stage')
  t.match(await call('/a%20b%23%3F.html'), { status: 404 }, 'an escaped question mark ends the path')
  t.match((await ask(port, `/api/${API}/`, { auth: false })).headers['content-security-policy'], /^sandbox /)
  t.match(await call('/api/x'), { status: 200, body: /"routeKey":"ANY \/api\/\{proxy\+\}"/ }, 'routes come first')
  for (const gone of ['/none', '/empty/', '/.secret', '/docs/.x', '/link.html', '/dir/outside.html', '/index.html/']) {
    t.match(await call(gone), NOT_FOUND, gone)
  }
  t.match(await call('/', { method: 'POST', body: 'x' }), NOT_FOUND)
  for (const escape of ['/../hearth.db', '/%2e%2e/hearth.db', '/..%5chearth.db', '/%00', '/docs%2f..%2f..']) {
    t.match(await call(escape), { status: 400 }, escape)
  }
  publish(harness, {}, { api: { static: { ...folder, notFound: 'index.html' } } })
  t.match(await call('/some/page'), { status: 200, body: page }, 'the app finds its way')
  t.match(await call('/gone.js'), NOT_FOUND, 'a file is no page')
  publish(harness, {}, { api: { static: { ...folder, notFound: 'docs/index.html' } } })
  t.match(await call('/some/page', { headers: { 'if-none-match': '*' } }), { status: 404, body: page })

  publish(harness, { $default: {} }, { api: { static: { ...folder, notFound: 'index.html' } } })
  t.match(await call('/docs/'), { status: 200, body: page }, 'files go before $default')
  const rest = { status: 200, body: /"routeKey":"\$default"/ }
  t.match(await call('/some/page'), rest, 'which takes what there is no file for')
  t.match(await call('/docs/', { method: 'POST', body: 'x' }), rest)
  publish(harness, { $default: { apiKeyRequired: true } }, { api: { static: folder } })
  t.match(await call('/docs/'), { status: 403 }, 'and everything where not everybody is let in')
})
