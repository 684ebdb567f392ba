// How often one may ask, and be wrong.
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { startControlPlane } from './support.ts'

t.test('a key that asks for too much is told when to come back, in each dialect', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const { app, inject, get } = await startControlPlane(t, {
    now: () => new Date(now),
    limits: { requestRate: 2, authFailures: 0 }
  })
  const made = await inject({ method: 'POST', url: '/v1/keys', payload: { user: 'admin', label: 'other' } })
  t.equal(made.statusCode, 201)
  for (let i = 1; i < 10; i += 1) t.equal((await get('/v1/functions')).statusCode, 200, 'five times the rate at once')

  const problem = await get('/v1/functions')
  t.match(problem, { statusCode: 429, headers: { 'retry-after': '1' } })
  t.match(problem.json(), { code: 'RATE_EXCEEDED', reason: 'CallerRateLimitExceeded', retryable: true })
  const aws = await get('/2015-03-31/functions')
  t.match(aws, { statusCode: 429, headers: { 'retry-after': '1', 'x-amzn-errortype': 'TooManyRequestsException' } })
  t.strictSame(aws.json(), { Type: 'User', message: 'Rate exceeded', Reason: 'CallerRateLimitExceeded' })
  const query = await get('/?Action=ListUsers&Version=2010-05-08')
  t.match(query, { statusCode: 400, headers: { 'retry-after': '1' }, body: /<Code>Throttling<.*Rate exceeded/ })
  t.equal((await get('/2015-03-31/functions/f')).statusCode, 429, 'before it is looked whether there is such a thing')

  const { token } = made.json<{ token: string }>()
  const other = await app.inject({ url: '/v1/functions', headers: { authorization: `Bearer ${token}` } })
  t.equal(other.statusCode, 200, 'another key of the same user is not bothered')
  t.equal((await app.inject('/healthz')).statusCode, 200, 'nor is who needs none')
  now += 500
  t.equal((await get('/v1/functions')).statusCode, 200, 'a second brings two more')
  t.equal((await get('/v1/functions')).statusCode, 429)
  now += 60_000
  const metrics = await get('/metrics')
  t.match(metrics.body, /hearth_throttled_requests_total\{reason="rate"\} 5/)
})

t.test('an address that tries keys has to wait longer and longer, and good keys never', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const { app, get, token } = await startControlPlane(t, {
    now: () => new Date(now),
    limits: { requestRate: 0, authFailures: 3 }
  })
  const wrong = (remoteAddress: string, headers: Record<string, string> = {}, url = '/v1/functions') =>
    app.inject({ url, remoteAddress, headers: { authorization: 'Bearer hearth_wrong', ...headers } })
  const A = '192.0.2.1'
  for (let i = 0; i < 3; i += 1) t.equal((await wrong(A)).statusCode, 401)
  const told = await wrong(A)
  t.match(told, { statusCode: 429, headers: { 'retry-after': '1' } })
  t.match(told.json(), { code: 'AUTHENTICATION_THROTTLED' })
  t.match((await wrong(A, {}, '/2015-03-31/functions')).json(), { Type: 'User', message: 'Rate exceeded' })
  const iam = await wrong(A, {}, '/?Action=ListUsers&Version=2010-05-08')
  t.match(iam, { statusCode: 400, body: /<Code>Throttling</ })

  t.equal((await get('/v1/functions')).statusCode, 200, 'a good key from elsewhere')
  const good = { authorization: `Bearer ${token}` }
  t.equal(
    (await app.inject({ url: '/v1/functions', remoteAddress: A, headers: good })).statusCode,
    200,
    'and from there'
  )
  t.equal((await app.inject({ url: '/v1/functions', remoteAddress: A })).statusCode, 401, 'no key is no try')

  // What somebody claims of himself counts for nothing.
  t.equal((await wrong('192.0.2.2', { 'x-forwarded-for': A })).statusCode, 401, 'a stranger is not counted as another')
  t.equal((await wrong(A, { 'x-forwarded-for': '192.0.2.77' })).statusCode, 429, 'nor is this one taken for a stranger')
  for (let i = 0; i < 3; i += 1) await wrong(`2001:db8:0:1::${i}`)
  t.equal((await wrong('2001:db8:0:1:ffff::9')).statusCode, 429, 'all of a network of IPv6 is one')
  t.equal((await wrong('2001:db8:0:2::1')).statusCode, 401)

  const waits: string[] = []
  for (let i = 0; i < 8; i += 1) {
    now += 1_000 * 2 ** i
    const answer = await wrong(A)
    waits.push(answer.statusCode === 429 ? String(answer.headers['retry-after']) : String(answer.statusCode))
  }
  t.strictSame(waits, ['2', '4', '8', '16', '401', '401', '401', '401'], 'twenty seconds bring another try')
  now += 120_000
  for (let i = 0; i < 3; i += 1) t.equal((await wrong(A)).statusCode, 401, 'after a quiet minute all begins anew')
  t.equal((await wrong(A)).headers['retry-after'], '1')
})

t.test('a body that is too long is not taken in, whoever sends it', async (t) => {
  const { app, token } = await startControlPlane(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  /** Sends the head and a first piece alone: an answer that comes did not wait for the rest. */
  const begin = (authorization: string, length: number) =>
    new Promise<number>((resolve, reject) => {
      const headers = { authorization, 'content-length': length }
      const sent = httpRequest(
        { port, host: '127.0.0.1', method: 'PUT', path: '/v1/functions/f', headers },
        (answer) => {
          resolve(answer.statusCode ?? 0)
          sent.destroy()
        }
      )
      sent.on('error', reject)
      sent.write('x')
    })
  t.equal(await begin('Bearer hearth_wrong', 1_000), 401)
  t.equal(await begin(`Bearer ${token}`, 1_000_000_000), 413)
})

t.test('browsers are told to run, frame and guess nothing', async (t) => {
  const { app, get } = await startControlPlane(t)
  for (const answer of [await get('/v1/functions'), await app.inject('/'), await app.inject('/docs')]) {
    t.match(answer.headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    t.match(answer.headers['content-security-policy'], /default-src 'none'/)
    t.notOk(answer.headers['access-control-allow-origin'])
  }
  const page = await app.inject('/docs/')
  t.match(page, { statusCode: 200, headers: { 'content-security-policy': /script-src 'self'/ } })
  t.notMatch(page.body, /<script>[^<]/, 'no script of the page stands in it')
  const preflight = { origin: 'https://example.com', 'access-control-request-method': 'PUT' }
  const asked = await app.inject({ method: 'OPTIONS', url: '/v1/functions/f', headers: preflight })
  t.notOk(asked.headers['access-control-allow-origin'], 'pages of other origins may not')
})
