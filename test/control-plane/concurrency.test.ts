import path from 'node:path'
import {
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvalidParameterValueException,
  ListProvisionedConcurrencyConfigsCommand,
  type ProvisionedConcurrencyConfigListItem,
  ProvisionedConcurrencyConfigNotFoundException,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  paginateListProvisionedConcurrencyConfigs,
  ResourceConflictException,
  ResourceNotFoundException,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive
} from '@aws-sdk/client-lambda'
import type { ProvisionedReport } from '@hearth/shared'
import {
  createConcurrencyRepository,
  createSecretBox,
  dataLayout,
  internalToken,
  openDirectory,
  openStore,
  readMasterKey
} from '@hearth/store'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, ROLE, ROOT, SOURCE, startControlPlane, zipOf } from './support.ts'

const WAIT = { maxWaitTime: 10, minDelay: 0.02, maxDelay: 0.1 }

/** What was in the body of an answer. */
const bodyOf = <T extends { $metadata: unknown }>(answer: T) => omit(answer, '$metadata')
const withoutTime = (config: object) => omit(config, 'LastModified')
const omit = (value: object, member: string) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== member))

/** A control plane of AWS's size, and what its gateway would see and say. */
async function start(t: Test) {
  const plane = await startControlPlane(t, { concurrency: 1_000 })
  const { client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  const key = readMasterKey(plane.dataDir, undefined)
  const reader = openDirectory(dataLayout(plane.dataDir).database, createSecretBox(key))
  t.teardown(() => {
    reader.close()
  })
  const ZipFile = await zipOf({ 'index.mjs': SOURCE })
  return {
    ...plane,
    client,
    wishes: () => reader.listProvisioned(),
    create: async (FunctionName: string) => {
      await client.send(
        new CreateFunctionCommand({
          FunctionName,
          Role: ROLE,
          Runtime: 'nodejs20.x',
          Handler: 'index.handler',
          Code: { ZipFile }
        })
      )
      await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
    },
    /** Publishes a version that is another than the last. */
    publish: async (FunctionName: string, Description: string) => {
      await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description }))
      await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
      const { Version } = await client.send(new PublishVersionCommand({ FunctionName }))
      await waitUntilPublishedVersionActive({ client, ...WAIT }, { FunctionName, Qualifier: Version })
      return Version
    },
    alias: (name: string, version: string, weights?: Record<string, number>) =>
      plane.inject({
        method: 'PUT',
        url: `/v1/functions/f/aliases/${name}`,
        payload: { version, ...(weights === undefined ? {} : { weights }) }
      }),
    report: async (provisioned: readonly Partial<ProvisionedReport>[], authorization?: string) => {
      const res = await plane.inject({
        method: 'POST',
        url: '/internal/provisioned',
        payload: { provisioned },
        headers: { authorization: authorization ?? `Bearer ${internalToken(key)}` }
      })
      return res.statusCode
    },
    unreserved: async () =>
      (await client.send(new GetAccountSettingsCommand({}))).AccountLimit?.UnreservedConcurrentExecutions
  }
}

type Plane = Awaited<ReturnType<typeof start>>

t.test('concurrency is divided between functions', async (t) => {
  const plane = await start(t)
  await t.test('reserved, shown and given back', (t) => testReserved(t, plane))
  await t.test('provisioned for versions and aliases, as far as the gateway is', (t) => testProvisioned(t, plane))
  await t.test('and the same under /v1', (t) => testRest(t, plane))
  await t.test('on a server that was told to run less than is reserved', (t) => testLowered(t, plane))
})

async function testReserved(t: Test, plane: Plane): Promise<void> {
  const { client, create, aws, inject, unreserved } = plane
  await create('f')
  await create('g')
  const reserve = (FunctionName: string, ReservedConcurrentExecutions: number) =>
    client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
  const read = async (FunctionName: string) => {
    const answer = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }))
    return bodyOf(answer)
  }
  t.strictSame(await read('f'), {})
  t.equal((await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Concurrency, undefined)
  t.match(await reserve('f', 300), { ReservedConcurrentExecutions: 300, $metadata: { httpStatusCode: 200 } })
  t.strictSame(await read(`${ARN}:function:f`), { ReservedConcurrentExecutions: 300 })
  t.strictSame((await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Concurrency, {
    ReservedConcurrentExecutions: 300
  })
  t.match(await client.send(new GetAccountSettingsCommand({})), {
    AccountLimit: { ConcurrentExecutions: 1_000, UnreservedConcurrentExecutions: 700 }
  })

  const tooMuch = {
    name: 'InvalidParameterValueException',
    message:
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    $metadata: { httpStatusCode: 400 }
  }
  await t.rejects(reserve('g', 601), tooMuch)
  t.strictSame(await read('g'), {}, 'a refusal leaves nothing behind')
  await reserve('g', 600)
  await t.rejects(reserve('f', 301), tooMuch)
  t.match(await reserve('f', 300), { ReservedConcurrentExecutions: 300 })
  t.equal(await unreserved(), 100)
  t.match(await reserve('g', 0), { ReservedConcurrentExecutions: 0 }, 'switched off')
  t.strictSame(await read('g'), { ReservedConcurrentExecutions: 0 })
  t.equal(await unreserved(), 700)

  const raw = (name: string, body: object) =>
    inject({ method: 'PUT', url: `/2017-10-31/functions/${name}/concurrency`, payload: body })
  const untyped = await raw('g', { ReservedConcurrentExecutions: 5_000 })
  t.strictSame(untyped.json(), { message: tooMuch.message }, 'without Type, as on AWS')
  for (const [body, message] of [
    [{ ReservedConcurrentExecutions: -1 }, /Value '-1' at 'reservedConcurrentExecutions'.* greater than or equal to 0/],
    [{}, /Value null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null/],
    [{ ReservedConcurrentExecutions: 'x' }, /STRING_VALUE can not be converted to an Integer/],
    [{ ReservedConcurrentExecutions: 1.5 }, /NUMBER_VALUE can not be converted to an Integer/]
  ] as const) {
    t.match(await raw('g', body), { statusCode: 400 })
    t.match((await raw('g', body)).json<{ message: string }>().message, message)
  }
  const qualified = {
    name: 'InvalidParameterValueException',
    message:
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.'
  }
  await t.rejects(reserve(`${ARN}:function:f:1`, 1), qualified)
  await t.rejects(reserve('f:live', 1), qualified)
  const absent = { name: 'ResourceNotFoundException', message: `Function not found: ${ARN}:function:x:$LATEST` }
  await t.rejects(reserve('x', 1), absent)
  await t.rejects(read('x'), ResourceNotFoundException)
  await t.rejects(client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'x' })), absent)

  for (const again of ['there', 'gone']) {
    const deleted = await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }))
    t.equal(deleted.$metadata.httpStatusCode, 204, again)
  }
  t.strictSame(await read('f'), {})
  await reserve('f', 10)
  t.match(await aws('DELETE', '/functions/f'), { statusCode: 204 })
  t.equal(await unreserved(), 1_000, 'a reservation goes with its function')
  await create('f')
  t.strictSame(await read('f'), {})
  for (const name of ['f', 'g']) await aws('DELETE', `/functions/${name}`)
}

async function testProvisioned(t: Test, plane: Plane): Promise<void> {
  const { client, create, publish, alias, wishes, report, unreserved, aws, token } = plane
  const FunctionName = 'f'
  await create('f')
  for (const n of ['one', 'two', 'three']) await publish('f', n)
  for (const [name, version] of [
    ['live', '1'],
    ['latest', '$LATEST']
  ] as const)
    t.match(await alias(name, version), { statusCode: 201 })
  t.match(await alias('split', '1', { '2': 0.1 }), { statusCode: 201 })
  const put = (Qualifier: string, ProvisionedConcurrentExecutions: number) =>
    client.send(
      new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions })
    )
  const get = async (Qualifier: string) => {
    const answer = await client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
    return withoutTime(bodyOf(answer))
  }
  const remove = (Qualifier: string) =>
    client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
  const revisionOf = (qualifier: string) => wishes().find((wish) => wish.qualifier === qualifier)?.revisionId ?? ''
  const progress = (Requested: number, Allocated: number, Available: number, Status: string) => ({
    RequestedProvisionedConcurrentExecutions: Requested,
    AllocatedProvisionedConcurrentExecutions: Allocated,
    AvailableProvisionedConcurrentExecutions: Available,
    Status
  })

  const none = { message: 'No Provisioned Concurrency Config found for this function' }
  await t.rejects(get('3'), ProvisionedConcurrencyConfigNotFoundException)
  await t.rejects(get('live'), { ...none, $metadata: { httpStatusCode: 404 } })
  t.match(await remove('live'), { $metadata: { httpStatusCode: 204 } }, 'none to delete is no error')

  const accepted = await put('live', 5)
  t.equal(accepted.$metadata.httpStatusCode, 202)
  t.match(accepted.LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/)
  t.strictSame(withoutTime(bodyOf(accepted)), progress(5, 0, 0, 'IN_PROGRESS'))
  t.match(wishes(), [{ functionName: 'f', qualifier: 'live', version: '1', requested: 5 }])
  const ready = (qualifier: string, revisionId: string, n: number): ProvisionedReport => ({
    functionName: 'f',
    qualifier,
    revisionId,
    status: 'READY',
    statusReason: undefined,
    allocated: n,
    available: n
  })
  const first = revisionOf('live')
  for (const stranger of ['Bearer x', `Bearer ${token}`]) t.equal(await report([], stranger), 403)
  t.equal(await report([{ ...ready('live', first, 5), status: 'DONE' as never }]), 400)
  t.equal(await report([{ ...ready('live', first, 5), available: -1 }]), 400)
  const starting = { ...ready('live', first, 3), status: 'IN_PROGRESS', available: 1 } as const
  t.equal(await report([starting, ready('gone', 'x', 1)]), 204)
  t.strictSame(await get('live'), progress(5, 3, 1, 'IN_PROGRESS'))
  t.equal(await report([ready('live', first, 5)]), 204)
  t.strictSame(await get('live'), progress(5, 5, 5, 'READY'))

  t.match(await put('live', 7), progress(7, 5, 5, 'IN_PROGRESS'), 'those that there are stay')
  t.equal(await report([ready('live', first, 5)]), 204)
  t.strictSame(await get('live'), progress(7, 5, 5, 'IN_PROGRESS'), 'a report of the wish before is stale')
  const failed = {
    ...ready('live', revisionOf('live'), 5),
    status: 'FAILED',
    statusReason: 'FUNCTION_ERROR_INIT_FAILURE'
  } as const
  t.equal(await report([failed]), 204)
  t.strictSame(await get('live'), {
    ...progress(7, 5, 5, 'FAILED'),
    StatusReason: 'FUNCTION_ERROR_INIT_FAILURE'
  })
  await put('live', 7)
  t.not(revisionOf('live'), failed.revisionId, 'the same again is another try')
  t.strictSame(await get('live'), progress(7, 5, 5, 'IN_PROGRESS'))

  await t.test('what cannot be provisioned is refused in the words of AWS', async (t) => {
    const refused = (what: Promise<unknown>, name: string, message: string) => t.rejects(what, { name, message })
    const unpublished = 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.'
    const invalid = InvalidParameterValueException.name
    await refused(put('$LATEST', 1), invalid, unpublished)
    await refused(put('latest', 1), invalid, unpublished)
    const unqualified = 'The function resource provided must be an alias or a published version.'
    await refused(get('$LATEST'), invalid, unqualified)
    await refused(remove('$LATEST'), invalid, unqualified)
    await refused(put('split', 1), invalid, 'Alias with weights can not be used with Provisioned Concurrency')
    const conflict = ResourceConflictException.name
    await refused(put('1', 1), conflict, 'Version is pointed by a Provisioned Concurrency alias')
    await put('2', 3)
    const covered = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    t.match(await alias('other', '2'), { statusCode: 201 })
    await refused(put('other', 1), conflict, covered)
    const move = (FunctionVersion: string) =>
      client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion }))
    await refused(move('2'), conflict, covered)
    await refused(move('$LATEST'), invalid, unpublished)
    t.match(await alias('live', '1', { '2': 0.5 }), { statusCode: 409 })
    await refused(get('9'), 'ResourceNotFoundException', `Function not found: ${ARN}:function:f:9`)
    await refused(put('none', 1), 'ResourceNotFoundException', `Cannot find alias arn: ${ARN}:function:f:none`)
    const Qualifier = '1'
    const strange = { FunctionName: 'x', Qualifier, ProvisionedConcurrentExecutions: 1 }
    const send = client.send(new PutProvisionedConcurrencyConfigCommand(strange))
    await refused(send, 'ResourceNotFoundException', `Function not found: ${ARN}:function:x:1`)
    await refused(
      put('1', 0),
      'ValidationException',
      "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1"
    )
    t.equal(wishes().length, 2, 'and leaves nothing behind')
  })

  await t.test('within the reservation of its function, or what the account has left', async (t) => {
    const reserve = (n: number) =>
      client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: n }))
    t.equal(await unreserved(), 990)
    await t.rejects(put('3', 991), {
      message: "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [990]."
    })
    const most =
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
    await t.rejects(put('3', 891), { name: 'InvalidParameterValueException', message: most })
    await put('3', 890)
    t.equal(await unreserved(), 100)
    await t.rejects(put('3', 891), { message: most })
    await put('3', 2)
    await t.rejects(reserve(11), {
      name: 'InvalidParameterValueException',
      message:
        " ReservedConcurrentExecutions  11 should not be lower than function's total provisioned concurrency [12]."
    })
    await reserve(12)
    t.equal(await unreserved(), 988, 'what is provisioned is part of what is reserved')
    await t.rejects(put('3', 3), {
      message:
        'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function'
    })
    await put('3', 1)
    await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
    t.equal(await unreserved(), 989)
  })

  const arns: (string | undefined)[] = []
  const sizes: number[] = []
  for await (const page of paginateListProvisionedConcurrencyConfigs({ client, pageSize: 2 }, { FunctionName })) {
    const items: readonly ProvisionedConcurrencyConfigListItem[] = page.ProvisionedConcurrencyConfigs ?? []
    sizes.push(items.length)
    arns.push(...items.map((item) => item.FunctionArn))
    for (const item of items) t.match(item, { Status: 'IN_PROGRESS', LastModified: /\+0000$/ })
  }
  t.same(sizes, [2, 1])
  t.same(
    arns,
    ['2', '3', 'live'].map((qualifier) => `${ARN}:function:f:${qualifier}`)
  )
  const list = (more: object) => client.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName, ...more }))
  await t.rejects(list({ MaxItems: 51 }), { name: 'ValidationException' })
  await t.rejects(list({ Marker: '!' }), InvalidParameterValueException)
  await t.rejects(list({ FunctionName: 'x' }), ResourceNotFoundException)

  await t.test('it follows its alias, and goes with what it is for', async (t) => {
    await report([ready('live', revisionOf('live'), 7)])
    const { revisionId, ...report1 } = ready('live', revisionOf('live'), 7)
    await remove('3')
    t.match(await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '3' })), {
      FunctionVersion: '3'
    })
    t.match(wishes(), [{ qualifier: '2' }, { qualifier: 'live', version: '3', requested: 7 }])
    await report([{ ...report1, revisionId }])
    t.strictSame(await get('live'), progress(7, 0, 0, 'IN_PROGRESS'), 'of the new version there is none yet')
    await report([ready('live', revisionOf('live'), 7)])
    t.strictSame(await get('live'), progress(7, 7, 7, 'READY'))

    await client.send(new DeleteAliasCommand({ FunctionName, Name: 'other' }))
    await client.send(new DeleteAliasCommand({ FunctionName, Name: 'split' }))
    await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '2' }))
    t.match(wishes(), [{ qualifier: 'live' }])
    await client.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }))
    t.same(wishes(), [])
    t.match(await alias('live', '1'), { statusCode: 201 })
    await t.rejects(get('live'), none)
    await put('live', 1)
    t.match(await aws('DELETE', '/functions/f'), { statusCode: 204 })
    t.same(wishes(), [])
    t.equal(await unreserved(), 1_000)
  })
}

async function testRest(t: Test, plane: Plane): Promise<void> {
  const { inject, get, put, alias } = plane
  await put('f?publish=true', SOURCE)
  await alias('live', '1')
  const send = (method: 'PUT' | 'DELETE', path: string, payload?: object) =>
    inject({ method, url: `/v1/functions/f/${path}`, ...(payload === undefined ? {} : { payload }) })
  t.strictSame((await get('/v1/functions/f/concurrency')).json(), {
    functionName: 'f',
    reserved: null,
    unreserved: 1_000
  })
  t.match(await send('PUT', 'concurrency', { reserved: 901 }), { statusCode: 400 })
  t.match((await send('PUT', 'concurrency', { reserved: 901 })).json(), {
    code: 'CONCURRENCY_EXCEEDED',
    detail: /below its minimum value of \[100\]/
  })
  const reserved = await send('PUT', 'concurrency', { reserved: 900 })
  t.equal(reserved.statusCode, 200)
  t.strictSame(reserved.json(), { functionName: 'f', reserved: 900, unreserved: 100 })
  t.match((await get('/v1/functions/f')).json(), { reservedConcurrency: 900 })
  t.match((await get('/v1/account')).json(), { limits: { concurrency: 1_000, unreservedConcurrency: 100 } })
  for (const payload of [{}, { reserved: -1 }, { reserved: 1.5 }, { reserved: null }, { reserved: 1, more: 1 }])
    t.match((await send('PUT', 'concurrency', payload)).json(), { status: 400, code: 'INVALID_REQUEST' })

  const provisioned = await send('PUT', 'provisioned-concurrency/live', { requested: 2 })
  t.equal(provisioned.statusCode, 202)
  const view = {
    functionName: 'f',
    qualifier: 'live',
    version: '1',
    requested: 2,
    allocated: 0,
    available: 0,
    status: 'IN_PROGRESS',
    statusReason: null
  }
  const { lastModified, ...rest } = provisioned.json<{ lastModified: string }>()
  t.strictSame(rest, view)
  t.match((await get('/v1/functions/f/provisioned-concurrency/live')).json(), { ...view, lastModified })
  t.match((await get('/v1/functions/f/provisioned-concurrency?limit=1')).json(), { items: [view], nextCursor: null })
  for (const [path, payload, status, code] of [
    ['provisioned-concurrency/live', { requested: 0 }, 400, 'INVALID_REQUEST'],
    ['provisioned-concurrency/live', { requested: 901 }, 400, 'CONCURRENCY_EXCEEDED'],
    ['provisioned-concurrency/1', { requested: 1 }, 409, 'ALREADY_PROVISIONED'],
    ['provisioned-concurrency/$LATEST', { requested: 1 }, 400, 'INVALID_REQUEST'],
    ['provisioned-concurrency/none', { requested: 1 }, 404, 'ALIAS_NOT_FOUND'],
    ['provisioned-concurrency/7', { requested: 1 }, 404, 'FUNCTION_NOT_FOUND'],
    ['concurrency', { reserved: 1 }, 400, 'INVALID_REQUEST']
  ] as const)
    t.match((await send('PUT', path, payload)).json(), { status, code }, `${path} ${JSON.stringify(payload)}`)
  t.match((await get('/v1/functions/x/concurrency')).json(), {
    status: 404,
    detail: `Function not found: ${ARN}:function:x`
  })
  t.match((await get('/v1/functions/x/provisioned-concurrency')).json(), { status: 404 })
  t.match((await get('/v1/functions/f/provisioned-concurrency?cursor=no')).json(), { status: 400 })

  await alias('edge', '$LATEST')
  await alias('edge', '1')
  await send('PUT', 'provisioned-concurrency/edge', { requested: 1 })
  t.match(await inject({ method: 'POST', url: '/v1/functions/f/aliases/edge/rollback' }), { statusCode: 400 })
  t.match(await inject({ method: 'DELETE', url: '/v1/functions/f/aliases/edge' }), { statusCode: 204 })

  const started = await inject({ method: 'POST', url: '/v1/functions/f/releases', payload: { alias: 'live' } })
  t.match(started, { statusCode: 400 }, 'nothing new to release')
  await put('f?publish=true&description=two', SOURCE)
  await send('PUT', 'provisioned-concurrency/2', { requested: 1 })
  const release = () =>
    inject({ method: 'POST', url: '/v1/functions/f/releases', payload: { alias: 'live', version: '2' } })
  t.match((await release()).json(), { status: 409, code: 'ALREADY_PROVISIONED' })
  t.match(await send('DELETE', 'provisioned-concurrency/2'), { statusCode: 204 })
  t.match(await release(), { statusCode: 201 }, 'a release may move an alias that is provisioned')
  t.match((await send('PUT', 'provisioned-concurrency/2', { requested: 1 })).json(), { code: 'ALREADY_PROVISIONED' })

  t.match(await send('DELETE', 'provisioned-concurrency/live'), { statusCode: 204 })
  t.match((await send('DELETE', 'provisioned-concurrency/live')).json(), {
    status: 404,
    code: 'PROVISIONED_CONCURRENCY_NOT_FOUND'
  })
  t.match(await send('DELETE', 'concurrency'), { statusCode: 204 })
  t.match((await get('/v1/functions/f/concurrency')).json(), { reserved: null, unreserved: 1_000 })
}

async function testLowered(t: Test, { put, inject, unreserved, dataDir }: Plane): Promise<void> {
  await put('big', SOURCE)
  await put('small', SOURCE)
  // As a server with a higher limit would have taken it.
  const db = openStore(dataLayout(dataDir).database, path.join(ROOT, 'migrations'))
  createConcurrencyRepository(db).setReserved('big', 2_000)
  db.close()
  t.equal(await unreserved(), 0)
  const reserve = async (name: string, reserved: number) =>
    (await inject({ method: 'PUT', url: `/v1/functions/${name}/concurrency`, payload: { reserved } })).statusCode
  t.equal(await reserve('small', 1), 400)
  t.equal(await reserve('small', 0), 200, 'a function can be switched off')
  t.equal(await reserve('big', 2_001), 400)
  t.equal(await reserve('big', 1_500), 200, 'and less than before be reserved')
  t.equal(await reserve('big', 1_501), 400)
}
