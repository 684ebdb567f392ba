// Idempotency-Key on what changes something: /v1 and the Lambda API alike.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { openControlPlane } from '@hearth/control-plane'
import { requestFingerprint } from '@hearth/shared'
import { createIdempotencyKeys, internalToken, openStore, readMasterKey } from '@hearth/store'
import t from 'tap'
import { ACCOUNT, REGION, ROLE, ROOT, SOURCE, startControlPlane, tarGz, zipOf } from './support.ts'

const CALLER = `arn:aws:iam::${ACCOUNT}:user/admin`
const MIGRATIONS = path.join(ROOT, 'migrations')
const clock = { ms: Date.UTC(2026, 0, 2) }
const plane = await startControlPlane(t, { now: () => new Date(clock.ms) })
type Inject = (options: object) => ReturnType<typeof plane.inject>
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const sender =
  (inject: Inject) =>
  (method: Method, url: string, key: string, payload?: object | string | Buffer, headers: object = {}) =>
    inject({
      method,
      url,
      headers: { authorization: `Bearer ${plane.token}`, 'idempotency-key': key, ...headers },
      ...(payload === undefined ? {} : { payload })
    })
const send = sender((options) => plane.app.inject(options))
const layer = tarGz([{ name: 'lib/a.txt', data: Buffer.from('a') }])
const versionsOf = async (name: string) =>
  (await plane.get(`/v1/layers/${name}/versions`)).json<{ items: unknown[] }>().items.length

t.test('a request is done once and answered again: uploads, settings, the Lambda API', async (t) => {
  const first = await send('PUT', '/v1/layers/libs', 'layer', layer)
  t.match(first, { statusCode: 201, headers: { location: '/v1/layers/libs/versions/1' } }, first.body)
  const again = await send('PUT', '/v1/layers/libs', '"layer"', layer)
  t.match(again, { statusCode: 201, body: first.body, headers: { 'idempotency-replayed': 'true' } })
  t.equal(again.headers.location, first.headers.location)
  t.equal(again.headers['content-type'], first.headers['content-type'])
  t.equal(await versionsOf('libs'), 1)
  const other = tarGz([{ name: 'lib/b.txt', data: Buffer.from('b') }])
  t.match((await send('PUT', '/v1/layers/libs', 'layer', other)).json(), {
    code: 'IDEMPOTENCY_KEY_REUSED',
    status: 422
  })
  t.match((await send('PUT', '/v1/layers/libs2', 'layer', layer)).statusCode, 422)
  t.match((await send('PUT', '/v1/layers/libs?license=MIT', 'layer', layer)).statusCode, 422)

  const create = {
    FunctionName: 'f',
    Runtime: 'nodejs20.x',
    Role: ROLE,
    Handler: 'index.handler',
    Code: { ZipFile: (await zipOf({ 'index.mjs': SOURCE })).toString('base64') },
    Environment: { Variables: { WORD: 'plain-secret-word' } }
  }
  for (const replayed of [undefined, 'true']) {
    const res = await send('POST', '/2015-03-31/functions', 'create', create)
    t.match(res, { statusCode: 201 }, res.body)
    t.match(res.json(), { FunctionName: 'f', Environment: { Variables: { WORD: 'plain-secret-word' } } })
    t.equal(res.headers['idempotency-replayed'], replayed)
  }
  t.match(await plane.aws('POST', '/functions', create), { statusCode: 409 }, 'without the key it is there already')
  const reused = await send('POST', '/2015-03-31/functions', 'create', { ...create, FunctionName: 'g' })
  t.match(reused, { statusCode: 422, headers: { 'x-amzn-errortype': 'InvalidParameterValueException' } })
  for (const name of ['hearth.db', 'hearth.db-wal'])
    t.notOk(readFileSync(path.join(plane.dataDir, name)).includes('plain-secret-word'), `${name} has it sealed`)
})

t.test('an answer is given again to who may still have it, and to nobody else', async (t) => {
  const policyOf = async (...actions: string[]) => {
    const Statement = [{ Effect: 'Allow', Action: actions, Resource: '*' }]
    const body = { policies: { p: { Version: '2012-10-17', Statement } } }
    const put = await plane.inject({ method: 'PUT', url: '/v1/users/deployer', payload: body })
    t.ok(put.statusCode < 300, put.body)
  }
  await policyOf('lambda:CreateFunction', 'iam:CreateRole', 'iam:PassRole', 'lambda:PublishLayerVersion')
  const key = await plane.inject({ method: 'POST', url: '/v1/keys', payload: { user: 'deployer', label: 'a' } })
  const authorization = `Bearer ${key.json<{ token: string }>().token}`
  const trust = { Version: '2012-10-17', Statement: [] }
  const form = new URLSearchParams({
    Action: 'CreateRole',
    Version: '2010-05-08',
    RoleName: 'again',
    AssumeRolePolicyDocument: JSON.stringify({
      ...trust,
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }]
    })
  }).toString()
  const create = {
    FunctionName: 'replayed',
    Runtime: 'nodejs20.x',
    Role: ROLE,
    Handler: 'index.handler',
    Code: { ZipFile: (await zipOf({ 'index.mjs': SOURCE })).toString('base64') },
    Environment: { Variables: { WORD: 'seen-by-those-who-may' } }
  }
  const calls: readonly (readonly [Method, string, object | string | Buffer])[] = [
    ['PUT', '/v1/functions/replayed-v1.mjs', SOURCE],
    ['POST', '/2015-03-31/functions', create],
    ['POST', '/', form],
    ['PUT', '/v1/layers/replayed', layer]
  ]
  const ask = (i: number) => send(calls[i]![0], calls[i]![1], `again-${i}`, calls[i]![2], { authorization })
  const firsts = []
  for (const i of calls.keys()) firsts.push(await ask(i))
  for (const i of calls.keys()) {
    // What was made is there now: it is not asked for the right to change it.
    const again = await ask(i)
    t.match(again.headers, { 'idempotency-replayed': 'true' }, again.body)
    t.equal(again.body, firsts[i]!.body)
    t.equal(again.statusCode, firsts[i]!.statusCode)
  }
  await policyOf('lambda:GetFunction')
  for (const i of calls.keys()) {
    const refused = await ask(i)
    t.equal(refused.statusCode, 403, refused.body)
    t.notMatch(refused.body, 'seen-by-those-who-may')
  }
  await policyOf('lambda:CreateFunction', 'iam:CreateRole', 'lambda:PublishLayerVersion')
  t.match((await ask(1)).body, 'iam:PassRole', 'all that was needed is needed again')
  await policyOf('lambda:CreateFunction', 'iam:CreateRole', 'iam:PassRole', 'lambda:PublishLayerVersion')
  for (const i of calls.keys()) t.equal((await ask(i)).body, firsts[i]!.body, 'and is not lost by it')
})

t.test('what was refused may be sent again, and a malformed key is refused', async (t) => {
  const publish = () => send('POST', '/v1/functions/later/versions', 'publish', {})
  t.equal((await publish()).statusCode, 404)
  await plane.put('later', SOURCE)
  t.equal((await publish()).statusCode, 201)
  t.match(await publish(), { statusCode: 201, headers: { 'idempotency-replayed': 'true' } })
  for (const key of ['', 'a b', 'k'.repeat(256), '"open'])
    t.match((await send('POST', '/v1/functions/later/versions', key, {})).json(), { code: 'INVALID_IDEMPOTENCY_KEY' })
  t.equal((await send('GET', '/v1/functions/later', 'a b')).statusCode, 200, 'it means nothing where nothing changes')
  t.equal((await send('POST', '/v1/functions/later/versions', 'k', {}, { authorization: 'x' })).statusCode, 401)
})

t.test('while it is under way', async (t) => {
  const both = await Promise.all([1, 2].map(() => send('PUT', '/v1/layers/once', 'busy', layer)))
  t.same(both.map(({ statusCode }) => statusCode).sort(), [201, 409])
  t.match(both.find(({ statusCode }) => statusCode === 409)?.json(), { code: 'IDEMPOTENCY_KEY_IN_FLIGHT' })
  t.equal(await versionsOf('once'), 1)
})

t.test('it is described', async (t) => {
  const { paths } = (await plane.get('/openapi.json')).json<{ paths: Record<string, Record<string, unknown>> }>()
  for (const [url, method] of [
    ['/v1/functions/{name}/invocations', 'post'],
    ['/v1/functions/{name}', 'put'],
    ['/v1/layers/{name}', 'put']
  ] as const)
    t.match(JSON.stringify(paths[url]?.[method]), /"name":"Idempotency-Key"/, url)
  t.notMatch(JSON.stringify(paths['/v1/functions/{name}']?.['get']), /Idempotency-Key/)
})

t.test('a restart forgets nothing, and does nothing again that it was at', async (t) => {
  await plane.app.close()
  // What a control plane leaves behind that is killed while it works.
  const db = openStore(path.join(plane.dataDir, 'hearth.db'), MIGRATIONS)
  const plain = requestFingerprint('PUT', '/v1/layers/cut', [undefined, undefined, undefined], layer)
  const blindedBy = internalToken(readMasterKey(plane.dataDir, undefined))
  const fingerprint = createHmac('sha256', blindedBy).update(plain).digest('hex')
  createIdempotencyKeys(db).reserve({ caller: CALLER, key: 'cut', fingerprint }, clock.ms)
  db.close()
  const again = await openControlPlane({
    config: {
      dataDir: plane.dataDir,
      region: REGION,
      accountId: ACCOUNT,
      masterKey: undefined,
      urlDomain: 'lambda-url.localhost',
      runtimePaths: {},
      concurrency: 1_000
    },
    migrationsDir: MIGRATIONS,
    server: { logger: false },
    now: () => new Date(clock.ms)
  })
  t.teardown(() => again.close())
  const resend = sender((options) => again.inject(options))
  t.match(await resend('PUT', '/v1/layers/libs', 'layer', layer), {
    statusCode: 201,
    headers: { 'idempotency-replayed': 'true', location: '/v1/layers/libs/versions/1' }
  })
  const cut = await resend('PUT', '/v1/layers/cut', 'cut', layer)
  t.match(cut.json(), { status: 409, code: 'IDEMPOTENCY_ANSWER_MISSING', detail: /is not done again/ })
  clock.ms += 86_400_000
  t.match(await resend('PUT', '/v1/layers/cut', 'cut', layer), { statusCode: 201 }, 'a day later it is a new key')
})
