import path from 'node:path'
import { build } from 'esbuild'
import t from 'tap'
import { signed } from '../gateway/signed.ts'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { zipOf } from '../helpers/zip.ts'

// What functions do as their roles, with AWS's own client as it comes from npm, in sandboxes without network.
t.setTimeout(120_000)
const hearth = await startHearth()
t.teardown(() => hearth.stop())

const ACCOUNT = '000000000000'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`

/** Does what its event says: nothing here says where the API is, or who asks. */
const ASKER = `
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { GetFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

const of = (Client) => new Client({ maxAttempts: 1 })
const lambda = of(LambdaClient)
const invoke = async (FunctionName) => {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{"from":"asker"}' }))
  return JSON.parse(Buffer.from(Payload).toString())
}
const plain = async (path, init) => {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL + path, init)
  return [answer.status, answer.headers.get('x-amzn-errortype'), await answer.text()]
}
export const handler = async ({ ask, name, path, init }) => {
  try {
    if (ask === 'invoke') return await invoke(name)
    if (ask === 'identity') return (await of(STSClient).send(new GetCallerIdentityCommand({}))).Arn
    if (ask === 'secret') return (await of(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId: name }))).SecretString
    if (ask === 'parameter') return (await of(SSMClient).send(new GetParameterCommand({ Name: name }))).Parameter.Value
    if (ask === 'schedule') return (await of(SchedulerClient).send(new GetScheduleCommand({ Name: name }))).Name
    if (ask === 'event') {
      const entry = { Source: name, DetailType: 'asked', Detail: '{}' }
      return (await of(EventBridgeClient).send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount
    }
    if (ask === 'plain') return await plain(path, init)
    if (ask === 'get') return (await lambda.send(new GetFunctionCommand({ FunctionName: name }))).Configuration.FunctionName
    if (ask === 'environment') return process.env
  } catch (error) {
    return { error: error.name, message: error.message }
  }
}
`

const JSON_TYPE = { 'content-type': 'application/json' }
const NOBODY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }]
}

const ask = async (event: object, name = 'asker') => (await hearth.invoke(name, event)).json()

t.before(async () => {
  const statement = (actions: string[], resource: string) => ({ Effect: 'Allow', Action: actions, Resource: resource })
  const role = await hearth.request('/v1/roles/asker', {
    method: 'PUT',
    headers: JSON_TYPE,
    body: JSON.stringify({
      policies: {
        use: {
          Version: '2012-10-17',
          Statement: [
            statement(['lambda:InvokeFunction'], arnOf('callee')),
            statement(
              ['secretsmanager:GetSecretValue'],
              `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:own-??????`
            ),
            {
              ...statement(['events:PutEvents'], `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`),
              Condition: { StringEquals: { 'events:source': 'asker' } }
            }
          ]
        }
      }
    })
  })
  t.equal(role.status, 201, await role.text())
  for (const name of ['own', 'foreign']) {
    const kept = await hearth.request(`/v1/secrets/${name}`, {
      method: 'PUT',
      headers: JSON_TYPE,
      body: JSON.stringify({ value: 'open sesame' })
    })
    t.equal(kept.status, 201, await kept.text())
  }
  for (const name of ['callee', 'other']) {
    const made = await hearth.deploy(name, `export const handler = async (event) => ({ ...event, by: '${name}' })`)
    t.equal(made.status, 201)
  }
  const { outputFiles } = await build({
    stdin: { contents: ASKER, resolveDir: path.join(ROOT, 'test') },
    bundle: true,
    platform: 'node',
    write: false
  })
  const zip = await zipOf({ 'index.js': outputFiles[0]!.text })
  const made = await hearth.deploy('asker', zip, `memory=512&role=${roleArn('asker')}`)
  t.equal(made.status, 201, await made.text())
})

t.test('a function invokes what its role allows, and nothing else', async (t) => {
  t.same(await ask({ ask: 'invoke', name: 'callee' }), { from: 'asker', by: 'callee' })
  t.match(await ask({ ask: 'invoke', name: 'other' }), {
    error: 'AccessDeniedException',
    message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/asker/asker is not authorized to perform: lambda:InvokeFunction on resource: ${arnOf('other')}`
  })
  t.match(await ask({ ask: 'get', name: 'asker' }), { error: 'AccessDeniedException', message: /lambda:GetFunction / })
  t.equal(await ask({ ask: 'identity' }), `arn:aws:sts::${ACCOUNT}:assumed-role/asker/asker`)
})

t.test('secrets, parameters, buses and schedules are there for roles that may', async (t) => {
  t.equal(await ask({ ask: 'secret', name: 'own' }), 'open sesame')
  t.match(await ask({ ask: 'secret', name: 'foreign' }), { error: 'AccessDeniedException' })
  t.match(await ask({ ask: 'parameter', name: '/none' }), {
    error: 'AccessDeniedException',
    message: /ssm:GetParameter /
  })
  t.equal(await ask({ ask: 'event', name: 'asker' }), 0)
  t.match(await ask({ ask: 'event', name: 'somebody.else' }), { error: 'AccessDeniedException' })
  t.match(await ask({ ask: 'schedule', name: 'x' }), {
    error: 'AccessDeniedException',
    message: /scheduler:GetSchedule /
  })
})

t.test('credentials are those of AWS’s clients, and end with revocation', async (t) => {
  const before = (await ask({ ask: 'environment' })) as Record<string, string>
  t.match(before, {
    AWS_ACCESS_KEY_ID: /^ASIA[A-Z2-7]{16}$/,
    AWS_SECRET_ACCESS_KEY: /^.{40}$/,
    AWS_SESSION_TOKEN: /^[\w+/=]{100,}$/,
    AWS_ENDPOINT_URL: /^http:\/\/127\.0\.0\.1:\d+$/,
    AWS_REGION: 'us-east-1'
  })
  const outside = async () => {
    const credentials = {
      accessKeyId: before['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: before['AWS_SECRET_ACCESS_KEY']!,
      sessionToken: before['AWS_SESSION_TOKEN']!
    }
    const path = '/2015-03-31/functions/callee/invocations'
    const headers = signed(credentials, {
      method: 'POST',
      path,
      body: '{}',
      port: hearth.ports.gateway
    })
    const answer = await fetch(hearth.url + path, { method: 'POST', headers, body: '{}' })
    return [answer.status, answer.headers.get('x-amzn-errortype')]
  }
  t.same(await outside(), [200, null], 'as on AWS, they are good wherever they are used')

  t.equal((await hearth.request('/v1/roles/asker/revoke-sessions', { method: 'POST' })).status, 200)
  t.same(await outside(), [403, 'UnrecognizedClientException'])
  t.match(await ask({ ask: 'identity' }), /assumed-role\/asker\/asker/, 'the function goes on, with others')
  const after = (await ask({ ask: 'environment' })) as Record<string, string>
  t.not(after['AWS_ACCESS_KEY_ID'], before['AWS_ACCESS_KEY_ID'])
})

t.test(
  'a function with another role has other rights at once, and the role of who names none may write logs',
  async (t) => {
    const changed = await hearth.request('/v1/functions/asker', {
      method: 'PATCH',
      headers: JSON_TYPE,
      body: JSON.stringify({ role: roleArn('hearth-default') })
    })
    t.equal(changed.status, 200, await changed.text())
    t.match(await ask({ ask: 'identity' }), /assumed-role\/hearth-default\/asker/)
    t.match(await ask({ ask: 'invoke', name: 'callee' }), { error: 'AccessDeniedException' })
  }
)

t.test('who does not say who he is gets nothing, and only the paths of the API are there', async (t) => {
  const plain = async (path: string, init = {}) => (await ask({ ask: 'plain', path, init })) as [number, string, string]
  const invocation = '/2015-03-31/functions/callee/invocations'
  t.match(await plain(invocation, { method: 'POST', body: '{}' }), [403, 'MissingAuthenticationTokenException'])
  t.match(await plain('/', { method: 'POST', body: 'Action=ListRoles&Version=2010-05-08' }), [403])
  const bearer = { headers: { authorization: `Bearer ${hearth.token}` } }
  t.match(await plain('/2015-03-31/functions', bearer), [200], 'a key is a key, wherever it is shown')
  for (const path of [
    '/v1/functions',
    '/fn/callee',
    '/url/callee',
    '/metrics',
    '/healthz',
    '/openapi.json',
    '//v1/keys'
  ]) {
    t.match(await plain(path, bearer), [403, 'AccessDeniedException', /only the paths of the AWS API/], path)
  }
})

t.test('other languages find the same', async (t) => {
  const python = `
import os, urllib.request, urllib.error
def handler(event, context):
    try:
        return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/2015-03-31/functions').status
    except urllib.error.HTTPError as error:
        return [error.code, error.headers['x-amzn-errortype'], os.environ['AWS_ACCESS_KEY_ID'][:4]]
`
  t.equal((await hearth.deploy('snake', python)).status, 201)
  t.same(await ask({}, 'snake'), [403, 'MissingAuthenticationTokenException', 'ASIA'])
})

t.test('a function whose role is gone does not start', async (t) => {
  t.equal((await hearth.request('/v1/roles/fading', { method: 'PUT', body: '{}', headers: JSON_TYPE })).status, 201)
  t.equal(
    (await hearth.deploy('fading', 'export const handler = async () => 1', `role=${roleArn('fading')}`)).status,
    201
  )
  t.equal((await hearth.invoke('fading')).status, 200)
  const changed = await hearth.request('/v1/roles/fading', {
    method: 'PATCH',
    headers: JSON_TYPE,
    body: JSON.stringify({ trust: NOBODY })
  })
  t.equal(changed.status, 200, await changed.text())
  t.equal((await hearth.invoke('fading')).status, 200, 'credentials that it has are good')
  await hearth.request('/v1/roles/fading/revoke-sessions', { method: 'POST' })
  const refused = await hearth.invoke('fading')
  t.equal(refused.status, 503)
  t.match(await refused.json(), { detail: 'The role defined for the function cannot be assumed by Lambda.' })
})
