// IAM in AWS's query protocol, request by request: shapes, errors, quotas, and what nobody should send.
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import t, { type Test } from 'tap'
import { ACCOUNT, ARN, REGION, SOURCE, startControlPlane, zipOf } from './support.ts'

const LAMBDA = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }
const trustOf = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
const TRUST = trustOf(LAMBDA)
const ALLOW = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'
const BASIC = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'
const XMLNS = 'https://iam.amazonaws.com/doc/2010-05-08/'
const HEADERS = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

async function start(t: Test) {
  const plane = await startControlPlane(t)
  const send = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    plane.inject({ method: 'POST', url: '/', payload, headers: { ...HEADERS, ...headers } })
  const call = async (Action: string, params: Record<string, string> = {}) => {
    const { statusCode, body } = await send(
      new URLSearchParams({ Action, Version: '2010-05-08', ...params }).toString()
    )
    const text = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(body)?.[1] ?? ''
    return { status: statusCode, body, code: text('Code'), message: text('Message').replaceAll('&quot;', '"'), text }
  }
  const ok = async (Action: string, params: Record<string, string> = {}) => {
    const answer = await call(Action, params)
    t.equal(answer.status, 200, `${Action}: ${answer.body}`)
    return answer
  }
  return { ...plane, send, call, ok }
}

// One server for all: each test has names of its own.
const { app, accessKeyId, secretAccessKey, inject, aws, send, call, ok } = await start(t)

t.test('answers have the shapes that clients parse', async (t) => {
  const created = await send(
    new URLSearchParams({
      Action: 'CreateRole',
      Version: '2010-05-08',
      RoleName: 'r',
      Path: '/a/',
      AssumeRolePolicyDocument: TRUST,
      Description: 'a <b> & "c"',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': ''
    }).toString()
  )
  t.equal(created.headers['content-type'], 'text/xml')
  const requestId = String(created.headers['x-amzn-requestid'])
  const members = `<Path>/a/</Path><RoleName>r</RoleName><RoleId>ID</RoleId><Arn>arn:aws:iam::${ACCOUNT}:role/a/r</Arn><CreateDate>TIME</CreateDate><AssumeRolePolicyDocument>${encodeURIComponent(TRUST)}</AssumeRolePolicyDocument><Description>a &lt;b&gt; &amp; &quot;c&quot;</Description>`
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`
  const tags = '<Tags><member><Key>team</Key><Value/></member></Tags>'
  const withoutId = (body: string) =>
    body
      .replace(/<RoleId>AROA[A-Z2-7]{17}</g, '<RoleId>ID<')
      .replace(/<CreateDate>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ</g, '<CreateDate>TIME<')
  t.equal(
    withoutId(created.body),
    `<CreateRoleResponse xmlns="${XMLNS}"><CreateRoleResult><Role>${members}${tags}</Role></CreateRoleResult>${metadata}</CreateRoleResponse>`
  )
  const got = await inject({ method: 'GET', url: '/?Action=GetRole&Version=2010-05-08&RoleName=r' })
  t.match(
    withoutId(got.body),
    `<GetRoleResult><Role>${members}<MaxSessionDuration>3600</MaxSessionDuration>${tags}<RoleLastUsed/></Role></GetRoleResult>`,
    'also by GET'
  )
  t.match(
    withoutId((await call('ListRoles', { PathPrefix: '/a/' })).body),
    `<ListRolesResult><Roles><member>${members}<MaxSessionDuration>3600</MaxSessionDuration></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult>`
  )
  t.match((await ok('UpdateRole', { RoleName: 'r' })).body, '<UpdateRoleResult/>', 'an empty result')
  const put = await ok('PutRolePolicy', { RoleName: 'r', PolicyName: 'p', PolicyDocument: ` ${ALLOW}\n` })
  t.match(put.body, /^<PutRolePolicyResponse xmlns="[^"]+"><ResponseMetadata>/, 'no result at all')
  t.equal(
    decodeURIComponent((await ok('GetRolePolicy', { RoleName: 'r', PolicyName: 'p' })).text('PolicyDocument')),
    ` ${ALLOW}\n`,
    'documents stay as they were sent'
  )
  t.match((await ok('ListAttachedRolePolicies', { RoleName: 'r' })).body, '<AttachedPolicies/><IsTruncated>false<')
  t.match((await ok('ListInstanceProfilesForRole', { RoleName: 'r' })).body, '<InstanceProfiles/>')
  await ok('AttachRolePolicy', { RoleName: 'r', PolicyArn: BASIC })
  await ok('AttachRolePolicy', { RoleName: 'r', PolicyArn: BASIC })
  t.match(
    (await ok('ListAttachedRolePolicies', { RoleName: 'r' })).body,
    `<AttachedPolicies><member><PolicyName>AWSLambdaBasicExecutionRole</PolicyName><PolicyArn>${BASIC}</PolicyArn></member></AttachedPolicies>`
  )
  const missing = await send('Action=GetRole&Version=2010-05-08&RoleName=no')
  t.equal(
    missing.body,
    `<ErrorResponse xmlns="${XMLNS}"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role with name no cannot be found.</Message></Error><RequestId>${String(missing.headers['x-amzn-requestid'])}</RequestId></ErrorResponse>`
  )
  t.equal((await inject({ method: 'GET', url: '/' })).json<{ code: string }>().code, 'ROUTE_NOT_FOUND', 'a browser')
})

t.test('lists come in pages', async (t) => {
  for (const name of ['b', 'a', 'c']) await ok('CreateUser', { UserName: name, Path: '/x/' })
  const first = await ok('ListUsers', { MaxItems: '2', PathPrefix: '/x/' })
  const namesOf = (body: string) => [...body.matchAll(/<UserName>(\w+)</g)].map(([, name]) => name)
  t.strictSame(namesOf(first.body), ['a', 'b'])
  t.equal(first.text('IsTruncated'), 'true')
  const second = await ok('ListUsers', { MaxItems: '2', PathPrefix: '/x/', Marker: first.text('Marker') })
  t.strictSame(namesOf(second.body), ['c'])
  t.notMatch(second.body, 'Marker')
  t.match(await call('ListUsers', { Marker: 'forged' }), { status: 400, code: 'ValidationError' })
  const aws = await ok('ListPolicies', { Scope: 'AWS', PathPrefix: '/service-role/', MaxItems: '1000' })
  t.match(aws.body, '<PolicyName>AWSLambdaSQSQueueExecutionRole</PolicyName>')
  t.notMatch(aws.body, 'AdministratorAccess')
})

t.test('what is wrong is said in AWS words', async (t) => {
  await ok('CreateRole', { RoleName: 'wrong', AssumeRolePolicyDocument: TRUST })
  await ok('CreateRole', { RoleName: 'bare', AssumeRolePolicyDocument: TRUST })
  await ok('PutRolePolicy', { RoleName: 'wrong', PolicyName: 'p', PolicyDocument: ALLOW })
  await ok('CreateUser', { UserName: 'wrong' })
  const arn = (await ok('CreatePolicy', { PolicyName: 'own', PolicyDocument: ALLOW })).text('Arn')
  await ok('CreatePolicyVersion', { PolicyArn: arn, PolicyDocument: ALLOW })
  const absent = `arn:aws:iam::${ACCOUNT}:policy/absent`
  const role = (AssumeRolePolicyDocument: string) => ({ RoleName: 'new', AssumeRolePolicyDocument })
  const nobody = `arn:aws:iam::${ACCOUNT}:role/nobody`
  const failed = (member: string, constraint: string) =>
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${constraint}`
  const NAMES = 'satisfy regular expression pattern: [\\w+=,.@-]+'
  const cases: readonly (readonly [string, Record<string, string>, number, string, string])[] = [
    ['Nonsense', {}, 400, 'InvalidAction', 'Could not find operation Nonsense for version 2010-05-08'],
    [
      'GetRole',
      { Version: '2011-06-15' },
      400,
      'InvalidAction',
      'Could not find operation GetRole for version 2011-06-15'
    ],
    ['', {}, 400, 'MissingAction', 'The request has no Action.'],
    [
      'GetRole',
      {},
      400,
      'ValidationError',
      "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null"
    ],
    ['GetRole', { RoleName: 'a b' }, 400, 'ValidationError', failed('roleName', NAMES)],
    [
      'GetRole',
      { RoleName: 'x'.repeat(65) },
      400,
      'ValidationError',
      failed('roleName', 'have length less than or equal to 64')
    ],
    [
      'UpdateRole',
      { RoleName: 'wrong', MaxSessionDuration: '60' },
      400,
      'ValidationError',
      failed('maxSessionDuration', 'have value greater than or equal to 3600')
    ],
    [
      'CreateRole',
      { ...role(TRUST), RoleName: 'WRONG' },
      409,
      'EntityAlreadyExists',
      'Role with name WRONG already exists.'
    ],
    ['CreateRole', role('{"Version":'), 400, 'MalformedPolicyDocument', 'This policy contains invalid Json'],
    [
      'CreateRole',
      role(trustOf({ ...LAMBDA, Resource: '*' })),
      400,
      'MalformedPolicyDocument',
      'Has prohibited field Resource'
    ],
    [
      'CreateRole',
      role(trustOf({ ...LAMBDA, Principal: { AWS: nobody } })),
      400,
      'MalformedPolicyDocument',
      `Invalid principal in policy: "AWS":"${nobody}"`
    ],
    [
      'CreateRole',
      role(trustOf({ ...LAMBDA, Principal: { AWS: 'x' } })),
      400,
      'MalformedPolicyDocument',
      'Invalid principal in policy: "AWS":"x"'
    ],
    [
      'CreateRole',
      role(trustOf({ ...LAMBDA, Action: 's3:*' })),
      400,
      'MalformedPolicyDocument',
      'AssumeRole policy may only specify STS AssumeRole actions.'
    ],
    [
      'CreateRole',
      role(trustOf({ ...LAMBDA, Effect: 'allow' })),
      400,
      'MalformedPolicyDocument',
      'Statement[0].Effect: Effect must be Allow or Deny.'
    ],
    [
      'CreateRole',
      role(trustOf(LAMBDA, ...Array.from({ length: 60 }, () => LAMBDA))),
      409,
      'LimitExceeded',
      'Cannot exceed quota for ACLSizePerRole: 4096'
    ],
    [
      'CreateRole',
      { ...role(TRUST), PermissionsBoundary: absent },
      404,
      'NoSuchEntity',
      `Policy ${absent} does not exist or is not attachable.`
    ],
    [
      'CreateRole',
      {
        ...role(TRUST),
        'Tags.member.1.Key': 'a',
        'Tags.member.1.Value': '',
        'Tags.member.2.Key': 'A',
        'Tags.member.2.Value': ''
      },
      400,
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
    ],
    [
      'PutRolePolicy',
      { RoleName: 'wrong', PolicyName: 'q', PolicyDocument: ALLOW.replace('}}', `,"Sid":"${'x'.repeat(10_200)}"}}`) },
      409,
      'LimitExceeded',
      'Maximum policy size of 10240 bytes exceeded for role wrong'
    ],
    [
      'PutRolePolicy',
      { RoleName: 'wrong', PolicyName: 'q', PolicyDocument: TRUST },
      400,
      'MalformedPolicyDocument',
      'Missing required field Resource'
    ],
    [
      'PutUserPolicy',
      { UserName: 'wrong', PolicyName: 'q', PolicyDocument: ALLOW.replace('}}', `,"Sid":"${'x'.repeat(2_000)}"}}`) },
      409,
      'LimitExceeded',
      'Maximum policy size of 2048 bytes exceeded for user wrong'
    ],
    [
      'GetRolePolicy',
      { RoleName: 'wrong', PolicyName: 'q' },
      404,
      'NoSuchEntity',
      'The role policy with name q cannot be found.'
    ],
    [
      'DeleteUserPolicy',
      { UserName: 'wrong', PolicyName: 'q' },
      404,
      'NoSuchEntity',
      'The user policy with name q cannot be found.'
    ],
    [
      'AttachRolePolicy',
      { RoleName: 'wrong', PolicyArn: 'no-arn-but-long-enough' },
      400,
      'ValidationError',
      'Invalid ARN:  Could not be parsed!'
    ],
    [
      'AttachRolePolicy',
      { RoleName: 'wrong', PolicyArn: absent },
      404,
      'NoSuchEntity',
      `Policy ${absent} does not exist or is not attachable.`
    ],
    [
      'AttachRolePolicy',
      { RoleName: 'no', PolicyArn: BASIC },
      404,
      'NoSuchEntity',
      'The role with name no cannot be found.'
    ],
    [
      'DetachRolePolicy',
      { RoleName: 'wrong', PolicyArn: BASIC },
      404,
      'NoSuchEntity',
      `Policy ${BASIC} was not found.`
    ],
    ['DeleteRole', { RoleName: 'wrong' }, 409, 'DeleteConflict', 'Cannot delete entity, must delete policies first.'],
    [
      'DeletePolicy',
      { PolicyArn: arn },
      409,
      'DeleteConflict',
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
    ],
    ['DeletePolicy', { PolicyArn: absent }, 404, 'NoSuchEntity', `Policy ${absent} was not found.`],
    ['DeletePolicy', { PolicyArn: BASIC }, 403, 'AccessDenied', `${BASIC} is AWS's: it cannot be changed.`],
    [
      'DeletePolicyVersion',
      { PolicyArn: arn, VersionId: 'v1' },
      409,
      'DeleteConflict',
      'Cannot delete the default version of a policy.'
    ],
    [
      'GetPolicyVersion',
      { PolicyArn: arn, VersionId: 'v9' },
      404,
      'NoSuchEntity',
      `Policy ${arn} version v9 does not exist or is not attachable.`
    ],
    [
      'CreatePolicy',
      { PolicyName: 'OWN', PolicyDocument: ALLOW },
      409,
      'EntityAlreadyExists',
      'A policy called OWN already exists. Duplicate names are not allowed.'
    ],
    [
      'CreatePolicy',
      { PolicyName: 'big', PolicyDocument: ALLOW.replace('}}', `,"Sid":"${'x'.repeat(6_100)}"}}`) },
      409,
      'LimitExceeded',
      'Cannot exceed quota for PolicySize: 6144'
    ],
    ['CreateUser', { UserName: 'WRONG' }, 409, 'EntityAlreadyExists', 'User with name WRONG already exists.'],
    ['GetUser', { UserName: 'no' }, 404, 'NoSuchEntity', 'The user with name no cannot be found.'],
    [
      'UpdateAccessKey',
      { UserName: 'wrong', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', Status: 'On' },
      400,
      'ValidationError',
      failed('status', 'satisfy enum value set')
    ],
    [
      'DeleteAccessKey',
      { UserName: 'wrong', AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' },
      404,
      'NoSuchEntity',
      'The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.'
    ]
  ]
  for (const [action, params, status, code, message] of cases) {
    const answer = await call(action, params)
    t.strictSame(
      { status: answer.status, code: answer.code, message: answer.message },
      { status, code, message },
      action
    )
  }
  t.equal((await call('GetRole', { RoleName: 'new' })).status, 404, 'nothing was made')
})

t.test('quotas are those of AWS', async (t) => {
  await ok('CreateRole', { RoleName: 'quota', AssumeRolePolicyDocument: TRUST })
  await ok('CreateUser', { UserName: 'quota' })
  const arns: string[] = []
  for (let i = 0; i < 11; i += 1) {
    arns.push((await ok('CreatePolicy', { PolicyName: `p${i}`, PolicyDocument: ALLOW })).text('Arn'))
  }
  for (const arn of arns.slice(0, 10)) await ok('AttachRolePolicy', { RoleName: 'quota', PolicyArn: arn })
  t.match(await call('AttachRolePolicy', { RoleName: 'quota', PolicyArn: arns[10]! }), {
    status: 409,
    message: 'Cannot exceed quota for PoliciesPerRole: 10'
  })
  t.match(await call('DeleteRole', { RoleName: 'quota' }), {
    code: 'DeleteConflict',
    message: 'Cannot delete entity, must detach all policies first.'
  })
  const PolicyArn = arns[0]!
  t.match(await call('DeletePolicy', { PolicyArn }), { message: 'Cannot delete a policy attached to entities.' })
  for (let i = 0; i < 4; i += 1) await ok('CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW })
  t.match(await call('CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW }), { code: 'LimitExceeded' })
  await ok('DeletePolicyVersion', { PolicyArn, VersionId: 'v5' })
  const next = await ok('CreatePolicyVersion', { PolicyArn, PolicyDocument: ALLOW, SetAsDefault: 'true' })
  t.equal(next.text('VersionId'), 'v6', 'a number is never used again')
  t.equal((await ok('GetPolicy', { PolicyArn })).text('DefaultVersionId'), 'v6')
  for (let i = 0; i < 2; i += 1) await ok('CreateAccessKey', { UserName: 'quota' })
  t.match(await call('CreateAccessKey', { UserName: 'quota' }), {
    message: 'Cannot exceed quota for AccessKeysPerUser: 2'
  })
  t.match(await call('DeleteUser', { UserName: 'quota' }), {
    message: 'Cannot delete entity, must delete access keys first.'
  })
})

t.test('who is gone stays gone where policies name them, and who is renamed goes on', async (t) => {
  const user = (await ok('CreateUser', { UserName: 'eve' })).text('UserId')
  const role = (await ok('CreateRole', { RoleName: 'deployer', AssumeRolePolicyDocument: TRUST })).text('RoleId')
  const AWS = [
    `arn:aws:iam::${ACCOUNT}:user/eve`,
    `arn:aws:iam::${ACCOUNT}:role/deployer`,
    'arn:aws:iam::111122223333:user/eve'
  ]
  const condition = { StringEquals: { 'aws:PrincipalArn': AWS[0] } }
  await ok('CreateRole', {
    RoleName: 'trusting',
    AssumeRolePolicyDocument: trustOf({ ...LAMBDA, Principal: { AWS }, Condition: condition })
  })
  const created = await aws('POST', '/functions', {
    FunctionName: 'f',
    Runtime: 'nodejs20.x',
    Role: `arn:aws:iam::${ACCOUNT}:role/hearth-default`,
    Handler: 'index.handler',
    Code: { ZipFile: (await zipOf({ 'index.mjs': SOURCE })).toString('base64') }
  })
  t.equal(created.statusCode, 201, created.body)
  const permit = { StatementId: 's', Action: 'lambda:InvokeFunction', Principal: AWS[0] }
  t.equal((await aws('POST', '/functions/f/policy', permit)).statusCode, 201)

  await ok('UpdateUser', { UserName: 'eve', NewUserName: 'ada', NewPath: '/x/' })
  const trust = async () => {
    const text = decodeURIComponent((await ok('GetRole', { RoleName: 'trusting' })).text('AssumeRolePolicyDocument'))
    return (JSON.parse(text) as { Statement: { Principal: { AWS: string[] }; Condition: object }[] }).Statement[0]!
  }
  const permitted = async () => {
    const { Policy } = (await aws('GET', '/functions/f/policy')).json<{ Policy: string }>()
    return (JSON.parse(Policy) as { Statement: { Principal: { AWS: string }; Resource: string }[] }).Statement[0]!
  }
  const ada = `arn:aws:iam::${ACCOUNT}:user/x/ada`
  t.strictSame((await trust()).Principal.AWS, [ada, AWS[1], AWS[2]])
  t.strictSame(await permitted(), {
    Sid: 's',
    Effect: 'Allow',
    Principal: { AWS: ada },
    Action: 'lambda:InvokeFunction',
    Resource: `${ARN}:function:f`
  })
  await ok('DeleteUser', { UserName: 'ada' })
  await ok('DeleteRole', { RoleName: 'deployer' })
  await ok('CreateUser', { UserName: 'eve' })
  await ok('CreateRole', { RoleName: 'deployer', AssumeRolePolicyDocument: TRUST })
  t.strictSame((await trust()).Principal.AWS, [user, role, AWS[2]], 'by their ids')
  t.strictSame((await trust()).Condition, condition, 'conditions are no principals')
  t.equal((await permitted()).Principal.AWS, user)
})

/** For AWS's own signer. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as never))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : Buffer.from(data as never))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

t.test('signatures are for iam, in the region of either the server or all of IAM', async (t) => {
  const body = 'Action=GetUser&Version=2010-05-08'
  const sign = async (service: string, region: string, secret = secretAccessKey) => {
    const signer = new SignatureV4({
      service,
      region,
      credentials: { accessKeyId, secretAccessKey: secret },
      sha256: Sha256
    })
    const headers = { host: 'localhost:80', ...HEADERS }
    const request = { method: 'POST', protocol: 'http:', hostname: 'localhost', path: '/', headers, body, query: {} }
    const signed = (await signer.sign(request as never)) as unknown as { headers: Record<string, string> }
    return app.inject({ method: 'POST', url: '/', payload: body, headers: signed.headers })
  }
  const good = await sign('iam', 'us-east-1')
  t.equal(good.statusCode, 200, good.body)
  t.match(good.body, `<Arn>arn:aws:iam::${ACCOUNT}:user/admin</Arn>`)
  t.equal((await sign('iam', REGION)).statusCode, 200)
  const refused = async (answer: ReturnType<typeof sign>, code: string, message: RegExp) => {
    const { statusCode, headers, body: text } = await answer
    t.equal(statusCode, 403, text)
    t.equal(headers['content-type'], 'text/xml')
    t.match(text, `<Code>${code}</Code>`)
    t.match(text, message)
  }
  await refused(
    sign('iam', 'eu-west-1'),
    'SignatureDoesNotMatch',
    /should be scoped to a valid region, not 'eu-west-1'/
  )
  await refused(sign('lambda', 'us-east-1'), 'SignatureDoesNotMatch', /should be scoped to correct service: 'iam'/)
  await refused(sign('iam', 'us-east-1', 'wrong'), 'SignatureDoesNotMatch', /does not match the signature you provided/)
  const none = await app.inject({ method: 'POST', url: '/', payload: body })
  t.equal(none.statusCode, 403)
  t.match(
    none.body,
    '<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>'
  )
  const stranger = await app.inject({ method: 'POST', url: '/', payload: body, headers: { authorization: 'Bearer x' } })
  t.match(stranger.body, '<Code>InvalidClientTokenId</Code>')
})

t.test('a key works until it is turned off, and not a request longer', async (t) => {
  await ok('CreateUser', { UserName: 'holder' })
  const made = await inject({ method: 'POST', url: '/v1/keys', payload: { user: 'holder' } })
  const { accessKeyId: AccessKeyId, token } = made.json<{ accessKeyId: string; token: string }>()
  const whoAmI = async () => {
    const url = '/?Action=GetCallerIdentity&Version=2011-06-15'
    return (await app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } })).statusCode
  }
  const unused = await ok('GetAccessKeyLastUsed', { AccessKeyId })
  t.match(unused.body, '<AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>')
  t.equal(await whoAmI(), 200)
  t.match((await ok('GetAccessKeyLastUsed', { AccessKeyId })).body, /<LastUsedDate>\d{4}-.*<ServiceName>hearth</)
  await ok('UpdateAccessKey', { UserName: 'holder', AccessKeyId, Status: 'Inactive' })
  t.equal(await whoAmI(), 403)
  await ok('UpdateAccessKey', { UserName: 'holder', AccessKeyId, Status: 'Active' })
  t.equal(await whoAmI(), 200)
  await ok('DeleteAccessKey', { UserName: 'holder', AccessKeyId })
  t.equal(await whoAmI(), 403)
})

t.test('no request breaks it', async (t) => {
  const bodies: readonly (string | Buffer)[] = [
    '',
    '&&&=&',
    'Action',
    'Action=__proto__&Version=constructor',
    'Action=CreateUser&__proto__.UserName=hostile&constructor.prototype.UserName=hostile',
    'Action=TagRole&RoleName=hostile&Tags=x&Tags.member.1.Key=y',
    'Action=TagRole&RoleName=hostile&Tags.member.1.Key.x=y&Tags.member.1.Key=z',
    'Action=TagRole&RoleName=hostile&Tags.member.999999999999.Key=y',
    'Action=TagRole&RoleName=hostile&Tags.member.-1=y&Tags.member.x=z',
    'Action.x=1&Action=GetUser',
    'Action=GetUser&UserName=%zz',
    'Action=GetUser&UserName=%ff%fe',
    'Action=GetUser&UserName=%00',
    'Action=ListRoles&MaxItems=1e9',
    'Action=ListRoles&MaxItems=NaN&Marker=%F0%9F%98%80',
    `Action=GetUser&${'a.'.repeat(40)}=x`,
    `Action=GetUser&${'a=b&'.repeat(5_000)}`,
    `Action=CreatePolicy&PolicyName=p&PolicyDocument=${'['.repeat(100_000)}`,
    `Action=CreatePolicy&PolicyName=p&PolicyDocument=${'%7B%22a%22:'.repeat(10_000)}`,
    Buffer.from([0x41, 0x3d, 0xff, 0xfe]),
    Buffer.alloc(600_000, 'x')
  ]
  for (const body of bodies) {
    const { statusCode, body: text } = await send(body)
    const shown = String(body).slice(0, 40)
    t.ok(statusCode >= 400 && statusCode < 500, `${statusCode} ${shown}`)
    t.match(text, /^<ErrorResponse .*<Code>\w+<\/Code><Message>.+<\/Message>/s, shown)
  }
  t.notMatch((await inject({ url: '/v1/users' })).body, 'hostile', 'and nothing was made')
})
