import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListFunctionsCommand,
  paginateListFunctions,
  ResourceConflictException,
  ResourceNotFoundException,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, REGION, ROLE, SOURCE, type StartOptions, startControlPlane, zipOf } from './support.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x86_64'

/** A listening control plane and AWS's own client for it, with the credentials of data/credentials. */
async function startWithClient(t: Test, options?: StartOptions) {
  const plane = await startControlPlane(t, options)
  const { endpoint, client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  return { ...plane, endpoint, client }
}

t.test("AWS's client creates, waits, changes, lists and deletes", async (t) => {
  const { client, endpoint } = await startWithClient(t)
  const zip = await zipOf({ 'index.mjs': SOURCE })
  const sha = createHash('sha256').update(zip).digest('base64')
  const created = await client.send(
    new CreateFunctionCommand({
      FunctionName: 'hello',
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: zip },
      Environment: { Variables: { GREETING: 'hé' } },
      Tags: { team: 'a' },
      // What deploy tools send without meaning it.
      PackageType: 'Zip',
      Architectures: [ARCHITECTURE],
      VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
      TracingConfig: { Mode: 'PassThrough' },
      SnapStart: { ApplyOn: 'None' },
      EphemeralStorage: { Size: 512 },
      DeadLetterConfig: { TargetArn: '' },
      KMSKeyArn: '',
      Layers: [],
      Publish: false
    })
  )
  t.match(created, {
    $metadata: { httpStatusCode: 201, requestId: UUID },
    FunctionName: 'hello',
    FunctionArn: `${ARN}:function:hello`,
    State: 'Pending',
    StateReasonCode: 'Creating',
    CodeSha256: sha,
    CodeSize: zip.length,
    Version: '$LATEST',
    LastModified: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/
  })
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { FunctionName: 'hello' })
  const got = await client.send(new GetFunctionCommand({ FunctionName: `${ARN}:function:hello:$LATEST` }))
  t.match(got, {
    Configuration: {
      State: 'Active',
      LastUpdateStatus: 'Successful',
      FunctionArn: `${ARN}:function:hello:$LATEST`,
      Environment: { Variables: { GREETING: 'hé' } }
    },
    Code: { RepositoryType: 'S3', Location: new RegExp(`^${endpoint}/v1/functions/hello/code\\?expires=`) },
    Tags: { team: 'a' }
  })
  t.not(got.Configuration?.RevisionId, created.RevisionId, 'becoming active is a revision')

  const location = got.Code?.Location ?? ''
  const download = await fetch(location)
  t.equal(download.status, 200, 'the link works without a key')
  t.equal(
    createHash('sha256')
      .update(Buffer.from(await download.arrayBuffer()))
      .digest('base64'),
    sha
  )
  for (const bad of [
    location.replace('hello', 'other'),
    location.replace(/expires=\d/, 'expires=9'),
    location.replace(/.$/, '!'),
    location.replace(/&signature=.*/, '&signature=')
  ]) {
    t.ok([401, 403].includes((await fetch(bad)).status), bad)
  }

  const other = await zipOf({ 'index.mjs': `${SOURCE}// changed` })
  const updated = await client.send(
    new UpdateFunctionCodeCommand({ FunctionName: 'hello', ZipFile: other, RevisionId: got.Configuration?.RevisionId })
  )
  t.match(updated, {
    LastUpdateStatus: 'InProgress',
    LastUpdateStatusReasonCode: 'Creating',
    State: 'Active',
    CodeSize: other.length
  })
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { FunctionName: 'hello' })
  const configured = await client.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: 'hello',
      Timeout: 30,
      MemorySize: 256,
      LoggingConfig: { LogFormat: 'JSON' }
    })
  )
  t.match(configured, {
    Timeout: 30,
    MemorySize: 256,
    LoggingConfig: {
      LogFormat: 'JSON',
      ApplicationLogLevel: 'INFO',
      SystemLogLevel: 'INFO',
      LogGroup: '/aws/lambda/hello'
    }
  })
  t.match(
    configured,
    { CodeSha256: updated.CodeSha256, Environment: { Variables: { GREETING: 'hé' } } },
    'what was not sent stays'
  )
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { FunctionName: 'hello' })

  await t.rejects(
    client.send(
      new CreateFunctionCommand({
        FunctionName: 'hello',
        Role: ROLE,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Code: { ZipFile: zip }
      })
    ),
    ResourceConflictException
  )
  t.match(await client.send(new ListFunctionsCommand({})), { Functions: [{ FunctionName: 'hello' }] })
  t.equal((await client.send(new DeleteFunctionCommand({ FunctionName: 'hello' }))).$metadata.httpStatusCode, 204)
  const error = await client
    .send(new GetFunctionConfigurationCommand({ FunctionName: 'hello' }))
    .catch((thrown: unknown) => thrown)
  t.ok(error instanceof ResourceNotFoundException)
  t.match(error, { message: `Function not found: ${ARN}:function:hello`, Type: 'User' })

  const forged = new LambdaClient({
    endpoint,
    region: REGION,
    credentials: { accessKeyId: 'AKIAFORGED', secretAccessKey: 'x' },
    maxAttempts: 1
  })
  await t.rejects(forged.send(new ListFunctionsCommand({})), { name: 'UnrecognizedClientException' })
  forged.destroy()
})

t.test('answers have the exact shape, and absent members are absent', async (t) => {
  const { aws } = await startControlPlane(t)
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  const sha = createHash('sha256').update(Buffer.from(ZipFile, 'base64')).digest('base64')
  const res = await aws('POST', '/functions/', {
    FunctionName: 'f',
    Role: ROLE,
    Runtime: 'nodejs20.x',
    Handler: 'index.handler',
    Code: { ZipFile }
  })
  t.equal(res.statusCode, 201)
  t.equal(res.headers['content-type'], 'application/json')
  t.match(res.headers['x-amzn-requestid'], UUID)
  const body = res.json<Record<string, unknown>>()
  const { RevisionId, LastModified, RuntimeVersionConfig, ...rest } = body
  t.match(RevisionId, UUID)
  t.ok(LastModified)
  t.match(RuntimeVersionConfig, { RuntimeVersionArn: /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/ })
  t.strictSame(rest, {
    FunctionName: 'f',
    FunctionArn: `${ARN}:function:f`,
    Runtime: 'nodejs20.x',
    Role: ROLE,
    Handler: 'index.handler',
    CodeSize: Buffer.from(ZipFile, 'base64').length,
    Description: '',
    Timeout: 3,
    MemorySize: 128,
    CodeSha256: sha,
    Version: '$LATEST',
    TracingConfig: { Mode: 'PassThrough' },
    State: 'Pending',
    StateReason: 'The function is being created.',
    StateReasonCode: 'Creating',
    PackageType: 'Zip',
    Architectures: [ARCHITECTURE],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/f' }
  })
  const read = async () => (await aws('GET', '/functions/f')).json<{ Configuration: { State: string } }>()
  const deadline = Date.now() + 5_000
  while ((await read()).Configuration.State === 'Pending' && Date.now() < deadline) await setImmediate()
  const got = await read()
  t.strictSame(Object.keys(got).sort(), ['Code', 'Configuration'], 'no Tags, no Concurrency')
  t.match(got.Configuration, { State: 'Active', LastUpdateStatus: 'Successful' })
  t.notOk('StateReason' in got.Configuration)
  const [item] = (await aws('GET', '/functions')).json<{ Functions: object[]; NextMarker?: string }>().Functions
  for (const member of ['State', 'StateReason', 'LastUpdateStatus', 'RuntimeVersionConfig'])
    t.notOk(member in (item ?? {}), `lists have no ${member}`)
  t.match((await aws('GET', '/functions?FunctionVersion=ALL')).json(), {
    Functions: [{ FunctionArn: `${ARN}:function:f:$LATEST` }]
  })

  const cleared = await aws('PUT', '/functions/f/configuration', { Environment: { Variables: {} }, Description: 'd' })
  t.strictSame(cleared.json<{ Environment: object }>().Environment, { Variables: {} }, 'an empty map is kept as sent')
  const deleted = await aws('DELETE', '/functions/f')
  t.equal(deleted.statusCode, 204)
  t.equal(deleted.body, '')
  t.equal((await aws('DELETE', '/functions/f?Qualifier=3')).statusCode, 404)
})

t.test('states go from Pending to Active and from InProgress to Successful, and refuse others meanwhile', async (t) => {
  const deferred: (() => void)[] = []
  const { aws, get, put } = await startControlPlane(t, { deferred })
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  const settle = (): void => {
    for (const step of deferred.splice(0)) step()
  }
  const state = async () => (await aws('GET', '/functions/f/configuration')).json<Record<string, string>>()
  const created = (
    await aws('POST', '/functions', {
      FunctionName: 'f',
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile }
    })
  ).json<Record<string, string>>()
  t.match(await state(), { State: 'Pending', StateReasonCode: 'Creating' })
  t.notOk('LastUpdateStatus' in (await state()))
  for (const res of [
    await aws('PUT', '/functions/f/configuration', { Timeout: 9 }),
    await aws('PUT', '/functions/f/code', { ZipFile })
  ]) {
    t.match(res, { statusCode: 409, headers: { 'x-amzn-errortype': 'ResourceConflictException' } })
    t.match(res.json(), {
      message:
        'The operation cannot be performed at this time. The function is currently in the following state: Pending'
    })
  }
  settle()
  const active = await state()
  t.match(active, { State: 'Active', LastUpdateStatus: 'Successful' })
  t.not(active['RevisionId'], created['RevisionId'])

  const update = (await aws('PUT', '/functions/f/configuration', { Timeout: 9 })).json<Record<string, string>>()
  t.match(update, {
    State: 'Active',
    LastUpdateStatus: 'InProgress',
    LastUpdateStatusReason: 'The function is being created.',
    Timeout: 9
  })
  const busy = await aws('PUT', '/functions/f/code', { ZipFile })
  t.match(busy.json(), {
    message: `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}:function:f`
  })
  settle()
  const done = await state()
  t.match(done, { LastUpdateStatus: 'Successful' })
  t.notOk('LastUpdateStatusReason' in done)
  t.equal(new Set([created, active, update, done].map((step) => step['RevisionId'])).size, 4, 'each step is a revision')

  const same = (await aws('PUT', '/functions/f/code', { ZipFile })).json<Record<string, string>>()
  t.equal(same['CodeSha256'], done['CodeSha256'])
  t.not(same['RevisionId'], done['RevisionId'], 'an update that changes nothing is one as well')
  t.match(await put('f', SOURCE), { statusCode: 200 }, '/v1 does not wait')
  const replaced = (await get('/v1/functions/f')).json<{ revisionId: string }>()
  settle()
  t.equal(
    (await get('/v1/functions/f')).json<{ revisionId: string }>().revisionId,
    replaced.revisionId,
    'a step for another revision does nothing'
  )

  const dry = await aws('PUT', '/functions/f/code', {
    ZipFile: (await zipOf({ 'a.mjs': '1' })).toString('base64'),
    DryRun: true
  })
  t.equal(dry.statusCode, 200)
  t.not(dry.json<Record<string, string>>()['CodeSha256'], (await state())['CodeSha256'])
  t.equal((await state())['RevisionId'], replaced.revisionId, 'a dry run changes nothing')
})

t.test('lists come in pages of at most 50, each function once', async (t) => {
  const { client, put } = await startWithClient(t)
  const names = Array.from({ length: 120 }, (_, index) => `f${String(index).padStart(3, '0')}`)
  for (const name of names) await put(name, SOURCE)
  const seen: string[] = []
  const sizes: number[] = []
  for await (const page of paginateListFunctions({ client, pageSize: 1_000 }, {})) {
    sizes.push(page.Functions?.length ?? 0)
    seen.push(...(page.Functions ?? []).map((item) => item.FunctionName ?? ''))
  }
  t.strictSame(seen, names)
  t.strictSame(sizes, [50, 50, 20])
  const first = await client.send(new ListFunctionsCommand({ MaxItems: 7 }))
  t.equal(first.Functions?.length, 7)
  t.equal(
    (await client.send(new ListFunctionsCommand({ MaxItems: 50, Marker: first.NextMarker }))).Functions?.[0]
      ?.FunctionName,
    'f007'
  )
})

t.test('of deploys of one name at the same time exactly one is first', async (t) => {
  const { client, put, get } = await startWithClient(t)
  const zip = await zipOf({ 'index.mjs': SOURCE })
  const creates = await Promise.allSettled(
    Array.from({ length: 10 }, () =>
      client.send(
        new CreateFunctionCommand({
          FunctionName: 'race',
          Role: ROLE,
          Runtime: 'nodejs20.x',
          Handler: 'index.handler',
          Code: { ZipFile: zip }
        })
      )
    )
  )
  t.equal(creates.filter((outcome) => outcome.status === 'fulfilled').length, 1)
  for (const outcome of creates)
    if (outcome.status === 'rejected') t.equal((outcome.reason as Error).name, 'ResourceConflictException')

  const puts = await Promise.all(
    Array.from({ length: 10 }, (_, turn) => put('other', `export const handler = async () => ${turn}`))
  )
  t.strictSame(puts.map((res) => res.statusCode).sort(), [200, 200, 200, 200, 200, 200, 200, 200, 200, 201])
  const revisions = new Set(puts.map((res) => res.json<{ revisionId: string }>().revisionId))
  t.equal(revisions.size, 10)

  const etag = String((await get('/v1/functions/other')).headers.etag)
  const guarded = await Promise.all(
    Array.from({ length: 10 }, (_, turn) =>
      put('other', `export const handler = async () => 'b${turn}'`, { 'if-match': etag })
    )
  )
  t.strictSame(guarded.map((res) => res.statusCode).sort(), [200, ...Array.from({ length: 9 }, () => 412)])
})
