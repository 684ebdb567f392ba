// Who may do what with the control plane, and the trail of it.
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { internalToken, readMasterKey } from '@hearth/store'
import t from 'tap'
import { MODEL } from '../helpers/lambda-model.ts'
import { listenWithClient } from './client.ts'
import { ACCOUNT, ARN, REGION, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

/** Operations whose action has another name. */
const ACTIONS: Readonly<Record<string, string>> = { GetLayerVersionByArn: 'lambda:GetLayerVersion' }

type Plane = Awaited<ReturnType<typeof startControlPlane>>

const allow = (Action: string | string[], Resource: string | string[] = '*', more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, ...more }]
})

/** A user with a key, as an operator makes one. */
async function addUser({ inject, app }: Plane, name: string) {
  await inject({ method: 'PUT', url: `/v1/users/${name}`, payload: {} })
  const key = (await inject({ method: 'POST', url: '/v1/keys', payload: { user: name } })).json<{
    accessKeyId: string
    secretAccessKey: string
    token: string
  }>()
  return {
    ...key,
    may: async (policy: object | undefined) => {
      const policies = policy === undefined ? {} : { p: policy }
      const answer = await inject({ method: 'PUT', url: `/v1/users/${name}`, payload: { policies } })
      if (answer.statusCode !== 200) throw new Error(answer.body)
    },
    call: (
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      url: string,
      payload?: object | string,
      headers: Record<string, string> = {}
    ) =>
      app.inject({
        method,
        url,
        headers: { authorization: `Bearer ${key.token}`, ...headers },
        ...(payload === undefined ? {} : { payload })
      })
  }
}

t.test('nobody gets through a route that he is not allowed', async (t) => {
  const plane = await startControlPlane(t)
  const ada = await addUser(plane, 'ada')
  const { paths } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, { operationId?: string; security?: unknown[] }>>
  }
  let asked = 0
  for (const [url, methods] of Object.entries(paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      if (!/^(get|put|post|patch|delete)$/.test(method) || security?.length === 0) continue
      const answer = await ada.call(method.toUpperCase() as 'GET', url.replaceAll(/\{\w+\}/g, 'some1'), '{}')
      const isElsewhere = answer.json<{ code: string }>().code === 'ROUTE_NOT_FOUND'
      // Some look at the form of a request first; none does anything.
      if (!isElsewhere) t.match(String(answer.statusCode), /^(403|400)$/, `${method} ${url} ${answer.body}`)
      asked++
    }
  }
  t.ok(asked > 60, String(asked))
  for (const { name, method, path: route } of MODEL) {
    if (name === 'Invoke' || name === 'InvokeWithResponseStream') continue
    const url = route.replaceAll(/\{(\w+)\}/g, (_text, member: string) =>
      member === 'FunctionName' ? 'there' : encodeURIComponent(`${ARN}:function:there`)
    )
    const body = method === 'GET' || method === 'DELETE' ? undefined : {}
    const answer = await ada.call(method, url, body)
    t.equal(answer.statusCode, 403, `${name} ${answer.body}`)
    t.equal(answer.headers['x-amzn-errortype'], 'AccessDeniedException', name)
    t.match(
      answer.json().Message ?? answer.json().message,
      `not authorized to perform: ${ACTIONS[name] ?? `lambda:${name}`}`
    )
  }
  await ada.may({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', NotAction: 'lambda:GetFunction', Resource: '*' }
    ]
  })
  t.equal((await ada.call('GET', '/2015-03-31/functions/there')).statusCode, 404, 'what is allowed is done')
  t.equal((await ada.call('GET', '/2015-03-31/functions/there/configuration')).statusCode, 403)
})

t.test('a deploy asks for each of the rights that it uses', async (t) => {
  const plane = await startControlPlane(t)
  const ada = await addUser(plane, 'ada')
  const f = `${ARN}:function:f`
  const other = `arn:aws:iam::${ACCOUNT}:role/other`
  await plane.inject({ method: 'PUT', url: '/v1/roles/other', payload: {} })
  const deploy = async (status: number, query = '', name = 'f') => {
    const answer = await ada.call('PUT', `/v1/functions/${name}${query}`, SOURCE)
    t.equal(answer.statusCode, status, `${name}${query} ${answer.body}`)
    return answer
  }
  await deploy(403)
  await ada.may(allow('lambda:CreateFunction', f))
  await deploy(403, '', 'g')
  await deploy(403, `?role=${other}`)
  await deploy(201)
  await deploy(403)
  await ada.may(allow(['lambda:UpdateFunctionCode', 'lambda:UpdateFunctionConfiguration'], f))
  await deploy(200)
  const denied = await deploy(403, `?role=${other}`)
  t.match(denied.json().detail, `is not authorized to perform: iam:PassRole on resource: ${other}`)
  t.equal((await ada.call('PATCH', '/v1/functions/f', { role: other })).statusCode, 403)
  t.equal((await ada.call('PATCH', '/v1/functions/f', { memory: 256 })).statusCode, 200)
  const passing = (service: string) => ({
    Version: '2012-10-17',
    Statement: [
      ...allow('lambda:*', f).Statement,
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: other,
        Condition: { StringEquals: { 'iam:PassedToService': service } }
      }
    ]
  })
  await ada.may(passing('ec2.amazonaws.com'))
  await deploy(403, `?role=${other}`)
  await ada.may(passing('lambda.amazonaws.com'))
  await deploy(200, `?role=${other}`)
  await deploy(403, `?role=${ROLE}`)
  await deploy(200, '?publish=true')

  const client = { FunctionName: 'f', Role: ROLE }
  const configure = (payload: object) => ada.call('PUT', '/2015-03-31/functions/f/configuration', payload)
  t.equal((await configure(client)).statusCode, 403)
  t.equal((await configure({ Role: other })).statusCode, 200)
  const layer = `${ARN}:layer:l:1`
  t.match((await configure({ Layers: [layer] })).json().Message, `lambda:GetLayerVersion on resource: ${layer}`)
})

t.test('where a request comes from is what the gateway says, and nobody else', async (t) => {
  const plane = await startControlPlane(t)
  const ada = await addUser(plane, 'ada')
  await ada.may(allow('lambda:ListFunctions', '*', { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }))
  const proof = internalToken(readMasterKey(plane.dataDir, undefined))
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{}, 403],
    [{ 'x-forwarded-for': '192.0.2.7' }, 403],
    [{ 'x-forwarded-for': '192.0.2.7', 'x-hearth-gateway': 'a guess' }, 403],
    [{ 'x-forwarded-for': '127.0.0.1', 'x-hearth-gateway': proof }, 403],
    [{ 'x-forwarded-for': '192.0.2.7', 'x-hearth-gateway': proof }, 200]
  ]
  for (const [headers, status] of cases) {
    const answer = await ada.call('GET', '/v1/functions', undefined, headers)
    t.equal(answer.statusCode, status, JSON.stringify(headers))
  }
  await ada.may(allow('lambda:ListFunctions', '*', { Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.1' } } }))
  t.equal((await ada.call('GET', '/v1/functions')).statusCode, 200, 'directly')
  const forged = await ada.call('GET', '/v1/functions', undefined, { 'x-forwarded-for': '127.0.0.1' })
  t.equal(forged.statusCode, 403, 'what cannot be known is in no range')
})

t.test('the path of a user, role or policy belongs to what is asked for', async (t) => {
  const plane = await startControlPlane(t)
  const ada = await addUser(plane, 'ada')
  const document = allow('lambda:GetFunction')
  const kinds = [
    ['users', 'user', 'User', { path: '/chiefs/' }],
    ['roles', 'role', 'Role', { path: '/chiefs/' }],
    ['policies', 'policy', 'Policy', { path: '/chiefs/', document }]
  ] as const
  for (const [route, kind, Kind, body] of kinds) {
    const arn = (rest: string) => `arn:aws:iam::${ACCOUNT}:${kind}/${rest}`
    const url = `/v1/${route}`
    await ada.may({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: [`hearth:Put${Kind}`, `hearth:Delete${Kind}`, `iam:Get${Kind}`], Resource: '*' },
        { Effect: 'Deny', Action: '*', Resource: arn('chiefs/*') }
      ]
    })
    t.equal((await ada.call('PUT', `${url}/made`, body)).statusCode, 403, `${kind}: to be made there`)
    t.equal((await plane.inject({ method: 'GET', url: `${url}/made` })).statusCode, 404, 'and is not')
    await plane.inject({ method: 'PUT', url: `${url}/chief`, payload: body })
    const denied = [
      await ada.call('GET', `${url}/chief`),
      await ada.call('PUT', `${url}/chief`, { document: 'document' in body ? document : undefined }),
      await ada.call('DELETE', `${url}/chief`)
    ]
    for (const answer of denied) t.equal(answer.statusCode, 403, answer.body)
    t.match(denied[0]!.json().detail, arn('chiefs/chief'))
    t.equal((await ada.call('PUT', `${url}/plain`, { ...body, path: '/' })).statusCode, 201, `${kind}: elsewhere`)
  }
})

t.test('a role that Lambda cannot take is refused', async (t) => {
  const { inject, aws, put } = await startControlPlane(t)
  const MESSAGE = 'The role defined for the function cannot be assumed by Lambda.'
  const trust = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }
  }
  await inject({ method: 'PUT', url: '/v1/roles/ec2', payload: { trust } })
  const Code = { ZipFile: (await zipOf({ 'index.mjs': SOURCE })).toString('base64') }
  for (const role of ['ec2', 'nobody', 'path/hearth-default']) {
    const Role = `arn:aws:iam::${ACCOUNT}:role/${role}`
    const answer = await aws('POST', '/functions', {
      FunctionName: 'f',
      Role,
      Handler: 'index.handler',
      Runtime: 'nodejs20.x',
      Code
    })
    t.equal(answer.statusCode, 400, role)
    t.equal(answer.headers['x-amzn-errortype'], 'InvalidParameterValueException')
    t.match(answer.json(), { message: MESSAGE })
    t.equal((await put(`g?role=${Role}`, SOURCE)).json().detail, MESSAGE)
  }
  t.equal((await inject({ method: 'GET', url: '/v1/functions' })).json().items.length, 0, 'nothing is left behind')
  await put('h', SOURCE)
  t.equal(
    (await inject({ method: 'PATCH', url: '/v1/functions/h', payload: { role: `arn:aws:iam::${ACCOUNT}:role/ec2` } }))
      .statusCode,
    400
  )
})

t.test('a role is taken through STS by whom it trusts, and used by AWS clients', async (t) => {
  const plane = await startControlPlane(t)
  const { endpoint } = await listenWithClient(t, plane)
  const ada = await addUser(plane, 'ada')
  await plane.put('f', SOURCE)
  const role = `arn:aws:iam::${ACCOUNT}:role/worker`
  const trusting = (Principal: object, Condition?: object) => ({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal,
      Action: 'sts:AssumeRole',
      ...(Condition === undefined ? {} : { Condition })
    }
  })
  const setRole = async (trust: object, policies: object = {}) => {
    const answer = await plane.inject({ method: 'PUT', url: '/v1/roles/worker', payload: { trust, policies } })
    t.ok(answer.statusCode < 300, answer.body)
  }
  const sts = (Action: string, members: Record<string, string> = {}, credentials = ada) =>
    plane.app.inject({
      method: 'POST',
      url: '/',
      headers: { authorization: `Bearer ${credentials.token}`, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ Action, Version: '2011-06-15', ...members }).toString()
    })
  const assume = (members: Record<string, string> = {}) =>
    sts('AssumeRole', { RoleArn: role, RoleSessionName: 'run1', ...members })
  const textOf = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''

  const me = await sts('GetCallerIdentity')
  t.equal(textOf(me.body, 'Arn'), `arn:aws:iam::${ACCOUNT}:user/ada`, 'without any right')
  t.equal(textOf(me.body, 'Account'), ACCOUNT)

  const refused = async (why: string, members: Record<string, string> = {}, code = 'AccessDenied', status = 403) => {
    const answer = await assume(members)
    t.equal(answer.statusCode, status, `${why} ${answer.body}`)
    t.equal(textOf(answer.body, 'Code'), code, why)
    return answer
  }
  const none = await refused('no such role')
  t.match(
    textOf(none.body, 'Message'),
    `User: arn:aws:iam::${ACCOUNT}:user/ada is not authorized to perform: sts:AssumeRole on resource: ${role}`
  )
  await setRole(trusting({ Service: 'lambda.amazonaws.com' }))
  await refused('a role of functions')
  await setRole(trusting({ AWS: ACCOUNT }))
  await refused('trusts the account, which has not allowed it')
  await ada.may(allow('sts:AssumeRole', role))
  t.equal((await assume()).statusCode, 200)
  await ada.may(undefined)
  await setRole(trusting({ AWS: `arn:aws:iam::${ACCOUNT}:user/ada` }, { StringEquals: { 'sts:ExternalId': 'xyz' } }), {
    p: allow('lambda:GetFunction', `${ARN}:function:f`)
  })
  await refused('without the external id')
  await refused('with another', { ExternalId: 'abc' })
  const own = { ExternalId: 'xyz' }
  await refused('too long', { ...own, DurationSeconds: '7200' }, 'ValidationError', 400)
  await refused('too short', { ...own, DurationSeconds: '10' }, 'ValidationError', 400)
  await refused('no name', { ...own, RoleSessionName: 'a:b' }, 'ValidationError', 400)
  await refused('no policy', { ...own, Policy: '{' }, 'MalformedPolicyDocument', 400)
  const taken = await assume({ ...own, DurationSeconds: '900' })
  t.equal(taken.statusCode, 200, taken.body)
  t.equal(textOf(taken.body, 'Arn'), `arn:aws:sts::${ACCOUNT}:assumed-role/worker/run1`)
  t.notMatch(taken.body, 'PackedPolicySize')

  const clientOf = (xml: string) => {
    const client = new LambdaClient({
      endpoint,
      region: REGION,
      maxAttempts: 1,
      credentials: {
        accessKeyId: textOf(xml, 'AccessKeyId'),
        secretAccessKey: textOf(xml, 'SecretAccessKey'),
        sessionToken: textOf(xml, 'SessionToken')
      }
    })
    t.teardown(() => {
      client.destroy()
    })
    return client
  }
  const client = clientOf(taken.body)
  t.equal((await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Configuration?.FunctionName, 'f')
  await t.rejects(client.send(new GetFunctionCommand({ FunctionName: 'g' })), { name: 'AccessDeniedException' })
  const narrowed = await assume({ ...own, Policy: JSON.stringify(allow('lambda:ListFunctions')) })
  t.match(textOf(narrowed.body, 'PackedPolicySize'), /^\d+$/)
  await t.rejects(
    clientOf(narrowed.body).send(new GetFunctionCommand({ FunctionName: 'f' })),
    /no session policy allows/
  )
  await plane.inject({ method: 'POST', url: '/v1/roles/worker/revoke-sessions', payload: {} })
  await t.rejects(client.send(new GetFunctionCommand({ FunctionName: 'f' })), { name: 'UnrecognizedClientException' })
})

t.test('keys end with the next request', async (t) => {
  const plane = await startControlPlane(t)
  const ada = await addUser(plane, 'ada')
  await ada.may(allow('lambda:ListFunctions'))
  t.equal((await ada.call('GET', '/v1/functions')).statusCode, 200)
  await plane.inject({ method: 'DELETE', url: `/v1/keys/${ada.accessKeyId}` })
  t.equal((await ada.call('GET', '/v1/functions')).statusCode, 401)
})

t.test('what was allowed and what was not is kept, without secrets', async (t) => {
  const plane = await startControlPlane(t)
  const { inject, dataDir } = plane
  const ada = await addUser(plane, 'ada')
  await ada.may(allow('lambda:GetFunction', `${ARN}:function:f`))
  await plane.put('f?env.PASSWORD=hunter2', SOURCE)
  await ada.call('GET', '/v1/functions/f')
  const denied = await ada.call('DELETE', '/v1/functions/f')
  const audit = async (query: string) =>
    (await inject({ method: 'GET', url: `/v1/audit?${query}` })).json<{ items: Record<string, unknown>[] }>().items
  let items: Record<string, unknown>[] = []
  while (items.length < 2) items = await audit(`principal=arn:aws:iam::${ACCOUNT}:user/ada`)
  t.match(items[0], {
    requestId: denied.headers['x-amzn-requestid'],
    keyId: ada.accessKeyId,
    sourceIp: '127.0.0.1',
    action: 'lambda:DeleteFunction',
    resource: `${ARN}:function:f`,
    decision: 'implicitDeny',
    by: 'identity'
  })
  t.match(items[1], { action: 'lambda:GetFunction', decision: 'allowed', statement: { policy: 'p', index: 0 } })
  t.equal((await audit('decision=implicitDeny')).length, 1)
  t.equal((await audit('action=lambda:CreateFunction&limit=1')).length, 1)
  t.equal((await inject({ method: 'GET', url: '/v1/audit?since=yesterday' })).statusCode, 400)
  t.equal((await ada.call('GET', '/v1/audit')).statusCode, 403)
  const folder = path.join(dataDir, 'audit')
  for (const file of await readdir(folder)) {
    const text = readFileSync(path.join(folder, file), 'utf8')
    for (const secret of ['hunter2', ada.token, ada.secretAccessKey, plane.token]) t.notMatch(text, secret)
  }
})
