import { createHash, createHmac } from 'node:crypto'
import { canonicalRequest, type FunctionUrl, signingKey } from '@hearth/shared'
import t, { type Test } from 'tap'
import { ADMIN, ask, BEARER, outcome, rawConnection, record, SECRET, startGateway, until } from './harness.ts'

const ID = 'a3k7xexample2qzvv5nfo3s7he0lzqkw'
const HOST = `${ID}.lambda-url.localhost`
const AT = '2026-01-02T03:04:05.000Z'

const urlOf = (changes: Partial<FunctionUrl> = {}): FunctionUrl => ({
  id: ID,
  functionName: 'hello',
  qualifier: undefined,
  authType: 'NONE',
  cors: undefined,
  invokeMode: 'BUFFERED',
  createdAt: AT,
  lastModified: AT,
  ...changes
})

/** What AWS asks of a public URL: both actions, to everybody. */
const PUBLIC = {
  revisionId: '1',
  statements: ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'].map((Action, i) => ({
    Sid: `public${i}`,
    Effect: 'Allow',
    Principal: '*',
    Action,
    Resource: '*',
    ...(i === 0 ? { Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } } } : {})
  }))
}

interface Event {
  headers: Record<string, string>
  rawPath: string
  requestContext: { accountId: string; authorizer?: object; http: { path: string; sourceIp: string } } & Record<
    string,
    unknown
  >
}

/** A gateway whose function `hello` has a URL; functions answer with their event. */
async function start(t: Test, changes: Partial<FunctionUrl> = {}) {
  const harness = await startGateway(t, { functions: [record('hello'), record('other')] })
  harness.urls.update('hello', changes.qualifier, () => urlOf(changes))
  harness.policies.put('hello', changes.qualifier ?? '', PUBLIC)
  const call = (path = '/', options: Parameters<typeof ask>[2] = {}, host = HOST) =>
    ask(harness.port, path, { auth: false, ...options, headers: { host, ...options.headers } })
  const eventOf = async (...args: Parameters<typeof call>) => JSON.parse((await call(...args)).body) as Event
  return { ...harness, call, eventOf }
}

t.test('a public URL is public only where the policy of its function says so', async (t) => {
  const { call, policies, eventOf } = await start(t)
  const put = (statements: readonly object[]) => {
    policies.put('hello', '', { revisionId: '2', statements: statements as typeof PUBLIC.statements })
  }
  policies.remove('hello', '')
  const refused = await call()
  t.equal(refused.status, 403)
  t.equal(refused.headers['x-amzn-errortype'], 'AccessDeniedException')
  t.match(JSON.parse(refused.body), { Message: /^Forbidden\. For troubleshooting/ })
  const [url] = PUBLIC.statements
  put([url!])
  t.match(await eventOf(), { rawPath: '/' }, 'as deploy tools permit it')
  put([{ ...url, Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } } }])
  t.equal((await call()).status, 403)
  const viaUrl = { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }
  put([url!, { ...url, Sid: 'no', Effect: 'Deny', Action: 'lambda:InvokeFunction', Condition: viaUrl }])
  t.equal((await call()).status, 403)
})

t.test('a public URL answers at its host, with every path and method of its own', async (t) => {
  const { call, eventOf, port } = await start(t)
  for (const path of [
    '/',
    '/v1/functions/other/invocations',
    '/fn/other',
    '/2015-03-31/functions',
    '/metrics',
    '/%zz'
  ]) {
    t.match(await eventOf(path, { method: 'POST', body: '{}' }), { rawPath: path }, path)
  }
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    t.match(
      await eventOf('/a?b=1', { method }),
      { requestContext: { http: { method } }, rawQueryString: 'b=1' },
      method
    )
  }
  t.match(await eventOf('/pa2%2Fth', {}, `${HOST.toUpperCase()}.:${port}`), {
    rawPath: '/pa2%2Fth',
    requestContext: {
      accountId: 'anonymous',
      authorizer: undefined,
      apiId: ID,
      domainName: HOST,
      domainPrefix: ID,
      http: { path: '/pa2/th', sourceIp: '127.0.0.1' }
    }
  })
  t.match(await call('/', { headers: { host: HOST } }), {
    status: 200,
    headers: { 'x-amzn-requestid': /^[0-9a-f-]{36}$/ }
  })
  t.match(await ask(port, '/.function-host'), { status: 503 }, 'no way in by the name of the inner route')
})

t.test('no other host leads to a function', async (t) => {
  const { call, port } = await start(t)
  const nowhere = { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' }, body: '{"Message":null}' }
  for (const label of ['b'.repeat(32), 'hello', '', 'x'.repeat(200), `a.${ID}`, '%2e', '*']) {
    t.match(
      await call('/fn/hello', { headers: { authorization: BEARER } }, `${label}.lambda-url.localhost`),
      nowhere,
      label
    )
  }
  for (const host of [
    'localhost',
    '127.0.0.1',
    '[::1]:80',
    'lambda-url.localhost',
    `${HOST}.example.com`,
    ID,
    'x'.repeat(5_000)
  ]) {
    t.match(await call('/fn/hello', {}, host), { status: 401 }, `${host.slice(0, 60)} is the server`)
  }
  const connection = await rawConnection(t, port)
  connection.socket.write(`GET http://127.0.0.1/fn/hello HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`)
  await until('an answer', () => connection.received.includes('\r\n\r\n'))
  t.match(connection.received, /^HTTP\/1\.1 400/, 'a whole URL as the target')
  t.match(await call('/', { method: 'POST', body: Buffer.alloc(6_291_457) }), { status: 413 })
})

t.test('what is deleted or changed holds for the very next request', async (t) => {
  const { call, urls, functions } = await start(t)
  t.match(await call(), { status: 200 })
  urls.update('hello', undefined, () => urlOf({ authType: 'AWS_IAM' }))
  t.match(await call(), { status: 403, body: /^\{"Message":"Forbidden\. For troubleshooting/ })
  urls.update('hello', undefined, () => undefined)
  t.match(await call(), { status: 403, body: '{"Message":null}' })
  urls.update('hello', undefined, () => urlOf())
  t.match(await call(), { status: 200 })
  functions.update('hello', () => undefined)
  t.match(await call(), { status: 403, body: '{"Message":null}' })
  functions.create(record('hello'))
  t.match(await call(), { status: 403 }, 'the next function of the name is not public')
  urls.update('hello', 'gone', () => urlOf({ qualifier: 'gone' }))
  t.match(await call(), { status: 403, body: /Forbidden/ }, 'an alias that is not there')
})

t.test('AWS_IAM wants a signature or a key, and the event says whose', async (t) => {
  const { call, eventOf } = await start(t, { authType: 'AWS_IAM' })
  const denied = { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' }, body: /Forbidden/ }
  t.match(await call(), denied)
  t.match(await call('/', { headers: { authorization: 'Basic eDp4' } }), denied)
  t.match(await call('/', { headers: { authorization: 'Bearer x' } }), { status: 403 })
  t.match(await eventOf('/', { headers: { authorization: BEARER } }), {
    headers: { authorization: undefined },
    requestContext: {
      accountId: '000000000000',
      authorizer: { iam: { accessKey: ADMIN.accessKeyId, userArn: ADMIN.principal.arn } }
    }
  })
  const signed = (service: string, body: string) => {
    const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const hash = createHash('sha256').update(body).digest('hex')
    const headers = { host: HOST, 'x-amz-date': at }
    const names = Object.keys(headers)
    const canonical = canonicalRequest({ method: 'POST', rawUrl: '/a?b=1', headers, body: undefined }, names, hash)
    const scope = `${at.slice(0, 8)}/us-east-1/${service}/aws4_request`
    const text = ['AWS4-HMAC-SHA256', at, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
    const key = signingKey(SECRET, at.slice(0, 8), 'us-east-1', service)
    const signature = createHmac('sha256', key).update(text).digest('hex')
    const credential = `Credential=${ADMIN.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
    return { method: 'POST', headers: { ...headers, authorization: `AWS4-HMAC-SHA256 ${credential}` } }
  }
  t.match(await eventOf('/a?b=1', { ...signed('lambda', 'x'), body: 'x' }), {
    requestContext: { authorizer: { iam: { accessKey: ADMIN.accessKeyId } } }
  })
  t.match(await call('/a?b=1', { ...signed('lambda', 'x'), body: 'y' }), { status: 403 }, 'another body')
  t.match(await call('/a?b=2', { ...signed('lambda', 'x'), body: 'x' }), { status: 403 }, 'another query')
  t.match(await call('/a?b=1', { ...signed('sqs', 'x'), body: 'x' }), { status: 403 }, 'for another service')
})

t.test('a public function gets the Authorization header of its own clients, never a key of the server', async (t) => {
  const { eventOf } = await start(t)
  t.match(await eventOf('/', { headers: { authorization: 'Bearer of-the-function' } }), {
    headers: { authorization: 'Bearer of-the-function' }
  })
  for (const authorization of [BEARER, 'AWS4-HMAC-SHA256 Credential=x']) {
    const { headers } = await eventOf('/', { headers: { authorization } })
    t.notOk('authorization' in headers, authorization.slice(0, 8))
  }
  const { headers, requestContext } = await eventOf('/', { headers: { 'x-forwarded-for': '1.2.3.4' } })
  t.equal(headers['x-forwarded-for'], '127.0.0.1')
  t.equal(requestContext.http.sourceIp, '127.0.0.1')
})

t.test('by path the same URL answers, in an origin of its own', async (t) => {
  const { port } = await start(t)
  const answer = await ask(port, `/url/${ID}/a/b?c=1`, { auth: false })
  t.match(answer, { status: 200, headers: { 'content-security-policy': /^sandbox allow-/ } })
  t.notMatch(answer.headers['content-security-policy'], 'allow-same-origin')
  t.match(JSON.parse(answer.body), {
    rawPath: '/a/b',
    requestContext: { apiId: ID, domainName: HOST, domainPrefix: ID, accountId: 'anonymous' }
  })
  t.match(JSON.parse((await ask(port, `/url/${ID}`, { auth: false })).body), { rawPath: '/' })
  t.match(await ask(port, '/url/hello/', { auth: false }), { status: 403, body: '{"Message":null}' })
})

t.test('preflights are answered by the gateway, and the configuration overrides the function', async (t) => {
  const cors = {
    allowOrigins: ['https://a.example', 'https://b.example'],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['x-one', 'x-two'],
    exposeHeaders: ['x-three'],
    allowCredentials: true,
    maxAge: 60
  }
  const { call, executor, urls } = await start(t, { authType: 'AWS_IAM', cors })
  let runs = 0
  executor.behaviour = () => {
    runs += 1
    const headers = { 'access-control-allow-origin': '*', 'Access-Control-Max-Age': '9', 'x-three': '3', vary: 'x' }
    return outcome(JSON.stringify({ statusCode: 200, headers, body: '' }))
  }
  const ofA = { origin: 'https://a.example' }
  const ofC = { origin: 'https://c.example' }
  const asking = { 'access-control-request-method': 'POST' }
  const preflight = await call('/', { method: 'OPTIONS', headers: { ...ofA, ...asking } })
  t.match(preflight, {
    status: 200,
    headers: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'x-one,x-two',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
      vary: 'Origin'
    }
  })
  const stranger = await call('/', { method: 'OPTIONS', headers: { ...ofC, ...asking } })
  t.equal(stranger.status, 200)
  t.notMatch(JSON.stringify(stranger.headers), 'access-control')
  t.equal(runs, 0, 'no function ran')

  const auth = { authorization: BEARER }
  const answer = await call('/', { headers: { ...ofA, ...auth } })
  t.match(answer.headers, {
    'access-control-allow-origin': 'https://a.example',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'x-three',
    'access-control-max-age': undefined,
    vary: 'x, Origin'
  })
  for (const headers of [auth, { ...auth, ...ofC }]) {
    t.notMatch(JSON.stringify((await call('/', { headers })).headers), 'access-control')
  }
  t.match(await call('/', { method: 'OPTIONS', headers: { ...auth, ...ofA } }), { status: 200 })
  t.equal(runs, 4, 'OPTIONS that is no preflight is the function’s')
  t.match(await call('/', { headers: ofA }), {
    status: 403,
    headers: { 'access-control-allow-origin': 'https://a.example' }
  })

  urls.update('hello', undefined, () => urlOf({ cors: { allowOrigins: ['*'], allowHeaders: ['*'] } }))
  const anyone = await call('/', { method: 'OPTIONS', headers: { ...ofC, ...asking } })
  t.match(anyone.headers, { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', vary: undefined })
  urls.update('hello', undefined, () => urlOf())
  t.match((await call('/', { headers: ofC })).headers, { 'access-control-max-age': '9' }, 'without one, the function’s')
  await call('/', { method: 'OPTIONS', headers: { ...ofC, ...asking } })
  t.equal(runs, 6)
})

t.test('a failed function says nothing of itself', async (t) => {
  const { call, executor, port } = await start(t)
  executor.behaviour = () => outcome('{"errorMessage":"secret"}', { status: 'crash', errorType: 'Secret.Type' })
  const answer = await call()
  t.match(answer, { status: 502, body: 'Internal Server Error' })
  t.notMatch(JSON.stringify(answer.headers), /secret/i)
  t.match((await ask(port, '/fn/hello')).headers, { 'x-hearth-function-error': 'Secret.Type' })
})

t.test('a domain answers as the URL of its function does', async (t) => {
  const { call, eventOf, urls } = await start(t)
  const domain = { host: 'api.example.com', functionName: 'hello', qualifier: undefined, createdAt: AT }
  t.match(await call('/healthz', {}, 'api.example.com'), { body: '{"status":"alive"}' }, 'not there yet')
  urls.putDomain(domain, () => undefined)
  t.match(await eventOf('/healthz', {}, 'API.example.com.:8080'), {
    rawPath: '/healthz',
    requestContext: { apiId: ID, domainName: 'api.example.com', domainPrefix: 'api' }
  })
  t.match(await call('/healthz', {}, 'x.api.example.com'), { body: '{"status":"alive"}' }, 'exactly this name')
  urls.update('hello', undefined, () => undefined)
  t.match(await call('/healthz', {}, 'api.example.com'), { status: 403, body: '{"Message":null}' })
  urls.removeDomain('api.example.com')
  t.match(await call('/healthz', {}, 'api.example.com'), { body: '{"status":"alive"}' })
})

t.test('until the database is there, a function’s host is not taken for the server’s', async (t) => {
  const harness = await startGateway(t, { attached: false })
  const { port } = harness
  t.match(await ask(port, '/healthz', { auth: false, headers: { host: HOST } }), { status: 503 })
  harness.attach()
  t.match(await ask(port, '/healthz', { auth: false, headers: { host: HOST } }), { status: 403 })
})
