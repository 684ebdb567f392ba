// Who is let in to an HTTP API, with the gateway, the control plane, functions and an issuer of tokens as they are.
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'

t.setTimeout(120_000)
const hearth = await startHearth({ env: { HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8' } })
t.teardown(() => hearth.stop())
const put = (url: string, body: object) =>
  hearth.request(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

assert.equal((await hearth.deploy('shop', 'export const handler = async (event) => event', 'timeout=10')).status, 201)
const DECIDES = `
let asked = 0
export const handler = async ({ headers }) => {
  asked += 1
  return { isAuthorized: headers['x-who'] === 'ada', context: { asked } }
}`
assert.equal((await hearth.deploy('decides', DECIDES, 'timeout=10')).status, 201)

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }
const issuing = createServer((req, res) => {
  const { port } = issuing.address() as AddressInfo
  const isKeys = req.url === '/keys'
  res.setHeader('content-type', 'application/json')
  res.end(JSON.stringify(isKeys ? { keys: [jwk] } : { jwks_uri: `http://127.0.0.1:${port}/keys` }))
})
await new Promise<void>((resolve) => issuing.listen(0, '127.0.0.1', resolve))
t.teardown(() => issuing.close())
const issuer = `http://127.0.0.1:${(issuing.address() as AddressInfo).port}`
function token(aud: string, scope: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1_000)
  const signed = `${part({ alg: 'ES256', kid: 'k1' })}.${part({ iss: issuer, aud, scope, iat: now, exp: now + 300 })}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

const made = await put('/v1/triggers/http/shop', {
  routes: {
    'GET /keyed': { function: 'shop', requireKey: true },
    'GET /tokens': { function: 'shop', authorizer: 'users', scopes: ['read'] },
    'GET /asked': { function: 'shop', authorizer: 'decides' }
  },
  authorizers: {
    users: { type: 'jwt', issuer, audience: ['shop'] },
    decides: { type: 'lambda', function: 'decides', identitySources: ['$request.header.x-who'], ttlSeconds: 60 }
  }
})
assert.equal(made.status, 201)
const { apiId } = (await made.json()) as { apiId: string }

async function call(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${hearth.url}/api/${apiId}${path}`, { headers })
  const text = await answer.text()
  return { status: answer.status, text, body: JSON.parse(text) as Record<string, unknown> }
}

t.test('API keys open what their plans say, as often as those say', async (t) => {
  const made = await put('/v1/api-keys/ada', {})
  t.equal(made.status, 201)
  const { value, id } = (await made.json()) as { value: string; id: string }
  t.match(await call('/keyed', { 'x-api-key': value }), { status: 403 }, 'a key without a plan opens nothing')
  const plan = { stages: [{ api: 'shop' }], keys: ['ada'], quota: { limit: 2, period: 'MONTH' } }
  t.equal((await put('/v1/usage-plans/small', plan)).status, 201)
  t.match(await call('/keyed'), { status: 403, body: { message: 'Forbidden' } })
  t.match(await call('/keyed', { 'x-api-key': `${value}x` }), { status: 403 })
  const first = await call('/keyed', { 'x-api-key': value })
  t.match(first, { status: 200, body: { requestContext: { apiKeyId: id } } })
  t.notOk(first.text.includes(value), 'the function does not get the key')
  t.match(await call('/keyed', { 'x-api-key': value }), { status: 200 })
  t.match(await call('/keyed', { 'x-api-key': value }), { status: 429, body: { message: 'Limit Exceeded' } })
  const usage = (await (await hearth.request('/v1/usage-plans/small/usage')).json()) as object
  t.match(usage, { plan: 'small', items: [{ keyId: id }] }, JSON.stringify(usage))
  const slow = { ...plan, quota: null, throttle: { rate: 0.001, burst: 1 } }
  t.equal((await put('/v1/usage-plans/small', slow)).status, 200)
  await eventually(async () => (await call('/keyed', { 'x-api-key': value })).status === 200)
  t.match(await call('/keyed', { 'x-api-key': value }), { status: 429, body: { message: 'Too Many Requests' } })
  t.equal((await put('/v1/api-keys/ada', { enabled: false })).status, 200)
  t.match(await call('/keyed', { 'x-api-key': value }), { status: 403 })
})

t.test('tokens of the issuer, with one of the scopes', async (t) => {
  t.match(await call('/tokens'), { status: 401, body: { message: 'Unauthorized' } })
  const good = await call('/tokens', { authorization: `Bearer ${token('shop', 'write read')}` })
  t.match(good, { status: 200, body: { requestContext: { authorizer: { jwt: { claims: { iss: issuer } } } } } })
  t.match(await call('/tokens', { authorization: token('other', 'read') }), { status: 401 })
  t.match(await call('/tokens', { authorization: token('shop', 'write') }), { status: 403 })
})

t.test('a function decides, and its answer is remembered', async (t) => {
  t.match(await call('/asked'), { status: 401 })
  t.match(await call('/asked', { 'x-who': 'bob' }), { status: 403 })
  for (let n = 0; n < 2; n++) {
    const answer = await call('/asked', { 'x-who': 'ada' })
    t.match(answer, { status: 200, body: { requestContext: { authorizer: { lambda: { asked: 2 } } } } })
  }
})
