// Users, their keys, roles and policies, through /v1.
import { internalToken, readMasterKey } from '@hearth/store'
import t from 'tap'
import { ACCOUNT, SOURCE, startControlPlane } from './support.ts'

const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'
const ALLOW = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] }
const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }]
}

interface Problem {
  readonly code: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}
interface Key {
  readonly accessKeyId: string
  readonly token: string
}

// One server for all: each test has names of its own.
let now = new Date('2026-01-02T03:04:05.000Z')
const { app, dataDir, inject, get, put } = await startControlPlane(t, { now: () => now })
const send = (method: 'PUT' | 'POST' | 'PATCH' | 'DELETE', url: string, payload: object = {}) =>
  inject({ method, url: `/v1${url}`, ...(method === 'DELETE' ? {} : { payload }) })

t.test('a role is written as a whole, changed in part, and goes with its policies', async (t) => {
  const created = await send('PUT', '/roles/writer', {
    path: '/apps/',
    tags: { team: 'a' },
    policies: { inline: ALLOW },
    attached: [BASIC],
    boundary: 'arn:aws:iam::aws:policy/AWSLambda_FullAccess',
    maxSessionSeconds: 7_200
  })
  t.equal(created.statusCode, 201, created.body)
  t.match(created.json(), {
    name: 'writer',
    arn: `arn:aws:iam::${ACCOUNT}:role/apps/writer`,
    roleId: /^AROA[A-Z2-7]{17}$/,
    trust: TRUST,
    policies: { inline: ALLOW },
    attached: [BASIC],
    boundary: 'arn:aws:iam::aws:policy/AWSLambda_FullAccess',
    maxSessionSeconds: 7_200,
    lastUsedAt: null
  })
  const changed = await send('PATCH', '/roles/writer', { tags: { stage: 'b' }, description: 'Writes' })
  t.match(changed.json(), { tags: { stage: 'b' }, description: 'Writes', policies: { inline: ALLOW }, path: '/apps/' })
  t.notOk('team' in changed.json<{ tags: object }>().tags, 'what is named is replaced as a whole')
  const again = await send('PUT', '/roles/writer', { attached: [] })
  t.equal(again.statusCode, 200, again.body)
  t.match(again.json(), { path: '/apps/', attached: [], boundary: null, description: '', maxSessionSeconds: 3_600 })
  t.strictSame(again.json<{ policies: object; tags: object }>().policies, {})
  t.strictSame((await get('/v1/roles/writer')).json(), again.json())

  now = new Date(now.getTime() + 60_000)
  const { sessionsFrom } = (await send('POST', '/roles/writer/revoke-sessions')).json<{ sessionsFrom: string }>()
  t.ok(sessionsFrom > now.toISOString(), 'what was issued in this moment is refused too')
  t.equal((await get('/v1/roles/writer')).json<{ sessionsFrom: string }>().sessionsFrom, sessionsFrom)

  const role = `arn:aws:iam::${ACCOUNT}:role/apps/writer`
  const deployed = await put(`writing?role=${encodeURIComponent(role)}`, SOURCE)
  t.equal(deployed.statusCode, 201, deployed.body)
  const refused = await send('DELETE', '/roles/writer')
  t.match(refused.json(), {
    status: 409,
    code: 'RESOURCE_IN_USE',
    detail: 'The function writing runs as the role writer.'
  })
  await send('DELETE', '/functions/writing')
  t.equal((await send('DELETE', '/roles/writer')).statusCode, 204)
  t.equal((await get('/v1/roles/writer')).json<Problem>().code, 'ROLE_NOT_FOUND')
})

t.test('what is refused leaves nothing behind, and says where it is wrong', async (t) => {
  const absent = `arn:aws:iam::${ACCOUNT}:policy/absent`
  const cases: readonly (readonly [string, object, number, string, string?])[] = [
    ['trust', { trust: { ...TRUST, Id: 7 } }, 400, 'MALFORMED_POLICY', 'body.trust.Id'],
    ['trust text', { trust: '{\n  "Version": }' }, 400, 'MALFORMED_POLICY', 'body.trust'],
    ['policy', { policies: { good: ALLOW, bad: TRUST } }, 400, 'MALFORMED_POLICY', 'body.policies.bad.Statement[0]'],
    ['attached', { policies: { good: ALLOW }, attached: [BASIC, absent] }, 404, 'POLICY_NOT_FOUND'],
    ['boundary', { boundary: absent }, 404, 'POLICY_NOT_FOUND'],
    ['tags', { tags: { a: '', A: '' } }, 400, 'INVALID_REQUEST'],
    ['reserved tag', { tags: { 'aws:a': '' } }, 400, 'INVALID_REQUEST'],
    ['session', { maxSessionSeconds: 60 }, 400, 'INVALID_REQUEST', 'body.maxSessionSeconds'],
    ['unknown member', { managed: [] }, 400, 'INVALID_REQUEST'],
    ['path', { path: 'x' }, 400, 'INVALID_REQUEST', 'body.path']
  ]
  for (const [name, body, status, code, place] of cases) {
    const answer = await send('PUT', '/roles/refused', body)
    t.equal(answer.statusCode, status, `${name}: ${answer.body}`)
    const problem = answer.json<Problem>()
    t.equal(problem.code, code, name)
    if (place !== undefined)
      t.ok(
        problem.errors?.some(({ path }) => path.startsWith(place)),
        `${name}: ${answer.body}`
      )
    t.equal((await get('/v1/roles/refused')).statusCode, 404, name)
  }
  const text = await send('PUT', '/roles/refused', { trust: '{\n  "Version": }' })
  t.match(text.json<Problem>().errors?.[0]?.message, /Line 2, column 14/)
  await send('PUT', '/roles/Taken', {})
  t.equal((await send('PUT', '/roles/taken', {})).json<Problem>().code, 'ROLE_EXISTS')
  const before = (await get('/v1/roles/Taken')).json<object>()
  t.equal((await send('PATCH', '/roles/Taken', { description: 'x', attached: [absent] })).statusCode, 404)
  t.strictSame((await get('/v1/roles/Taken')).json(), before)
})

t.test('actions that there are not are told', async (t) => {
  const Action = ['lambda:InvokeFunction', 'LAMBDA:get*', 'lambda:Invoke', 'lambda:*Funktion', '*', 's3:Anything']
  const document = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } }
  const expected = ['lambda:Invoke', 'lambda:*Funktion'].map(
    (action) => `Lambda has no action ${action}: nothing is permitted or forbidden by it.`
  )
  const policy = await send('PUT', '/policies/noted', { document })
  t.strictSame(policy.json<{ notices: string[] }>().notices, expected)
  const role = await send('PUT', '/roles/noted', { policies: { noted: document } })
  t.strictSame(role.json<{ notices: string[] }>().notices, expected)
  await send('DELETE', '/policies/noted')
})

t.test('a policy has versions, and counts where it is attached', async (t) => {
  const created = await send('PUT', '/policies/read', { document: ALLOW, description: 'Reads', tags: { a: 'b' } })
  t.equal(created.statusCode, 201, created.body)
  const { arn } = created.json<{ arn: string }>()
  t.match(created.json(), { version: 'v1', document: ALLOW, attachments: 0, description: 'Reads', tags: { a: 'b' } })
  const same = await send('PUT', '/policies/read', { document: ALLOW })
  t.match(same.json(), { version: 'v1', description: 'Reads' }, 'the same document is no new version')
  for (let i = 2; i <= 7; i += 1) {
    const Statement = { ...ALLOW.Statement[0], Resource: `arn:aws:s3:::bucket-${i}` }
    t.equal((await send('PUT', '/policies/read', { document: { ...ALLOW, Statement } })).statusCode, 200)
  }
  const { versions, version } = (await get('/v1/policies/read')).json<{
    versions: { version: string }[]
    version: string
  }>()
  t.equal(version, 'v7')
  t.strictSame(
    versions.map((one) => one.version),
    ['v7', 'v6', 'v5', 'v4', 'v3']
  )
  await send('PUT', '/users/reader', { attached: [arn] })
  t.match((await get('/v1/policies')).json(), { items: [{ name: 'read', attachments: 1 }] })
  t.equal((await send('DELETE', '/policies/read')).json<Problem>().code, 'DELETE_CONFLICT')
  await send('PATCH', '/users/reader', { attached: [] })
  t.equal((await send('DELETE', `/policies/${encodeURIComponent(arn)}`)).statusCode, 204)
  t.equal((await get('/v1/policies/read')).statusCode, 404)
  const aws = await get(`/v1/policies/${encodeURIComponent(BASIC)}`)
  t.match(aws.json(), { name: 'AWSLambdaBasicExecutionRole', document: { Version: '2012-10-17' } })
  t.equal((await send('DELETE', `/policies/${encodeURIComponent(BASIC)}`)).json<Problem>().code, 'ACCESS_DENIED')
  const { items } = (await get('/v1/policies?scope=aws')).json<{ items: { name: string }[] }>()
  t.ok(items.some(({ name }) => name === 'AdministratorAccess'))
})

t.test('keys are made, rotated, turned off and revoked, and their secrets are shown once', async (t) => {
  await send('PUT', '/users/ci', { policies: { p: ALLOW } })
  /** 401 when the key is not taken; what its user may do is another matter. */
  const whoAmI = async ({ token }: Key) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await app.inject({ url: '/v1/account', headers })).statusCode
  }
  const expiresAt = new Date(now.getTime() + 3_600_000).toISOString()
  const made = await send('POST', '/keys', { user: 'ci', label: 'build', expiresAt })
  t.equal(made.statusCode, 201, made.body)
  t.equal(made.headers['cache-control'], 'no-store')
  const first = made.json<Key>()
  t.match(first, { user: 'ci', label: 'build', status: 'Active', expiresAt, lastUsed: null, token: /^hearth_.{43}$/ })
  t.not(await whoAmI(first), 401)
  const shown = await get(`/v1/keys/${first.accessKeyId}`)
  t.notMatch(shown.body, first.token)
  t.notOk('secretAccessKey' in shown.json<object>())
  t.match(shown.json(), { lastUsed: { at: now.toISOString(), service: 'hearth', region: 'us-east-1' } })

  const uses = [
    { accessKeyId: first.accessKeyId, service: 'lambda' },
    { accessKeyId: 'gone', service: 'hearth' }
  ]
  const report = (headers: Record<string, string>) =>
    app.inject({ method: 'POST', url: '/v1/internal/key-uses', payload: { uses }, headers })
  t.equal((await report({ authorization: `Bearer ${first.token}` })).statusCode, 403, 'the gateway alone reports')
  t.equal(
    (await report({ authorization: `Bearer ${internalToken(readMasterKey(dataDir, undefined))}` })).statusCode,
    204
  )
  t.match((await get(`/v1/keys/${first.accessKeyId}`)).json(), { lastUsed: { service: 'lambda' } })

  await send('PATCH', `/keys/${first.accessKeyId}`, { status: 'Inactive' })
  t.equal(await whoAmI(first), 401)
  await send('PATCH', `/keys/${first.accessKeyId}`, { status: 'Active' })
  const second = (await send('POST', `/keys/${first.accessKeyId}/rotate`, { overlapSeconds: 600 })).json<Key>()
  t.match(second, { user: 'ci', label: 'build', expiresAt: null })
  t.not(await whoAmI(first), 401, 'both work for a while')
  t.not(await whoAmI(second), 401)
  const overlapped = (await get(`/v1/keys/${first.accessKeyId}`)).json<{ expiresAt: string }>()
  t.equal(overlapped.expiresAt, new Date(now.getTime() + 600_000).toISOString())
  now = new Date(now.getTime() + 600_000)
  t.equal((await get(`/v1/keys/${first.accessKeyId}`)).json<{ status: string }>().status, 'Expired')
  const third = (await send('POST', `/keys/${second.accessKeyId}/rotate`)).json<Key>()
  t.equal(await whoAmI(second), 401, 'at once')
  t.not(await whoAmI(third), 401)

  t.equal((await send('DELETE', `/keys/${third.accessKeyId}`)).statusCode, 204)
  t.equal(await whoAmI(third), 401)
  t.equal((await send('DELETE', `/keys/${third.accessKeyId}`)).json<Problem>().code, 'KEY_NOT_FOUND')
  const fourth = (await send('POST', '/keys', { user: 'ci' })).json<Key>()
  const list = (await get('/v1/keys?user=ci')).json<{ items: { accessKeyId: string }[] }>().items
  t.strictSame(
    list.map(({ accessKeyId }) => accessKeyId),
    [first.accessKeyId, fourth.accessKeyId]
  )
  t.match((await send('POST', '/keys')).json(), { user: 'admin' }, "without a name one's own")
  t.equal((await send('DELETE', '/users/ci')).statusCode, 204)
  t.equal(await whoAmI(fourth), 401, 'keys go with their user')
  t.equal((await get('/v1/keys?user=ci')).json<Problem>().code, 'USER_NOT_FOUND')

  const past = await send('POST', '/keys', { user: 'admin', expiresAt: '2020-01-01T00:00:00Z' })
  t.match(past.json(), { code: 'INVALID_REQUEST', errors: [{ path: 'body.expiresAt' }] })
  t.equal((await send('POST', '/keys', { user: 'nobody' })).json<Problem>().code, 'USER_NOT_FOUND')
})

t.test('lists go on where they ended', async (t) => {
  for (const name of ['l1', 'l2', 'l3']) await send('PUT', `/users/${name}`, { path: '/list/' })
  type Page = { items: { name: string }[]; nextCursor: string | null }
  const first = (await get('/v1/users?limit=2&pathPrefix=/list/')).json<Page>()
  t.strictSame(
    first.items.map(({ name }) => name),
    ['l1', 'l2']
  )
  const second = (await get(`/v1/users?limit=2&pathPrefix=/list/&cursor=${first.nextCursor}`)).json<Page>()
  t.strictSame(
    second.items.map(({ name }) => name),
    ['l3']
  )
  t.equal(second.nextCursor, null)
})
