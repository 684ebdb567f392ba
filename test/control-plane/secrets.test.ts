// Secrets Manager, Parameter Store and /v1/secrets, on one control plane.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { signed } from '../gateway/signed.ts'
import { ACCOUNT, REGION, startControlPlane } from './support.ts'

const PLAIN = 'plain-Hunter2'
let nowMs = Date.parse('2026-05-01T10:00:00Z')
const plane = await startControlPlane(t, { now: () => new Date(nowMs) })

type Answer = Record<string, unknown>
async function call(target: string, body: object | string = {}, headers: Record<string, string> = {}) {
  const response = await plane.inject({
    method: 'POST',
    url: '/',
    payload: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1', ...headers }
  })
  return { status: response.statusCode, headers: response.headers, body: response.json<Answer>() }
}
const sm = async (operation: string, body?: object) => (await call(`secretsmanager.${operation}`, body)).body
const ssm = async (operation: string, body?: object) => (await call(`AmazonSSM.${operation}`, body)).body
const token = (n: number) => `token-${n}`.padEnd(32, '0')

t.test('the door', async (t) => {
  const made = await call('secretsmanager.CreateSecret', { Name: 'door', SecretString: PLAIN })
  t.equal(made.status, 200)
  t.equal(made.headers['content-type'], 'application/x-amz-json-1.1')
  t.match(made.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/)
  const refusals: [target: string, body: object | string, type: string][] = [
    ['secretsmanager.Nothing', {}, 'UnknownOperationException'],
    ['Nobody.GetSecretValue', {}, 'UnknownOperationException'],
    ['nonsense', {}, 'UnknownOperationException'],
    ['secretsmanager.constructor', {}, 'UnknownOperationException'],
    ['secretsmanager.GetSecretValue', `{"SecretId": "${PLAIN}`, 'SerializationException'],
    ['secretsmanager.GetSecretValue', '[]', 'SerializationException'],
    ['secretsmanager.GetSecretValue', { SecretId: 1 }, 'SerializationException'],
    ['secretsmanager.GetSecretValue', {}, 'ValidationException'],
    ['secretsmanager.GetSecretValue', { SecretId: 'absent' }, 'ResourceNotFoundException'],
    [
      'secretsmanager.CreateSecret',
      { Name: PLAIN, SecretString: `${PLAIN}${'x'.repeat(65_530)}` },
      'ValidationException'
    ],
    ['secretsmanager.CreateSecret', { Name: 'umlauts', SecretString: 'ü'.repeat(40_000) }, 'InvalidParameterException'],
    ['secretsmanager.CreateSecret', { Name: 'a b', SecretString: PLAIN }, 'InvalidParameterException'],
    ['secretsmanager.CreateSecret', { Name: 'door', SecretString: PLAIN }, 'ResourceExistsException'],
    ['AmazonSSM.GetParameter', { Name: '/absent' }, 'ParameterNotFound']
  ]
  for (const [target, body, type] of refusals) {
    const refused = await call(target, body)
    t.match(refused, { status: 400, body: { __type: type, message: String } }, `${target} ${type}`)
    if (target !== 'secretsmanager.CreateSecret') t.notMatch(JSON.stringify(refused.body), PLAIN)
  }
  t.match(await call('secretsmanager.RotateSecret', { SecretId: 'door' }), {
    status: 501,
    body: { __type: 'NotImplementedException' }
  })
  t.match(await call('secretsmanager.ListSecrets', {}, { authorization: '' }), {
    status: 400,
    body: { __type: 'MissingAuthenticationTokenException' }
  })
  const before = nowMs
  nowMs = Date.now()
  const forLambda = signed(plane, { method: 'POST', path: '/', body: '{}', port: 80 })
  const elsewhere = await plane.app.inject({
    method: 'POST',
    url: '/',
    payload: '{}',
    headers: { ...forLambda, 'x-amz-target': 'secretsmanager.ListSecrets' }
  })
  nowMs = before
  t.match(elsewhere.json(), { __type: /Signature/, message: /service/ }, 'signed for another service')
  const query = await plane.inject({ method: 'POST', url: '/', payload: 'Action=ListUsers&Version=2010-05-08' })
  t.match(query.body, '<ListUsersResponse', 'the query protocol is where it was')
  t.equal(((await sm('ListSecrets'))['SecretList'] as object[]).length, 1, 'what was refused left nothing')
})

t.test('versions and their labels', async (t) => {
  const made = await sm('CreateSecret', { Name: 'app/db', SecretString: 'one', ClientRequestToken: token(1) })
  t.match(made, { Name: 'app/db', VersionId: token(1) })
  t.match(made['ARN'], new RegExp(`^arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:app/db-[A-Za-z0-9]{6}$`))
  const arn = String(made['ARN'])
  const again = await sm('CreateSecret', { Name: 'app/db', SecretString: 'one', ClientRequestToken: token(1) })
  t.strictSame(again, made, 'the same request is the same secret')
  t.match(await sm('PutSecretValue', { SecretId: arn, SecretString: 'two', ClientRequestToken: token(2) }), {
    VersionStages: ['AWSCURRENT']
  })
  t.match(await sm('PutSecretValue', { SecretId: 'app/db', SecretString: 'two', ClientRequestToken: token(2) }), {
    VersionId: token(2)
  })
  t.match(await sm('PutSecretValue', { SecretId: 'app/db', SecretString: 'else', ClientRequestToken: token(2) }), {
    __type: 'ResourceExistsException'
  })
  const bytes = Buffer.from([0, 255, 1]).toString('base64')
  await sm('PutSecretValue', { SecretId: arn.slice(0, -7), SecretBinary: bytes, VersionStages: ['AWSPENDING'] })
  const read = async (wanted: object = {}) => await sm('GetSecretValue', { SecretId: 'app/db', ...wanted })
  t.match(await read(), { SecretString: 'two', VersionId: token(2), VersionStages: ['AWSCURRENT'] })
  t.match(await read({ VersionStage: 'AWSPREVIOUS' }), { SecretString: 'one' })
  t.match(await read({ VersionId: token(1) }), { SecretString: 'one' })
  t.match(await read({ VersionStage: 'AWSPENDING' }), { SecretBinary: bytes })
  t.match(await read({ VersionId: token(1), VersionStage: 'AWSPENDING' }), { __type: 'ResourceNotFoundException' })
  t.match(
    await sm('UpdateSecretVersionStage', { SecretId: arn, VersionStage: 'AWSCURRENT', MoveToVersionId: token(1) }),
    {
      __type: 'InvalidParameterException'
    }
  )
  await sm('UpdateSecretVersionStage', {
    SecretId: arn,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: token(1),
    RemoveFromVersionId: token(2)
  })
  t.match(await read(), { SecretString: 'one' })
  t.match(await read({ VersionStage: 'AWSPREVIOUS' }), { SecretString: 'two' })
  const described = await sm('DescribeSecret', { SecretId: arn })
  t.match(described, { VersionIdsToStages: { [token(1)]: ['AWSCURRENT'], [token(2)]: ['AWSPREVIOUS'] } })
  t.type(described['CreatedDate'], 'number')
  t.match(await sm('UpdateSecret', { SecretId: arn, Description: 'of the app', SecretString: 'three' }), { ARN: arn })
  t.equal(((await sm('ListSecretVersionIds', { SecretId: arn }))['Versions'] as object[]).length, 3)
  const all = await sm('ListSecretVersionIds', { SecretId: arn, IncludeDeprecated: true })
  t.equal((all['Versions'] as object[]).length, 4)
  t.match(await sm('BatchGetSecretValue', { SecretIdList: ['app/db', 'absent'] }), {
    SecretValues: [{ SecretString: 'three' }],
    Errors: [{ SecretId: 'absent', ErrorCode: 'ResourceNotFoundException' }]
  })
  t.match(
    await sm('BatchGetSecretValue', { SecretIdList: ['app/db', 'app/db'], MaxResults: 1 }),
    { SecretValues: [{ SecretString: 'three' }], NextToken: undefined },
    'what is asked for twice is one item'
  )
  t.match(await sm('ListSecrets', { Filters: [{ Key: 'name', Values: ['app/'] }] }), { SecretList: [{ ARN: arn }] })
  const page = await sm('ListSecrets', { MaxResults: 1 })
  t.match(await sm('ListSecrets', { MaxResults: 1, NextToken: page['NextToken'] }), { SecretList: [{ Name: 'door' }] })
  t.match(await sm('GetResourcePolicy', { SecretId: arn }), { ARN: arn, ResourcePolicy: undefined })
  t.match(
    (await sm('GetRandomPassword', { PasswordLength: 12, ExcludePunctuation: true }))['RandomPassword'],
    /^[A-Za-z0-9]{12}$/
  )
})

t.test('a deleted secret can be restored until its time is over', async (t) => {
  await sm('CreateSecret', { Name: 'gone', SecretString: 'x' })
  t.match(await sm('DeleteSecret', { SecretId: 'gone', RecoveryWindowInDays: 6 }), {
    __type: 'InvalidParameterException'
  })
  const deleted = await sm('DeleteSecret', { SecretId: 'gone', RecoveryWindowInDays: 7 })
  t.equal(deleted['DeletionDate'], nowMs / 1_000 + 7 * 86_400)
  for (const operation of ['GetSecretValue', 'DeleteSecret']) {
    t.match(await sm(operation, { SecretId: 'gone' }), { __type: 'InvalidRequestException' }, operation)
  }
  t.match(await sm('CreateSecret', { Name: 'gone' }), { __type: 'InvalidRequestException' })
  await sm('RestoreSecret', { SecretId: 'gone' })
  t.match(await sm('GetSecretValue', { SecretId: 'gone' }), { SecretString: 'x' })
  await sm('DeleteSecret', { SecretId: 'gone', ForceDeleteWithoutRecovery: true })
  t.match(await sm('GetSecretValue', { SecretId: 'gone' }), { __type: 'ResourceNotFoundException' })
  t.match(await sm('DeleteSecret', { SecretId: 'gone', ForceDeleteWithoutRecovery: true }), { Name: 'gone' })
})

t.test('parameters', async (t) => {
  t.match(await ssm('PutParameter', { Name: '/app/url', Value: 'http://a', Type: 'String' }), {
    Version: 1,
    Tier: 'Standard'
  })
  t.match(await ssm('PutParameter', { Name: '/app/url', Value: 'b' }), { __type: 'ParameterAlreadyExists' })
  t.match(await ssm('PutParameter', { Name: '/app/url', Value: 'http://b', Overwrite: true }), { Version: 2 })
  t.match(await ssm('PutParameter', { Name: '/app/deep/key', Value: PLAIN, Type: 'SecureString' }), { Version: 1 })
  t.match(await ssm('PutParameter', { Name: '/app/deep/key', Value: 'x', Type: 'String', Overwrite: true }), {
    __type: 'HierarchyTypeMismatchException'
  })
  await ssm('PutParameter', { Name: 'flat', Value: 'a,b', Type: 'StringList', Tags: [{ Key: 'team', Value: 'x' }] })
  const bad: [Answer, string][] = [
    [{ Name: 'a/b', Value: 'x', Type: 'String' }, 'ValidationException'],
    [{ Name: '/aws/x', Value: 'x', Type: 'String' }, 'ValidationException'],
    [{ Name: '/x', Value: 'x' }, 'ValidationException'],
    [{ Name: '/x', Value: 'x'.repeat(4_097), Type: 'String' }, 'ValidationException'],
    [{ Name: '/x', Value: 'x'.repeat(8_193), Type: 'String', Tier: 'Advanced' }, 'ValidationException'],
    [{ Name: '/x', Value: 'x', Type: 'String', AllowedPattern: '(a+)+' }, 'ValidationException'],
    [{ Name: `/x${'/x'.repeat(15)}`, Value: 'x', Type: 'String' }, 'HierarchyLevelLimitExceededException']
  ]
  for (const [input, type] of bad) t.match(await ssm('PutParameter', input), { __type: type }, type)
  t.match(
    await ssm('PutParameter', {
      Name: '/large',
      Value: 'x'.repeat(5_000),
      Type: 'String',
      Tier: 'Intelligent-Tiering'
    }),
    {
      Tier: 'Advanced'
    }
  )
  t.match(await ssm('GetParameter', { Name: '/app/url' }), {
    Parameter: {
      Value: 'http://b',
      Version: 2,
      ARN: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/app/url`,
      DataType: 'text'
    }
  })
  t.match(await ssm('GetParameter', { Name: '/app/url:1' }), { Parameter: { Value: 'http://a', Selector: ':1' } })
  t.match(await ssm('GetParameter', { Name: '/app/url:9' }), { __type: 'ParameterVersionNotFound' })
  await ssm('LabelParameterVersion', { Name: '/app/url', ParameterVersion: 1, Labels: ['live', 'aws-no'] })
  t.match(await ssm('GetParameter', { Name: '/app/url:live' }), { Parameter: { Version: 1 } })
  const closed = (await ssm('GetParameter', { Name: '/app/deep/key' })) as { Parameter: { Value: string } }
  t.notMatch(Buffer.from(closed.Parameter.Value, 'base64').toString('latin1'), PLAIN)
  t.match(await ssm('GetParameter', { Name: '/app/deep/key', WithDecryption: true }), { Parameter: { Value: PLAIN } })
  t.match(await ssm('GetParameters', { Names: ['flat', 'absent'] }), {
    Parameters: [{ Name: 'flat', Type: 'StringList' }],
    InvalidParameters: ['absent']
  })
  const below = async (input: object) =>
    ((await ssm('GetParametersByPath', input))['Parameters'] as { Name: string }[]).map(({ Name }) => Name)
  t.strictSame(await below({ Path: '/app' }), ['/app/url'])
  t.strictSame(await below({ Path: '/app/', Recursive: true }), ['/app/deep/key', '/app/url'])
  t.match(
    await ssm('DescribeParameters', { ParameterFilters: [{ Key: 'Name', Option: 'Equals', Values: ['/app/url'] }] }),
    {
      Parameters: [{ Version: 2, Tier: 'Standard', Policies: [] }]
    }
  )
  t.equal(((await ssm('GetParameterHistory', { Name: '/app/url' }))['Parameters'] as object[]).length, 2)
  await ssm('AddTagsToResource', { ResourceType: 'Parameter', ResourceId: 'flat', Tags: [{ Key: 'b', Value: '1' }] })
  await ssm('RemoveTagsFromResource', { ResourceType: 'Parameter', ResourceId: 'flat', TagKeys: ['team'] })
  t.strictSame(await ssm('ListTagsForResource', { ResourceType: 'Parameter', ResourceId: 'flat' }), {
    TagList: [{ Key: 'b', Value: '1' }]
  })
  t.match(await ssm('DeleteParameters', { Names: ['flat', 'absent'] }), {
    DeletedParameters: ['flat'],
    InvalidParameters: ['absent']
  })
  t.strictSame(await ssm('DeleteParameter', { Name: '/large' }), {})
})

t.test('nothing is allowed by default', async (t) => {
  const who = async (statements: object[]) => {
    await plane.inject({
      method: 'PUT',
      url: '/v1/users/reader',
      payload: JSON.stringify({
        policies: statements.length === 0 ? {} : { p: { Version: '2012-10-17', Statement: statements } }
      })
    })
  }
  await who([])
  const key = (await plane.inject({ method: 'POST', url: '/v1/keys', payload: '{"user":"reader"}' })).json<{
    token: string
  }>()
  const as = { authorization: `Bearer ${key.token}` }
  const attempt = async (target: string, body: object) => (await call(target, body, as)).body['__type'] ?? 'allowed'
  const read = (extra: object = {}) => attempt('secretsmanager.GetSecretValue', { SecretId: 'app/db', ...extra })
  t.equal(await read(), 'AccessDeniedException')
  t.equal(await attempt('AmazonSSM.GetParameter', { Name: '/app/url' }), 'AccessDeniedException')
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:app/db-??????`
  await who([
    {
      Effect: 'Allow',
      Action: 'secretsmanager:GetSecretValue',
      Resource: arn,
      Condition: { StringEquals: { 'secretsmanager:VersionStage': 'AWSCURRENT' } }
    },
    { Effect: 'Allow', Action: 'ssm:GetParameter*', Resource: `arn:aws:ssm:*:*:parameter/app/url` },
    {
      Effect: 'Allow',
      Action: 'secretsmanager:DescribeSecret',
      Resource: '*',
      Condition: { StringEquals: { 'secretsmanager:ResourceTag/team': 'blue' } }
    }
  ])
  t.equal(await read(), 'allowed')
  t.equal(await read({ VersionStage: 'AWSPREVIOUS' }), 'AccessDeniedException')
  t.equal(await attempt('secretsmanager.GetSecretValue', { SecretId: 'door' }), 'AccessDeniedException')
  t.equal(await attempt('AmazonSSM.GetParameter', { Name: '/app/url' }), 'allowed')
  t.equal(await attempt('AmazonSSM.GetParameters', { Names: ['/app/url', '/app/deep/key'] }), 'AccessDeniedException')
  t.equal(await attempt('secretsmanager.DescribeSecret', { SecretId: 'door' }), 'AccessDeniedException')
  await sm('TagResource', { SecretId: 'door', Tags: [{ Key: 'team', Value: 'blue' }] })
  t.equal(await attempt('secretsmanager.DescribeSecret', { SecretId: 'door' }), 'allowed')
})

t.test('/v1/secrets', async (t) => {
  const v1 = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, body?: object | string) => {
    const payload = typeof body === 'object' ? JSON.stringify(body) : body
    const response = await plane.inject({
      method,
      url: `/v1/secrets${url}`,
      ...(payload === undefined ? {} : { payload })
    })
    return { status: response.statusCode, headers: response.headers, body: response.json<Answer>() }
  }
  const name = '/v1%2Fdb'
  const wanted = { value: PLAIN, description: 'of v1', tags: { team: 'red' } }
  const made = await v1('PUT', name, wanted)
  t.match(made, { status: 201, body: { name: 'v1/db', description: 'of v1', versions: [{ stages: ['AWSCURRENT'] }] } })
  const again = await v1('PUT', name, wanted)
  t.match(again, { status: 200, body: { versions: made.body['versions'] } }, 'the same again makes no version')
  t.match(await v1('PUT', name, {}), { status: 200, body: { description: '', tags: {}, versions: [{}] } })
  t.match(await v1('POST', `${name}/versions`, { valueBase64: 'AAE=' }), {
    status: 201,
    body: { stages: ['AWSCURRENT'] }
  })
  t.match(await v1('GET', `${name}/value`), { headers: { 'cache-control': 'no-store' }, body: { valueBase64: 'AAE=' } })
  t.match(await v1('GET', `${name}/value?stage=AWSPREVIOUS`), { body: { value: PLAIN } })
  t.notMatch((await v1('GET', name)).body, { value: String })
  t.equal(((await v1('GET', `${name}/versions`)).body['items'] as object[]).length, 2)
  t.match(await v1('GET', '?limit=1'), { status: 200, body: { items: [{}], nextCursor: String } })
  const refusals: [method: 'PUT' | 'POST' | 'GET', url: string, body: object | string | undefined, code: string][] = [
    ['PUT', '/bad', `{"value": "${PLAIN}`, 'INVALID_PAYLOAD'],
    ['PUT', '/bad', { value: [PLAIN] }, 'INVALID_REQUEST'],
    ['PUT', '/bad', { value: 'x', valueBase64: 'AAE=' }, 'INVALID_SECRET'],
    ['PUT', '/a%20b', { value: 'x' }, 'INVALID_REQUEST'],
    ['POST', '/absent/versions', { value: 'x' }, 'SECRET_NOT_FOUND'],
    ['POST', `${name}/versions`, {}, 'INVALID_SECRET'],
    ['GET', '/absent', undefined, 'SECRET_NOT_FOUND'],
    ['GET', '/absent/value', undefined, 'SECRET_NOT_FOUND']
  ]
  for (const [method, url, body, code] of refusals) {
    const refused = await v1(method, url, body)
    t.equal(refused.body['code'], code, `${method} ${url}`)
    t.notMatch(JSON.stringify(refused.body), PLAIN)
  }
  t.equal((await v1('GET', '/bad')).status, 404, 'what was refused left nothing')
  t.match(await v1('DELETE', name), { status: 200, body: { purgeAt: new Date(nowMs + 30 * 86_400_000).toISOString() } })
  t.match(await v1('GET', `${name}/value`), { status: 409, body: { code: 'SECRET_STATE' } })
  t.match(await v1('POST', `${name}/restore`), { status: 200, body: { deletedAt: null } })
  t.equal((await v1('DELETE', `${name}?recoveryDays=0`)).status, 200)
  t.equal((await v1('GET', name)).status, 404)
})

t.test('no file and no trail has a value in clear', async (t) => {
  // What is in the log of the database too.
  await sm('GetSecretValue', { SecretId: 'door' })
  for (const name of readdirSync(plane.dataDir, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const file = path.join(name.parentPath, name.name)
    t.notOk(readFileSync(file).includes(PLAIN), file)
  }
  nowMs += 1
})
