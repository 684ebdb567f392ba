// Configs of asynchronous invocation: the AWS API through AWS's client and by hand, /v1, and what the gateway reads.
import path from 'node:path'
import {
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionEventInvokeConfigCommand,
  ResourceNotFoundException,
  UpdateFunctionEventInvokeConfigCommand
} from '@aws-sdk/client-lambda'
import { createSecretBox, openDirectory, readMasterKey } from '@hearth/store'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

const CONFIG = '/2019-09-25/functions/f/event-invoke-config'
const OTHER = `${ARN}:function:other`
const V1 = '/v1/functions/f/event-invoke-config'

const SENDER = ROLE.replace('hearth-default', 'sender')

/** A role for functions that may invoke others. */
async function mayInvoke(
  { inject }: Awaited<ReturnType<typeof startControlPlane>>,
  role: string,
  ...targets: string[]
) {
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: targets }]
  const policies = targets.length === 0 ? {} : { invoke: { Version: '2012-10-17', Statement } }
  const put = await inject({ method: 'PUT', url: `/v1/roles/${role}`, payload: { policies } })
  t.ok(put.statusCode < 300, put.body)
}

async function start(t: Test) {
  const plane = await startControlPlane(t)
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  await mayInvoke(plane, 'sender', OTHER, `${OTHER}:*`)
  for (const FunctionName of ['f', 'other']) {
    const created = await plane.aws('POST', '/functions', {
      FunctionName,
      Runtime: 'nodejs20.x',
      Role: SENDER,
      Handler: 'index.handler',
      Code: { ZipFile },
      Publish: true
    })
    t.equal(created.statusCode, 201, created.body)
  }
  await plane.aws('POST', '/functions/f/aliases', { Name: 'live', FunctionVersion: '1' })
  const call = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) =>
    plane.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
  return { ...plane, call }
}

t.test("AWS's client puts, updates, reads, lists and deletes configs of a function's qualifiers", async (t) => {
  const plane = await start(t)
  const { client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  const FunctionName = 'f'
  const put = await client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName,
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: OTHER } }
    })
  )
  t.match(put, {
    FunctionArn: `${ARN}:function:f:$LATEST`,
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: OTHER } }
  })
  t.ok(Math.abs(Number(put.LastModified) - Date.now()) < 60_000, 'its time is in seconds')
  const updated = await client.send(
    new UpdateFunctionEventInvokeConfigCommand({
      FunctionName: `${ARN}:function:f`,
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnSuccess: { Destination: `${OTHER}:1` }, OnFailure: { Destination: '' } }
    })
  )
  t.match(updated, {
    MaximumRetryAttempts: 1,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: { OnSuccess: { Destination: `${OTHER}:1` } }
  })
  t.strictSame(updated.DestinationConfig?.OnFailure, {}, 'an empty text takes it away')
  const replaced = await client.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 120 })
  )
  t.notOk('MaximumRetryAttempts' in replaced, 'put replaces all')
  for (const Qualifier of ['1', 'live']) {
    await client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, Qualifier, MaximumRetryAttempts: 2 }))
  }
  const first = await client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName, MaxItems: 2 }))
  const rest = await client.send(
    new ListFunctionEventInvokeConfigsCommand({ FunctionName, MaxItems: 2, Marker: first.NextMarker! })
  )
  t.strictSame(
    [...first.FunctionEventInvokeConfigs!, ...rest.FunctionEventInvokeConfigs!].map((one) => one.FunctionArn),
    ['$LATEST', '1', 'live'].map((qualifier) => `${ARN}:function:f:${qualifier}`)
  )
  t.equal(rest.NextMarker, undefined)
  const got = await client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier: 'live' }))
  t.match(got, { MaximumRetryAttempts: 2, FunctionArn: `${ARN}:function:f:live` })
  await client.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName, Qualifier: 'live' }))
  await t.rejects(
    client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier: 'live' })),
    ResourceNotFoundException
  )
  // The last function's must not be the next one's.
  await plane.aws('DELETE', '/functions/f?Qualifier=1')
  await plane.aws('DELETE', '/functions/f/aliases/live')
  await plane.aws('DELETE', '/functions/f?Qualifier=1')
  t.equal((await plane.call('GET', `${CONFIG}?Qualifier=1`)).statusCode, 404, 'it went with its version')
})

t.test('bad input is refused in AWS’s words and leaves nothing behind', async (t) => {
  const { call, aws } = await start(t)
  const success = (Destination: string) => ({ DestinationConfig: { OnSuccess: { Destination } } })
  const failure = (Destination: string) => ({ DestinationConfig: { OnFailure: { Destination } } })
  const P = 'InvalidParameterValueException'
  const V = 'ValidationException'
  const rows: readonly (readonly [
    body: object,
    status: number,
    type: string,
    message: string | RegExp,
    url?: string
  ])[] = [
    [{}, 400, P, 'You must specify at least one of error handling or destination setting.'],
    [{ DestinationConfig: {} }, 400, P, /^You must specify at least one/],
    [
      { MaximumEventAgeInSeconds: 59 },
      400,
      V,
      "1 validation error detected: Value '59' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"
    ],
    [{ MaximumEventAgeInSeconds: 21_601 }, 400, V, /value less than or equal to 21600$/],
    [{ MaximumRetryAttempts: -1 }, 400, V, /'maximumRetryAttempts'.* greater than or equal to 0$/],
    [{ MaximumRetryAttempts: 3 }, 400, V, /less than or equal to 2$/],
    [
      success('https://example.com'),
      400,
      V,
      /at 'destinationConfig.onSuccess.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: \$\|kafka/
    ],
    [success(`${ARN}:function:nobody`), 400, P, `The destination ARN ${ARN}:function:nobody is invalid.`],
    [success(`${OTHER}:9`), 400, P, `The destination ARN ${OTHER}:9 is invalid.`],
    [success(OTHER.replace('us-east-1', 'eu-west-1')), 400, P, /is invalid\.$/],
    [success(OTHER.replace('0000', '1111')), 400, P, /is invalid\.$/],
    [failure(`${ARN}:function:f:1`), 400, P, "You can't specify the function as a destination for itself."],
    [
      success('arn:aws:dynamodb:us-east-1:000000000000:table/t'),
      400,
      P,
      'The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:dynamodb:us-east-1:000000000000:table/t), onFailure=null) is invalid.'
    ],
    [success('arn:aws:s3:::b'), 400, P, /^The provided destination config .* is invalid\.$/],
    [failure('arn:aws:s3:::b'), 400, P, /buckets are not available yet/],
    [success('arn:aws:sqs:us-east-1:000000000000:q'), 400, P, /queues are not available yet/],
    [failure('arn:aws:sns:us-east-1:000000000000:t'), 400, P, /topics are not available yet/],
    [
      { MaximumRetryAttempts: 1 },
      404,
      'ResourceNotFoundException',
      "The function doesn't exist.",
      `${CONFIG}?Qualifier=9`
    ],
    [
      { MaximumRetryAttempts: 1 },
      404,
      'ResourceNotFoundException',
      "The function doesn't exist.",
      CONFIG.replace('/f/', '/g/')
    ]
  ]
  for (const [body, status, type, message, url = CONFIG] of rows) {
    const answer = await call('PUT', url, body)
    t.equal(answer.statusCode, status, JSON.stringify(body))
    t.equal(answer.headers['x-amzn-errortype'], type, JSON.stringify(body))
    const said = answer.json<{ message?: string; Message?: string }>()
    t.match(said.message ?? said.Message, message, JSON.stringify(body))
  }
  for (const [method, body] of [
    ['GET', undefined],
    ['DELETE', undefined],
    ['POST', { MaximumRetryAttempts: 1 }]
  ] as const) {
    const none = await call(method, CONFIG, body)
    t.equal(none.statusCode, 404, method)
    t.match(none.body, `The function ${ARN}:function:f:$LATEST doesn't have an EventInvokeConfig`)
  }
  t.equal((await call('GET', `${CONFIG}/list?MaxItems=51`)).statusCode, 400)
  t.match((await call('GET', `${CONFIG}/list`)).json(), { FunctionEventInvokeConfigs: [] }, 'nothing was kept')

  const dead = (TargetArn: string) => aws('PUT', '/functions/f/configuration', { DeadLetterConfig: { TargetArn } })
  for (const [target, message] of [
    ['arn:aws:sqs:us-east-1:000000000000:q', /^DeadLetterConfig is not supported.*queues/],
    ['arn:aws:events:us-east-1:000000000000:event-bus/b', /dead letter target/],
    [`${ARN}:function:f`, /destination for itself/],
    [`${ARN}:function:nobody`, /is invalid/]
  ] as const) {
    const answer = await dead(target)
    t.equal(answer.statusCode, 400, target)
    t.match(
      answer.json<{ message?: string; Message?: string }>().message ?? answer.json<{ Message: string }>().Message,
      message
    )
  }
  t.match((await dead(OTHER)).json(), { DeadLetterConfig: { TargetArn: OTHER } })
  // The update is done when its answer is out.
  await aws('GET', '/functions/f/configuration')
  const published = await aws('POST', '/functions/f/versions', {})
  t.equal(published.statusCode, 201, published.body)
  t.match(published.json(), { DeadLetterConfig: { TargetArn: OTHER } }, 'it is part of a version')
  const cleared = (await dead('')).json<object>()
  t.notOk('DeadLetterConfig' in cleared)
})

t.test('/v1 has webhooks too, whose secrets are told once and reach the gateway sealed', async (t) => {
  const { call, dataDir } = await start(t)
  const url = 'https://example.com/done?x=1'
  const created = await call('PUT', V1, {
    maximumRetryAttempts: 0,
    onSuccess: { webhook: { url } },
    onFailure: { arn: OTHER }
  })
  t.equal(created.statusCode, 201, created.body)
  const { secret } = created.json<{ onSuccess: { webhook: { secret: string } } }>().onSuccess.webhook
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const plain = {
    onSuccess: { webhook: { url } },
    onFailure: { arn: OTHER },
    maximumRetryAttempts: 0,
    qualifier: '$LATEST'
  }
  const again = await call('PUT', V1, { onSuccess: { webhook: { url } } })
  t.equal(again.statusCode, 200)
  t.match(again.json(), { onSuccess: { webhook: { url } }, onFailure: null, maximumRetryAttempts: null })
  const changed = await call('PATCH', V1, { maximumRetryAttempts: 0, onFailure: { arn: OTHER } })
  t.match(changed.json(), plain)
  for (const answer of [
    again,
    changed,
    await call('GET', V1),
    await call('GET', `${V1}s`),
    await call('GET', CONFIG)
  ]) {
    t.equal(answer.statusCode, 200, answer.body)
    t.notMatch(answer.body, /whsec_/, 'it is not told again')
    t.match(answer.body, url)
  }
  const aws = await call('POST', CONFIG, { MaximumRetryAttempts: 2 })
  t.equal(aws.statusCode, 200, 'AWS’s update leaves the webhook')

  const reader = openDirectory(path.join(dataDir, 'hearth.db'), createSecretBox(readMasterKey(dataDir, undefined)))
  t.teardown(() => reader.close())
  t.match(reader.findEventSettings('f'), {
    mayRecurse: false,
    configs: [{ maxRetries: 2, maxAgeS: undefined, onSuccess: { target: url, secret }, onFailure: { target: OTHER } }]
  })
  const { seq } = reader.changesSince(0)
  await call('PUT', '/2024-08-31/functions/f/recursion-config', { RecursiveLoop: 'Allow' })
  t.strictSame(reader.changesSince(seq).functions, ['f'], 'the gateway hears of it')
  t.equal(reader.findEventSettings('f').mayRecurse, true)

  const mine = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
  const set = await call('PATCH', V1, { onSuccess: { webhook: { url, secret: mine } } })
  t.notMatch(set.body, /whsec_/, 'whoever set it knows it')
  t.equal(reader.findEventSettings('f').configs[0]?.onSuccess?.secret, mine)
  for (const [body, message] of [
    [{ onSuccess: { webhook: { url: 'ftp://example.com' } } }, /http or https/],
    [{ onSuccess: { webhook: { url: 'https://u:p@example.com' } } }, /no user, password/],
    [{ onSuccess: { webhook: { url: 'http://127.0.0.1/' } } }, /not public/],
    [{ onSuccess: { webhook: { url: 'http://0x7f.1/' } } }, /not public/],
    [{ onSuccess: { webhook: { url: 'http://[::ffff:10.0.0.1]/' } } }, /not public/],
    [{ onSuccess: { webhook: { url: 'http://localhost:9/' } } }, /HEARTH_WEBHOOK_NETWORKS/],
    [{ onSuccess: { webhook: { url, secret: 'whsec_short' } } }, /onSuccess/],
    [{ onSuccess: { webhook: { url, secret: `whsec_${'A'.repeat(33)}` } } }, /24 to 64/],
    [{ onFailure: { arn: 'arn:aws:sqs:us-east-1:000000000000:q' } }, /queues are not available yet/],
    [{ maximumEventAgeInSeconds: 1 }, /maximumEventAgeInSeconds/],
    [{ odd: 1 }, /odd/]
  ] as const) {
    const answer = await call('PUT', V1, body)
    t.equal(answer.statusCode, 400, answer.body)
    t.match(answer.body, message)
  }
  t.equal((await call('DELETE', V1)).statusCode, 204)
  t.match((await call('DELETE', V1)).json(), { code: 'EVENT_CONFIG_NOT_FOUND', status: 404 })
})

t.test('what is sent is sent as the function’s role: a target that it may not call cannot be set', async (t) => {
  const plane = await start(t)
  const { call, aws, put } = plane
  await mayInvoke(plane, 'idle')
  const IDLE = ROLE.replace('hearth-default', 'idle')
  const said = ({ body }: { body: string }) => {
    const { message, Message, detail } = JSON.parse(body) as Record<string, string | undefined>
    return message ?? Message ?? detail
  }
  const refusal = `The function's execution role does not have permissions to call InvokeFunction on ${OTHER}`
  const deadRefusal = 'The provided execution role does not have permissions to call InvokeFunction on LAMBDA'
  const ok = await aws('PUT', '/functions/f/configuration', { DeadLetterConfig: { TargetArn: OTHER } })
  t.equal(ok.statusCode, 200, ok.body)
  await aws('GET', '/functions/f/configuration')

  // Another role must be able to do what is set.
  const other = await aws('PUT', '/functions/f/configuration', { Role: IDLE })
  t.match([other.statusCode, said(other)], [400, deadRefusal])
  t.match((await aws('GET', '/functions/f/configuration')).json(), { Role: SENDER }, 'nothing was changed')
  const both = await aws('PUT', '/functions/f/configuration', { Role: IDLE, DeadLetterConfig: { TargetArn: '' } })
  t.equal(both.statusCode, 200, both.body)
  await aws('GET', '/functions/f/configuration')
  const configs = [
    ['PUT', CONFIG, { DestinationConfig: { OnSuccess: { Destination: OTHER } } }],
    ['PUT', CONFIG, { DestinationConfig: { OnFailure: { Destination: OTHER } } }],
    ['PUT', V1, { onSuccess: { arn: OTHER } }]
  ] as const
  for (const [method, url, body] of configs) {
    const answer = await call(method, url, body)
    t.match([answer.statusCode, said(answer)], [400, refusal], url)
  }
  t.equal((await call('GET', V1)).statusCode, 404, 'nothing was kept')
  const byVersion = await call('PUT', `${V1}?qualifier=live`, { onSuccess: { arn: OTHER } })
  t.equal(byVersion.statusCode, 201, 'a version has the role that it was published with')

  // On /v1 a dead-letter target is a setting like any other.
  const V1F = '/v1/functions/f'
  for (const answer of [
    await call('PATCH', V1F, { deadLetterTarget: OTHER }),
    await put(`f?deadLetterTarget=${OTHER}`, SOURCE),
    await put(`f?dryRun=true&deadLetterTarget=${OTHER}`, SOURCE),
    await put(`fresh.mjs?deadLetterTarget=${OTHER}`, SOURCE)
  ]) {
    t.match([answer.statusCode, said(answer)], [400, deadRefusal])
  }
  t.equal((await call('GET', '/v1/functions/fresh')).statusCode, 404, 'nothing was made')
  t.match(
    (await put('f?deadLetterTarget=arn:aws:sqs:us-east-1:000000000000:q', SOURCE)).body,
    /queues are not available/
  )

  // The target's own policy may allow it too.
  const permission = await aws('POST', '/functions/other/policy', {
    StatementId: 'idle',
    Action: 'lambda:InvokeFunction',
    Principal: IDLE
  })
  t.equal(permission.statusCode, 201, permission.body)
  for (const [method, url, body] of configs) t.ok((await call(method, url, body)).statusCode < 300, url)
  t.match((await put(`f?deadLetterTarget=${OTHER}`, SOURCE)).json(), { deadLetterTarget: OTHER })
  t.match((await put('f', SOURCE)).json(), { deadLetterTarget: OTHER }, 'it stays')
  t.match((await aws('GET', '/functions/f/configuration')).json(), { DeadLetterConfig: { TargetArn: OTHER } })
  t.match((await call('PATCH', V1F, { deadLetterTarget: null })).json(), { deadLetterTarget: null })
  t.match((await call('PATCH', V1F, { deadLetterTarget: OTHER })).json(), { deadLetterTarget: OTHER })
  t.match((await put('f?deadLetterTarget=', SOURCE)).json(), { deadLetterTarget: null })

  // A webhook is nobody's resource: whoever may set the config may name it.
  t.equal((await call('PUT', V1, { onSuccess: { webhook: { url: 'https://example.com/' } } })).statusCode, 200)
})
