// Who may invoke what: identity policies, resource policies, sessions, and what ends them.
import { createHash } from 'node:crypto'
import { type AccessKey, type Session, sessionPrincipal } from '@hearth/shared'
import t, { type Test } from 'tap'
import { ask, type Harness, record, startGateway } from './harness.ts'
import { signed } from './signed.ts'

const ACCOUNT = '000000000000'
const FN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:hello`
const INVOKE = '/2015-03-31/functions/hello/invocations'

function allow(action: string, resource = '*', more: object = {}): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: action, Resource: resource, ...more }
  })
}

/** A user with a key. @returns its header */
function addUser({ users, keys }: Harness, name: string, changes: Partial<AccessKey> = {}) {
  const userId = `AIDA${name.toUpperCase().padEnd(16, 'X')}`
  users.create({
    name,
    path: '/',
    userId,
    tags: { team: 'red' },
    boundary: undefined,
    createdAt: '2026-01-02T03:04:05.000Z'
  })
  const accessKeyId = `AKIA${name.toUpperCase().padEnd(16, 'X')}`
  keys.create({
    accessKeyId,
    secretAccessKey: `secret-of-${name}`,
    tokenHash: createHash('sha256').update(`token-of-${name}`).digest('hex'),
    principal: { arn: `arn:aws:iam::${ACCOUNT}:user/${name}`, userId, accountId: ACCOUNT, keyId: accessKeyId },
    userName: name,
    status: 'Active',
    expiresAt: undefined,
    ...changes
  })
  return { userId, accessKeyId, authorization: `Bearer token-of-${name}` }
}

async function statusOf(t: Test, harness: Harness, authorization: string, status: number, path = INVOKE, why = '') {
  const answer = await ask(harness.port, path, { body: '{}', headers: { authorization } })
  t.equal(answer.status, status, `${path} ${why} ${answer.body}`)
  return answer
}

t.test('a user may do what its policies say, from the next request on', async (t) => {
  const harness = await startGateway(t, { functions: [record('hello'), record('other')] })
  const { userId, authorization } = addUser(harness, 'ada')
  const denied = await statusOf(t, harness, authorization, 403)
  t.equal(denied.headers['x-amzn-errortype'], 'AccessDeniedException')
  t.match(
    denied.body,
    `User: arn:aws:iam::${ACCOUNT}:user/ada is not authorized to perform: lambda:InvokeFunction on resource: ${FN} because no identity-based policy allows the lambda:InvokeFunction action`
  )
  harness.owned.putInline(userId, 'p', allow('lambda:InvokeFunction', FN))
  await statusOf(t, harness, authorization, 200)
  for (const path of ['/v1/functions/hello/invocations', '/fn/hello'])
    await statusOf(t, harness, authorization, 200, path)
  // Neither another function, nor this one under another name, nor one that is not there.
  for (const name of ['other', 'nobody', 'hello:$LATEST']) {
    await statusOf(t, harness, authorization, 403, `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`)
  }
  for (const path of ['/v1/functions/hello/logs', '/v1/runtimes', '/metrics', '/v1/functions/hello/invocations']) {
    const answer = await ask(harness.port, path, { headers: { authorization } })
    t.equal(answer.status, 403, path)
    t.match(JSON.parse(answer.body), { code: 'ACCESS_DENIED', fault: 'caller' })
  }
  harness.owned.putInline(userId, 'q', allow('lambda:*', `${FN}:*`).replace('Allow', 'Deny'))
  harness.owned.putInline(userId, 'p', allow('lambda:InvokeFunction'))
  await statusOf(t, harness, authorization, 200)
  await statusOf(t, harness, authorization, 403, `${INVOKE}?Qualifier=$LATEST`, 'explicitly denied')
  harness.owned.removeInline(userId, 'p')
  await statusOf(t, harness, authorization, 403, INVOKE, 'taken back')
})

t.test('conditions see where a request comes from, and who sends it', async (t) => {
  const harness = await startGateway(t)
  const { userId, authorization } = addUser(harness, 'ada')
  const cases: readonly (readonly [object, number])[] = [
    [{ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } }, 200],
    [{ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, 403],
    [{ StringEquals: { 'aws:username': 'ada', 'aws:PrincipalTag/Team': 'red' } }, 200],
    [{ StringEquals: { 'aws:PrincipalTag/team': 'blue' } }, 403],
    [{ DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } }, 200],
    [{ Null: { 'aws:TokenIssueTime': 'true' } }, 200],
    [{ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/*` } }, 200],
    [{ Bool: { 'aws:SecureTransport': 'true' } }, 403]
  ]
  for (const [Condition, status] of cases) {
    harness.owned.putInline(userId, 'p', allow('lambda:InvokeFunction', '*', { Condition }))
    await statusOf(t, harness, authorization, status, INVOKE, JSON.stringify(Condition))
  }
})

t.test("a function's own policy lets somebody in that has no policy", async (t) => {
  const harness = await startGateway(t)
  const { authorization } = addUser(harness, 'ada')
  const other = addUser(harness, 'bob')
  const statement = (Principal: unknown, more: object = {}) => ({
    Sid: 's',
    Effect: 'Allow',
    Principal,
    Action: 'lambda:InvokeFunction',
    Resource: FN,
    ...more
  })
  harness.policies.put('hello', '', {
    revisionId: '1',
    statements: [statement({ AWS: `arn:aws:iam::${ACCOUNT}:user/ada` })]
  })
  await statusOf(t, harness, authorization, 200)
  await statusOf(t, harness, other.authorization, 403)
  harness.policies.put('hello', '', {
    revisionId: '2',
    statements: [statement({ AWS: `arn:aws:iam::${ACCOUNT}:root` })]
  })
  await statusOf(t, harness, authorization, 403, INVOKE, 'the account only delegates')
  harness.policies.remove('hello', '')
  await statusOf(t, harness, authorization, 403)
})

t.test('a session may do what its role may, until it ends or is taken back', async (t) => {
  const harness = await startGateway(t)
  const createdAt = '2026-01-02T03:04:05.000Z'
  const role = {
    name: 'worker',
    path: '/',
    roleId: 'AROAWORKERXXXXXXXXXX',
    trust: '{}',
    description: undefined,
    maxSessionS: 3_600,
    tags: {},
    boundary: undefined,
    sessionsFrom: createdAt,
    createdAt,
    lastUsed: undefined
  }
  harness.roles.create(role)
  harness.owned.putInline(role.roleId, 'p', allow('lambda:InvokeFunction'))
  const now = Date.now()
  const session: Session = {
    roleName: role.name,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`,
    roleId: role.roleId,
    name: 'run',
    issuedAt: now,
    expiresAt: now + 60_000
  }
  const call = async (credentials: Parameters<typeof signed>[0], path = INVOKE) => {
    const headers = signed(credentials, { method: 'POST', path, body: '{}', port: harness.port })
    return ask(harness.port, path, { body: '{}', auth: false, headers })
  }
  const credentials = harness.sessions.issue(session)
  t.match(credentials, { accessKeyId: /^ASIA[A-Z2-7]{16}$/, expiresAt: session.expiresAt })
  t.equal(credentials.secretAccessKey.length, 40)
  t.equal(sessionPrincipal(session, ACCOUNT, '').arn, `arn:aws:sts::${ACCOUNT}:assumed-role/worker/run`)
  t.match(await call(credentials), { status: 200 })

  const refused = async (name: string, given: Parameters<typeof signed>[0], type: string) => {
    const answer = await call(given)
    t.equal(answer.status >= 401 && answer.status <= 403 && answer.headers['x-amzn-errortype'], type, name)
  }
  const unknown = 'UnrecognizedClientException'
  const { sessionToken } = credentials
  await refused('another secret', { ...credentials, secretAccessKey: 'x' }, 'InvalidSignatureException')
  await refused('no token', { ...credentials, sessionToken: undefined }, unknown)
  await refused('part of a token', { ...credentials, sessionToken: sessionToken.slice(0, -8) }, unknown)
  await refused("another key's token", { ...harness.sessions.issue(session), sessionToken }, unknown)
  await refused('an ended one', harness.sessions.issue({ ...session, expiresAt: now - 1 }), 'ExpiredTokenException')
  await refused('of a role that was there before', harness.sessions.issue({ ...session, roleId: 'AROAX' }), unknown)

  const narrowed = harness.sessions.issue({ ...session, policies: [allow('lambda:GetFunction')] })
  const denied = await call(narrowed)
  t.equal(denied.status, 403)
  t.match(denied.body, /because no session policy allows the lambda:InvokeFunction action/)

  harness.roles.update({ ...role, sessionsFrom: new Date(Date.now() + 1_000).toISOString() })
  await refused('a revoked one', credentials, unknown)
})

t.test('keys end', async (t) => {
  const harness = await startGateway(t)
  const attach = (userId: string) => {
    harness.owned.putInline(userId, 'p', allow('*'))
  }
  const past = addUser(harness, 'ada', { expiresAt: '2026-01-02T03:04:05.000Z' })
  const future = addUser(harness, 'bob', { expiresAt: '2999-01-02T03:04:05.000Z' })
  attach(past.userId)
  attach(future.userId)
  const expired = await statusOf(t, harness, past.authorization, 403)
  t.equal(expired.headers['x-amzn-errortype'], 'ExpiredTokenException')
  await statusOf(t, harness, future.authorization, 200)
  harness.keys.setStatus(future.accessKeyId, 'Inactive')
  await statusOf(t, harness, future.authorization, 403)
})

t.test('every route says who may use it', async (t) => {
  const { gateway } = await startGateway(t)
  const open = gateway.routes.filter(({ access }) => access === 'open').map(({ url }) => url)
  t.strictSame(open.sort(), ['/healthz', '/readyz', '/startupz'])
  for (const { access, action, url } of gateway.routes) {
    if (access === 'caller') t.match(action, /^(lambda|logs|hearth|execute-api|apigateway):[A-Z]\w+$/, url)
  }
})

t.test('wrong keys are slowed down on the way to functions, right ones and invocations are not', async (t) => {
  const harness = await startGateway(t, { limits: { requestRate: 1, authFailures: 2 } })
  const { authorization, userId } = addUser(harness, 'ivy')
  harness.owned.putInline(userId, 'p', allow('*'))
  for (const status of [403, 403, 429, 429]) {
    const answer = await statusOf(t, harness, 'Bearer wrong', status)
    if (status === 429) t.match(answer.headers, { 'retry-after': '1', 'x-amzn-errortype': 'TooManyRequestsException' })
  }
  await statusOf(t, harness, 'Bearer wrong', 429, '/v1/functions/hello/invocations')
  const logs = { headers: { authorization: 'Bearer wrong' }, method: 'GET' }
  t.equal((await ask(harness.port, '/v1/runtimes', logs)).status, 429)
  const event = { ...logs.headers, 'x-amz-target': 'AWSEvents.PutEvents' }
  t.match(JSON.parse((await ask(harness.port, '/', { headers: event, body: '{}' })).body), {
    __type: 'TooManyRequestsException',
    message: 'Rate exceeded'
  })
  for (let i = 0; i < 8; i += 1) await statusOf(t, harness, authorization, 200)
  const runtimes = { headers: { authorization }, method: 'GET' }
  const statuses: number[] = []
  for (let i = 0; i < 6; i += 1) statuses.push((await ask(harness.port, '/v1/runtimes', runtimes)).status)
  t.strictSame(statuses, [200, 200, 200, 200, 200, 429], 'what is no invocation has a rate')
  const other = addUser(harness, 'sue')
  harness.owned.putInline(other.userId, 'p', allow('*'))
  const metrics = { headers: { authorization: other.authorization }, method: 'GET' }
  const { body } = await ask(harness.port, '/metrics', metrics)
  t.match(body, /hearth_throttled_requests_total\{reason="authentication"\} 5/)
  t.match(body, /hearth_throttled_requests_total\{reason="rate"\} 1/)
  t.match(body, /hearth_auth_failures_total\{reason="unknown_key"\} 7/)
})

t.test('an answer under an Idempotency-Key is not given again to who may no longer invoke', async (t) => {
  const harness = await startGateway(t)
  const { authorization, userId } = addUser(harness, 'kim')
  harness.owned.putInline(userId, 'p', allow('lambda:InvokeFunction'))
  const paths = [INVOKE, '/v1/functions/hello/invocations', '/fn/hello']
  const call = (path: string) =>
    ask(harness.port, path, { body: '{}', headers: { authorization, 'idempotency-key': `k${path.length}` } })
  for (const path of paths) t.equal((await call(path)).status, 200, path)
  for (const path of paths) t.equal((await call(path)).headers['idempotency-replayed'], 'true', path)
  harness.owned.putInline(userId, 'p', allow('lambda:GetFunction'))
  for (const path of paths) t.equal((await call(path)).status, 403, path)
})

t.test('records of invocations and logs belong to their function', async (t) => {
  const functions = [record('hello', { logging: { format: 'Text', logGroup: '/team/hello' } }), record('other')]
  const harness = await startGateway(t, { functions })
  const admin = async (path: string) =>
    (await ask(harness.port, path, { body: '{}', headers: { 'x-amz-invocation-type': 'Event' } })).headers[
      'x-amzn-requestid'
    ] as string
  const ids = {
    hello: await admin(INVOKE),
    other: await admin('/2015-03-31/functions/other/invocations'),
    none: '00000000-0000-4000-8000-000000000000'
  }
  const { authorization, userId } = addUser(harness, 'lee')
  const get = (path: string) => ask(harness.port, path, { method: 'GET', headers: { authorization } })
  const shown = (id: string) => get(`/v1/invocations/${id}`)
  const without = (body: string) => body.replace(/"requestId":"[^"]*"/, '')

  harness.owned.putInline(userId, 'p', allow('hearth:GetInvocation', FN))
  t.equal((await shown(ids.hello)).status, 200)
  const denied = await shown(ids.other)
  t.equal(denied.status, 403)
  t.equal(without(denied.body), without((await shown(ids.none)).body), 'as if there were none')
  t.notMatch(denied.body, 'other')
  harness.owned.putInline(userId, 'p', allow('hearth:GetInvocation'))
  t.equal((await shown(ids.other)).status, 200)
  t.equal((await shown(ids.none)).status, 404)
  const deny = { Effect: 'Deny', Action: '*', Resource: FN.replace('hello', 'other') }
  harness.owned.putInline(userId, 'd', JSON.stringify({ Version: '2012-10-17', Statement: deny }))
  t.equal((await shown(ids.other)).status, 404, 'who may see all but these')

  const groups = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:`
  harness.owned.putInline(userId, 'd', allow('logs:FilterLogEvents', `${groups}/aws/lambda/*`))
  t.equal((await get('/v1/functions/hello/logs')).status, 403, 'its lines are in another group')
  t.equal((await get('/v1/functions/other/logs')).status, 200)
  harness.owned.putInline(userId, 'd', allow('logs:FilterLogEvents', `${groups}/team/hello:*`))
  t.equal((await get('/v1/functions/hello/logs')).status, 200)
  t.equal((await get('/v1/functions/other/logs')).status, 403)
})
