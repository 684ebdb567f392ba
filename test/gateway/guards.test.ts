import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createMetrics, createTraces } from '@hearth/gateway'
import type { GuardedRequest, Verdict } from '@hearth/gateway/internal/apis/guard'
import { createGuard, type GuardDeps } from '@hearth/gateway/internal/apis/guards/create-guard'
import type { ApiAuthorizer, ApiRoute, UsagePlan } from '@hearth/shared'
import { createSecretBox, createUsagePlansRepository, openDirectory, openEventQueue, openStore } from '@hearth/store'
import t, { type Test } from 'tap'
import { executorDouble, outcome, record } from './harness.ts'

const SCOPE = { region: 'us-east-1', accountId: '000000000000' }
const API = 'abcdefghij'
const NOW = Date.UTC(2026, 0, 31, 12)

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')

const jwk = (key: KeyObject, kid: string): object => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' })
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signed by hand: what a hostile sender makes, no library does. */
function token(claims: object, header: Record<string, unknown> = {}, key: KeyObject | string = rsa.privateKey): string {
  const head = { alg: 'RS256', kid: 'one', ...header }
  const body = `${part(head)}.${part(claims)}`
  const bytes = Buffer.from(body)
  const signature =
    head.alg === 'none'
      ? Buffer.alloc(0)
      : typeof key === 'string'
        ? createHmac('sha256', key).update(bytes).digest()
        : head.alg === 'ES256'
          ? sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' })
          : sign(head.alg === 'EdDSA' ? null : 'sha256', bytes, key)
  return `${body}.${signature.toString('base64url')}`
}

/** An identity provider on a free port. */
async function startIssuer(t: Test) {
  const issuer = { url: '', keys: [jwk(rsa.publicKey, 'one')] as object[], asked: 0, status: 200, location: '' }
  const server = http.createServer((req, res) => {
    issuer.asked += 1
    if (issuer.location !== '') res.setHeader('location', issuer.location)
    res.statusCode = issuer.status
    if (req.url === '/.well-known/openid-configuration') res.end(JSON.stringify({ jwks_uri: `${issuer.url}/keys` }))
    else res.end(JSON.stringify({ keys: issuer.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => server.close())
  return issuer
}

async function setUp(t: Test, changes: Partial<GuardDeps> = {}) {
  const dir = t.testdir()
  const clock = { now: NOW }
  const db = openStore(path.join(dir, 'hearth.db'), path.resolve('migrations'))
  const plans = createUsagePlansRepository(db)
  const queueOptions = { file: path.join(dir, 'queue.db'), migrationsDir: path.resolve('migrations/queue') }
  const queue = await openEventQueue(queueOptions)
  const executor = executorDouble()
  const pool = executor.openPool({ name: 'auth', version: '$LATEST' } as never)
  const entry = {
    record: record('auth'),
    invokedArn: `arn:aws:lambda:us-east-1:000000000000:function:auth`,
    policy: undefined,
    pool,
    counter: undefined,
    lineage: { enter: (id: string) => id }
  }
  const access = { isAllowed: true, wishes: [] as unknown[] }
  const warnings: object[] = []
  const deps: GuardDeps = {
    scope: SCOPE,
    find: (name) => (name === 'auth' ? (entry as never) : undefined),
    access: () => ({
      mayService(...asked) {
        access.wishes.push(asked)
        return access.isAllowed
      }
    }),
    metrics: createMetrics({ version: '0', now: () => performance.now() }),
    traces: createTraces({ nowMs: Date.now, now: () => performance.now(), tracing: undefined }),
    queue,
    log: { warn: (found: object) => warnings.push(found), error: (found: object) => warnings.push(found) } as never,
    networks: ['127.0.0.1'],
    keySetsDir: undefined,
    isOwnKey: (value) => value === 'Bearer own-key',
    now: () => clock.now,
    ...changes
  }
  const guard = createGuard(deps)
  const reader = openDirectory(path.join(dir, 'hearth.db'), createSecretBox(Buffer.alloc(32, 7)))
  guard.attach(reader)
  t.teardown(async () => {
    await guard.close()
    await queue.close()
    reader.close()
    db.close()
  })
  return { guard, clock, plans, executor, access, warnings, queue, deps, reader }
}

interface Wish {
  readonly route?: Partial<ApiRoute>
  readonly authorizer?: ApiAuthorizer
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  readonly query?: string
  readonly protocol?: 'HTTP' | 'WEBSOCKET'
}

function request({ route, authorizer, headers = {}, path = '/pets/1', query = '', protocol = 'HTTP' }: Wish) {
  const names = Object.entries(headers)
  return {
    req: {
      method: 'GET',
      httpVersion: '1.1',
      headers: Object.fromEntries(names.map(([name, value]) => [name.toLowerCase(), value])),
      rawHeaders: names.flat(),
      socket: { localPort: 80 }
    },
    requestId: randomUUID(),
    traceId: 'Root=1-00000000-000000000000000000000000',
    api: { id: API, protocol },
    stage: { name: '$default', variables: {} },
    route: { id: 'r', key: 'GET /pets/{id}', authorization: 'NONE', apiKeyRequired: false, ...route },
    authorizer,
    path,
    rawQuery: query,
    pathParameters: { id: '1' },
    domainName: `${API}.localhost`,
    sourceIp: '127.0.0.1',
    connectionId: protocol === 'HTTP' ? undefined : 'c1'
  } as unknown as GuardedRequest
}

type Guarded = Awaited<ReturnType<typeof setUp>>['guard']
const check = (guard: Guarded, wish: Wish): Promise<Verdict> =>
  new Promise((resolve) => {
    guard.check(request(wish), resolve)
  })

const described = (verdict: Verdict): string =>
  verdict.isAllowed
    ? 'allowed'
    : `${verdict.status} ${/error_description="(.*)"/.exec(verdict.headers?.[1] ?? '')?.[1] ?? ''}`

t.test('a JWT authorizer takes tokens of its issuer, and nothing that looks like one', async (t) => {
  const issuer = await startIssuer(t)
  const { guard, clock } = await setUp(t)
  const s = NOW / 1_000
  const good = { iss: issuer.url, aud: ['x', 'pets'], exp: s + 60, scope: 'read write', groups: ['a', 'b'], sub: 'ada' }
  const authorizer: ApiAuthorizer = {
    id: 'jwt1',
    name: 'jwt',
    type: 'JWT',
    identitySources: ['$request.header.Authorization'],
    jwt: { issuer: issuer.url, audience: ['pets'] },
    simpleResponses: false,
    ttlSeconds: 0
  }
  const ask = (sent: string | undefined, route: Partial<ApiRoute> = {}): Promise<Verdict> =>
    check(guard, {
      route: { authorization: 'JWT', ...route },
      authorizer,
      ...(sent === undefined ? {} : { headers: { Authorization: sent } })
    })

  const allowed = await ask(`Bearer ${token(good)}`)
  t.match(allowed, { isAllowed: true, authorizer: { kind: 'jwt', scopes: null } })
  t.match(allowed, { authorizer: { claims: { groups: '[a b]', exp: String(s + 60), aud: '[x pets]', sub: 'ada' } } })
  t.match(await ask(token(good), { scopes: ['admin', 'write'] }), { authorizer: { scopes: ['read', 'write'] } })
  const query = { ...authorizer, identitySources: ['$request.querystring.t'] }
  const byQuery = await check(guard, { route: { authorization: 'JWT' }, authorizer: query, query: `t=${token(good)}` })
  t.equal(byQuery.isAllowed, true)

  t.same(await ask(undefined), {
    isAllowed: false,
    status: 401,
    message: 'Unauthorized',
    headers: ['www-authenticate', 'Bearer']
  })
  t.match(await ask('Bearer own-key'), { status: 401 }, 'a key of the server is no token')
  const narrow = await ask(token(good), { scopes: ['admin', 'a"b\n'] })
  t.match(narrow, { status: 403, message: 'Forbidden' })
  t.match(narrow.isAllowed ? '' : narrow.headers?.[1], /^Bearer scope="admin ab" error="insufficient_scope" /)

  const pem = rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string
  const hostile: [name: string, sent: string, description: string][] = [
    ['alg none', token(good, { alg: 'none' }), 'the token is malformed'],
    ['alg none, with something', `${token(good, { alg: 'none' })}AA`, 'the signing method is invalid'],
    ['HS256 with the public key', token(good, { alg: 'HS256' }, pem), 'the signing method is invalid'],
    ['a path as key id', token(good, { kid: '../../../dev/null' }), 'the key id of the token is unknown'],
    ['no key id', token(good, { kid: undefined }), 'the token has no key id'],
    [
      'a key of its own',
      token(good, { jwk: jwk(other.publicKey, 'one') }, other.privateKey),
      'the signature of the token is invalid'
    ],
    ['crit', token(good, { crit: ['exp'] }), 'the token is malformed'],
    ['huge', token({ ...good, x: 'x'.repeat(20_000) }), 'the token is malformed'],
    ['no token', 'Bearer hello', 'the token is malformed'],
    ['an encrypted one', `${token(good)}.a.b`, 'the token is malformed'],
    ['expired', token({ ...good, exp: s }), 'the token has expired'],
    ['without end', token({ ...good, exp: undefined }), 'the token has no expiry'],
    ['an end that is a text', token({ ...good, exp: '9999999999' }), 'the token has no expiry'],
    ['too early', token({ ...good, nbf: s + 30 }), 'the token is not valid yet'],
    ['from the future', token({ ...good, iat: s + 30 }), 'the token was issued in the future'],
    [
      'wrong audience',
      token({ ...good, aud: 'others', client_id: 'pets' }),
      'the token does not have a valid audience'
    ],
    ['wrong issuer', token({ ...good, iss: `${issuer.url}/` }), 'the token does not have a valid issuer'],
    ['EC with an RSA key id', token(good, { alg: 'ES256' }, ec.privateKey), 'the key id of the token is unknown']
  ]
  for (const [name, sent, description] of hostile) t.equal(described(await ask(sent)), `401 ${description}`, name)
  t.equal((await ask(token({ ...good, aud: undefined, client_id: 'pets' }))).isAllowed, true, 'client_id without aud')
  t.equal(issuer.asked, 2, 'however many unknown key ids come, nobody is asked again so soon')

  issuer.keys = [jwk(ec.publicKey, 'two'), jwk(ed.publicKey, 'three')]
  t.equal(
    described(await ask(token(good, { kid: 'two', alg: 'ES256' }, ec.privateKey))),
    '401 the key id of the token is unknown'
  )
  clock.now += 10_000
  t.equal((await ask(token(good, { kid: 'two', alg: 'ES256' }, ec.privateKey))).isAllowed, true, 'rotated')
  t.equal((await ask(token(good, { kid: 'three', alg: 'EdDSA' }, ed.privateKey))).isAllowed, true)
  t.equal(described(await ask(token(good))), '401 the key id of the token is unknown', 'the old key is gone')

  clock.now += 7_200_001
  const later = { ...good, exp: clock.now / 1_000 + 60 }
  issuer.status = 302
  issuer.location = 'http://169.254.169.254/'
  const failed = '401 OIDC discovery endpoint communication error'
  t.equal(
    described(await ask(token(later, { kid: 'two', alg: 'ES256' }, ec.privateKey))),
    failed,
    'no redirect is followed'
  )
  const { asked } = issuer
  await ask(token(later))
  t.equal(issuer.asked, asked, 'an issuer that fails is left alone for a while')
})

t.test('where key sets may come from', async (t) => {
  const issuer = await startIssuer(t)
  const dir = path.join(t.testdirName, 'keys')
  const outside = await setUp(t, { networks: [], keySetsDir: dir })
  mkdirSync(dir)
  writeFileSync(path.join(dir, 'a.json'), JSON.stringify({ issuer: 'urn:mine', keys: [jwk(rsa.publicKey, 'one')] }))
  const claims = { aud: 'pets', exp: NOW / 1_000 + 60 }
  const ask = (iss: string): Promise<Verdict> =>
    check(outside.guard, {
      route: { authorization: 'JWT' },
      authorizer: {
        id: 'jwt1',
        name: 'jwt',
        type: 'JWT',
        identitySources: ['$request.header.Authorization'],
        jwt: { issuer: iss, audience: ['pets'] },
        simpleResponses: false,
        ttlSeconds: 0
      },
      headers: { authorization: token({ ...claims, iss }) }
    })
  t.equal((await ask('urn:mine')).isAllowed, true, 'a file of the operator')
  for (const iss of [
    issuer.url,
    'https://127.0.0.1:1',
    'file:///etc/passwd',
    '../a',
    'http://example.com',
    'https://[::1]:1'
  ]) {
    t.equal(described(await ask(iss)), '401 OIDC discovery endpoint communication error', iss)
  }
  t.equal(issuer.asked, 0)
})

t.test('a Lambda authorizer', async (t) => {
  const { guard, clock, executor, access, warnings } = await setUp(t, { authorizerMs: 200 })
  const simple: ApiAuthorizer = {
    id: 'auth01',
    name: 'auth',
    type: 'REQUEST',
    identitySources: ['$request.header.X-Who', '$request.querystring.q'],
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:auth',
    payloadFormat: '2.0',
    simpleResponses: true,
    ttlSeconds: 300
  }
  const route = { authorization: 'CUSTOM' } as const
  const events: Record<string, unknown>[] = []
  let answer: unknown = { isAuthorized: true, context: { tier: 1 } }
  executor.behaviour = ({ payload }) => {
    events.push(JSON.parse(payload.toString()) as Record<string, unknown>)
    return outcome(JSON.stringify(answer))
  }
  const ask = (authorizer: ApiAuthorizer, who?: string, more: Wish = {}): Promise<Verdict> =>
    check(guard, { route, authorizer, headers: who === undefined ? {} : { 'x-who': who }, query: 'q=1&q=2', ...more })

  t.match(await ask(simple), { status: 401 })
  t.equal(events.length, 0, 'without an identity nobody is asked')
  t.match(await ask(simple, 'ada'), { isAllowed: true, authorizer: { kind: 'lambda', context: { tier: 1 } } })
  t.match(events[0], {
    version: '2.0',
    type: 'REQUEST',
    routeArn: `arn:aws:execute-api:us-east-1:000000000000:${API}/$default/GET/pets/1`,
    identitySource: ['ada', '1,2'],
    headers: { 'x-who': 'ada' },
    queryStringParameters: { q: '1,2' },
    pathParameters: { id: '1' }
  })
  t.match(
    JSON.stringify(access.wishes[0]),
    /execute-api:us-east-1:000000000000:abcdefghij\/authorizers\/auth01|lambda:InvokeFunction/
  )
  answer = { isAuthorized: false }
  t.equal((await ask(simple, 'ada')).isAllowed, true, 'remembered')
  t.match(await ask(simple, 'bob'), { status: 403, message: 'Forbidden' })
  clock.now += 300_001
  t.match(await ask(simple, 'ada'), { status: 403 }, 'forgotten')
  const calls = events.length

  const arn = (rest: string): string => `arn:aws:execute-api:us-east-1:000000000000:${API}/$default/${rest}`
  const policy: ApiAuthorizer = { ...simple, id: 'auth02', payloadFormat: '1.0', simpleResponses: false }
  const statement = (Effect: string, Resource: string) => ({ Action: 'execute-api:Invoke', Effect, Resource })
  const Statement = [statement('Allow', arn('*')), statement('Deny', arn('GET/admin*'))]
  answer = { principalId: 'p', policyDocument: { Version: '2012-10-17', Statement }, context: { a: 'b' } }
  t.match(await ask(policy, 'ada'), { isAllowed: true, authorizer: { principalId: 'p', context: { a: 'b' } } })
  t.match(await ask(policy, 'ada', { path: '/admin' }), { status: 403 })
  t.equal((await ask(policy, 'ada', { path: '/%61dmin' })).isAllowed, true, 'what is left of escapes is the path')
  t.equal(events.length, calls + 1, 'the policy is remembered, and asked for each route')
  t.match(events.at(-1), { version: '1.0', methodArn: arn('GET/pets/1'), authorizationToken: 'ada,1,2' })

  for (const wrong of [
    null,
    'x',
    {},
    { isAuthorized: true },
    { principalId: 'p', policyDocument: {} },
    { pad: 'x'.repeat(9_000) }
  ]) {
    answer = wrong
    t.match(await ask(policy, `w${events.length}`), { status: 500, message: 'Internal Server Error' })
  }
  executor.behaviour = () => outcome('{"errorMessage":"Unauthorized"}', { status: 'error', errorType: 'Error' })
  t.match(await ask(policy, 'nobody'), { status: 401 })
  executor.behaviour = () => outcome('{"errorMessage":"boom"}', { status: 'error', errorType: 'Error' })
  t.match(await ask(policy, 'failing'), { status: 500 })
  executor.behaviour = () => undefined
  const both = [ask(policy, 'slow'), ask(policy, 'slow')]
  t.equal(executor.waiting.size, 1, 'the same identity shares a call')
  for (const verdict of await Promise.all(both)) t.match(verdict, { status: 500 })
  t.equal(executor.cancelled.length, 1)
  access.isAllowed = false
  t.match(await ask(policy, 'eve'), { status: 500 })
  t.ok(warnings.length > 0)
  access.isAllowed = true

  executor.behaviour = ({ payload }) => {
    events.push(JSON.parse(payload.toString()) as Record<string, unknown>)
    const { methodArn } = events.at(-1) as { methodArn: string }
    return outcome(JSON.stringify({ principalId: 'p', policyDocument: { Statement: [statement('Allow', methodArn)] } }))
  }
  const connect = { route: { ...route, key: '$connect' }, protocol: 'WEBSOCKET' as const }
  const socket = { ...policy, identitySources: ['route.request.header.X-Who'] }
  t.match(await ask(socket, 'ada', connect), { isAllowed: true })
  t.match(events.at(-1), { methodArn: arn('$connect'), requestContext: { eventType: 'CONNECT', connectionId: 'c1' } })
})

t.test('API keys and usage plans', async (t) => {
  const { guard, clock, plans, queue, deps, reader } = await setUp(t)
  const value = 'a-value-of-twenty-characters'
  const times = { tags: {}, createdAt: 0, modifiedAt: 0 }
  const key = { id: 'key0000001', name: 'k', isEnabled: true, ...times }
  plans.addKey(key, createHash('sha256').update(value).digest('hex'))
  const plan: UsagePlan = {
    id: 'plan01',
    name: 'basic',
    throttle: { rate: 1, burst: 2 },
    quota: { limit: 4, period: 'MONTH' },
    stages: [{ apiId: API, stage: '$default' }],
    ...times
  }
  const ask = async (sent: string | undefined, from = guard): Promise<Verdict> => {
    // What another connection has written is looked for once per turn of the event loop.
    await nextTurn()
    const headers = sent === undefined ? {} : { 'X-Api-Key': sent }
    return check(from, { route: { apiKeyRequired: true }, headers })
  }
  t.match(await ask(undefined), { status: 403, message: 'Forbidden' })
  t.match(await ask(value), { status: 403 }, 'of no plan')
  plans.putPlan({ ...plan, stages: [{ apiId: API, stage: 'other' }] })
  plans.addToPlan(plan.id, key.id)
  t.match(await ask(value), { status: 403 }, 'of a plan for another stage')
  plans.putPlan(plan)
  t.match(await ask(value), { isAllowed: true, apiKeyId: key.id })
  t.match(await ask('x'.repeat(20)), { status: 403 })
  t.match(await ask(value), { isAllowed: true })
  t.match(await ask(value), { status: 429, message: 'Too Many Requests' })
  clock.now += 10_000
  await ask(value)
  t.match(await ask(value), { isAllowed: true })
  clock.now += 10_000
  t.match(await ask(value), { status: 429, message: 'Limit Exceeded' })
  plans.changeKey({ ...key, isEnabled: false })
  t.match(await ask(value), { status: 403 }, 'switched off')
  plans.changeKey(key)

  await guard.close()
  const day = Math.floor(clock.now / 86_400_000)
  t.same(await queue.usage.list({ from: day, to: day }), [{ planId: 'plan01', keyId: key.id, day, used: 4 }])
  const next = createGuard(deps)
  next.attach(reader)
  t.match(await ask(value, next), { status: 429, message: 'Limit Exceeded' }, 'after a restart')
  clock.now += 86_400_000
  t.match(await ask(value, next), { isAllowed: true }, 'the next month')
  await next.close()
})
