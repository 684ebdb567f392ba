import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
  paginateListAliases,
  paginateListFunctions,
  paginateListVersionsByFunction,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, ROLE, SOURCE, type StartOptions, startControlPlane, zipOf } from './support.ts'

const WAIT = { maxWaitTime: 10, minDelay: 1, maxDelay: 1 }

async function startWithClient(t: Test, options?: StartOptions) {
  const plane = await startControlPlane(t, options)
  const { client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  return { ...plane, client }
}

t.test("AWS's client publishes versions, points aliases to them, and takes them away again", async (t) => {
  const { client } = await startWithClient(t)
  const FunctionName = 'f'
  const created = await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zipOf({ 'index.mjs': SOURCE }) },
      Environment: { Variables: { SECRET: 'of the first' } },
      Publish: true
    })
  )
  t.match(
    created,
    { Version: '1', FunctionArn: `${ARN}:function:f`, State: 'Pending' },
    'created and published at once'
  )
  await waitUntilFunctionActiveV2({ client, ...WAIT }, { FunctionName })
  await waitUntilPublishedVersionActive({ client, ...WAIT }, { FunctionName, Qualifier: '1' })
  const first = await client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' }))
  t.match(first, {
    Version: '1',
    FunctionArn: `${ARN}:function:f:1`,
    State: 'Active',
    LastUpdateStatus: 'Successful',
    Environment: { Variables: { SECRET: 'of the first' } }
  })

  const again = await client.send(new PublishVersionCommand({ FunctionName, Description: 'another' }))
  t.match(again, {
    $metadata: { httpStatusCode: 201 },
    Version: '1',
    RevisionId: first.RevisionId ?? '',
    Description: ''
  })

  const updated = await client.send(
    new UpdateFunctionCodeCommand({
      FunctionName,
      ZipFile: await zipOf({ 'index.mjs': `${SOURCE}// two` }),
      Publish: true
    })
  )
  t.match(updated, { Version: '2', FunctionArn: `${ARN}:function:f:2`, State: 'Pending', StateReasonCode: 'Creating' })
  t.equal(updated.LastUpdateStatus, undefined)
  await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })

  const configured = await client.send(
    new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { SECRET: 'of the third' } } })
  )
  await waitUntilFunctionUpdatedV2({ client, ...WAIT }, { FunctionName })
  await t.rejects(client.send(new PublishVersionCommand({ FunctionName, RevisionId: configured.RevisionId ?? '' })), {
    name: 'PreconditionFailedException',
    $metadata: { httpStatusCode: 412 }
  })
  await t.rejects(client.send(new PublishVersionCommand({ FunctionName, CodeSha256: created.CodeSha256 ?? '' })), {
    name: 'InvalidParameterValueException',
    message: `CodeSHA256 (${created.CodeSha256}) is different from current CodeSHA256 in $LATEST (${updated.CodeSha256}). Please try again with the CodeSHA256 in $LATEST.`
  })
  const latest = await client.send(new GetFunctionConfigurationCommand({ FunctionName }))
  const third = await client.send(
    new PublishVersionCommand({
      FunctionName,
      Description: 'the third',
      CodeSha256: updated.CodeSha256 ?? '',
      RevisionId: latest.RevisionId ?? ''
    })
  )
  t.match(third, { Version: '3', Description: 'the third', State: 'Active', LastUpdateStatus: 'Successful' })
  t.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '3', 'its own description or not')
  t.not(
    (await client.send(new GetFunctionConfigurationCommand({ FunctionName }))).RevisionId,
    latest.RevisionId,
    'publishing is a revision of $LATEST'
  )
  t.match(
    await client.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' })),
    { Environment: { Variables: { SECRET: 'of the first' } }, RevisionId: first.RevisionId ?? '' },
    'a version never changes'
  )
  const code = await client.send(new GetFunctionCommand({ FunctionName: 'f:1' }))
  const download = await fetch(code.Code?.Location ?? '')
  t.equal((await download.arrayBuffer()).byteLength, created.CodeSize, "the link is to the version's code")
  t.ok((await fetch((code.Code?.Location ?? '').replace('qualifier=1', 'qualifier=2'))).status === 403)

  // Aliases.
  const alias = await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
  t.match(alias, { AliasArn: `${ARN}:function:f:live`, FunctionVersion: '1', Description: '' })
  t.equal(alias.RoutingConfig, undefined)
  const split = await client.send(
    new UpdateAliasCommand({
      FunctionName,
      Name: 'live',
      RoutingConfig: { AdditionalVersionWeights: { '3': 0.25 } },
      RevisionId: alias.RevisionId
    })
  )
  t.match(split, { FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { '3': 0.25 } } })
  await t.rejects(client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', RevisionId: alias.RevisionId })), {
    name: 'PreconditionFailedException'
  })
  t.match(
    await client.send(new GetFunctionCommand({ FunctionName, Qualifier: 'live' })),
    { Configuration: { FunctionArn: `${ARN}:function:f:live`, Version: '1' } },
    'an alias in the ARN, its version as the version'
  )
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'dev', FunctionVersion: '$LATEST', Description: 'd' }))
  for (const Qualifier of ['1', '3']) {
    await t.rejects(client.send(new DeleteFunctionCommand({ FunctionName, Qualifier })), {
      name: 'ResourceConflictException',
      message: /alias live of the function points to it/
    })
  }
  const kept = await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', Description: 'said' }))
  t.match(kept, { Description: 'said', RoutingConfig: { AdditionalVersionWeights: { '3': 0.25 } } })
  const cleared = await client.send(
    new UpdateAliasCommand({ FunctionName, Name: 'live', RoutingConfig: { AdditionalVersionWeights: {} } })
  )
  t.equal(cleared.RoutingConfig, undefined)
  t.equal(
    (await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }))).$metadata.httpStatusCode,
    204
  )
  t.equal(
    (await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '3' }))).$metadata.httpStatusCode,
    204,
    'and once more'
  )
  t.equal((await client.send(new PublishVersionCommand({ FunctionName }))).Version, '4', 'numbers are never used again')

  t.equal((await client.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }))).$metadata.httpStatusCode, 204)
  t.equal((await client.send(new DeleteAliasCommand({ FunctionName, Name: 'live' }))).$metadata.httpStatusCode, 204)
  await t.rejects(client.send(new GetAliasCommand({ FunctionName, Name: 'live' })), {
    name: 'ResourceNotFoundException',
    message: `Cannot find alias arn: ${ARN}:function:f:live`
  })

  await client.send(new DeleteFunctionCommand({ FunctionName }))
  await t.rejects(client.send(new GetFunctionCommand({ FunctionName, Qualifier: '4' })), {
    message: `Function not found: ${ARN}:function:f:4`
  })
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zipOf({ 'index.mjs': SOURCE }) },
      Publish: true
    })
  )
  await t.rejects(client.send(new GetAliasCommand({ FunctionName, Name: 'dev' })), {
    name: 'ResourceNotFoundException'
  })
  t.match(
    await client.send(new GetFunctionCommand({ FunctionName, Qualifier: '1' })),
    { Configuration: { Version: '1' } },
    'a new function counts from 1'
  )
})

t.test('versions, aliases and all versions of all functions come in pages, in order', async (t) => {
  const { client, put, inject } = await startWithClient(t)
  await put('a', SOURCE)
  await put('b', SOURCE)
  const versions: string[] = ['$LATEST']
  for (let n = 1; n <= 60; n++) {
    await inject({ method: 'PATCH', url: '/v1/functions/b', payload: { description: `d${n}` } })
    const { version } = (await inject({ method: 'POST', url: '/v1/functions/b/versions', payload: {} })).json<{
      version: string
    }>()
    versions.push(version)
    await inject({ method: 'PUT', url: `/v1/functions/b/aliases/a${n}`, payload: { version: n % 2 === 0 ? '2' : '1' } })
  }
  t.same(
    versions.slice(1),
    Array.from({ length: 60 }, (_, i) => String(i + 1))
  )
  const seen: string[] = []
  for await (const page of paginateListVersionsByFunction({ client, pageSize: 1_000 }, { FunctionName: 'b' })) {
    t.ok((page.Versions?.length ?? 0) <= 50)
    seen.push(...(page.Versions ?? []).map(({ Version, FunctionArn }) => `${Version} ${FunctionArn}`))
  }
  t.same(
    seen,
    versions.map((version) => `${version} ${ARN}:function:b:${version}`),
    '$LATEST first, then by number'
  )
  const all: string[] = []
  for await (const page of paginateListFunctions({ client, pageSize: 7 }, { FunctionVersion: 'ALL' })) {
    all.push(...(page.Functions ?? []).map(({ FunctionName, Version }) => `${FunctionName}:${Version}`))
  }
  t.same(all, ['a:$LATEST', ...versions.map((version) => `b:${version}`)])
  const only: string[] = []
  for await (const page of paginateListFunctions({ client }, {}))
    only.push(...(page.Functions ?? []).map(({ FunctionName }) => FunctionName ?? ''))
  t.same(only, ['a', 'b'])
  const aliases: string[] = []
  for await (const page of paginateListAliases({ client, pageSize: 8 }, { FunctionName: 'b', FunctionVersion: '2' })) {
    for (const { Name, FunctionVersion } of page.Aliases ?? []) {
      t.equal(FunctionVersion, '2')
      aliases.push(Name ?? '')
    }
  }
  t.same(aliases, Array.from({ length: 30 }, (_, i) => `a${(i + 1) * 2}`).sort())
})

t.test('what is wrong with a version or an alias is said in the words of AWS', async (t) => {
  const { aws, put, inject } = await startControlPlane(t)
  await put('f', SOURCE)
  const publish = async (query: string) => {
    await put(`f?${query}`, SOURCE)
    return inject({ method: 'POST', url: '/v1/functions/f/versions', payload: {} })
  }
  await inject({ method: 'PUT', url: '/v1/roles/other', payload: {} })
  await publish('memory=128')
  await publish('memory=256')
  await publish('memory=256&role=arn:aws:iam::000000000000:role/other')
  await aws('POST', '/functions/f/aliases', { Name: 'taken', FunctionVersion: '1' })
  const P = 'InvalidParameterValueException'
  const V = 'ValidationException'
  const N = 'ResourceNotFoundException'
  const C = 'ResourceConflictException'
  const alias = (more: object) => aws('POST', '/functions/f/aliases', { Name: 'new', FunctionVersion: '1', ...more })
  const routed = (weights: object, version = '1') =>
    alias({ FunctionVersion: version, RoutingConfig: { AdditionalVersionWeights: weights } })
  const cases: readonly [Awaited<ReturnType<typeof aws>>, number, string, RegExp | string][] = [
    [
      await routed({ '2': 0.1, '3': 0.1 }),
      400,
      P,
      'Number of items in AdditionalVersionWeights cannot be greater than 1'
    ],
    [
      await routed({ '2': 2 }),
      400,
      V,
      "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"
    ],
    [
      await routed({ $LATEST: 0.5 }),
      400,
      V,
      /^1 validation error detected: Value '\{\$LATEST=0.5\}' at .* Map keys must .*pattern: \[0-9\]\+/
    ],
    [
      await routed({ '1': 0.5 }),
      400,
      P,
      'Invalid function version 1. Function version 1 is already included in routing configuration.'
    ],
    [
      await routed({ '1': 0.5 }, '$LATEST'),
      400,
      P,
      '$LATEST is not supported for an alias pointing to more than 1 version'
    ],
    [await routed({ '10': 0.5 }), 404, N, `Function not found: ${ARN}:function:f:10`],
    [await routed({ '3': 0.5 }), 400, P, /must have the same execution role/],
    [await alias({ FunctionVersion: '10' }), 404, N, `Function not found: ${ARN}:function:f:10`],
    [
      await alias({ FunctionVersion: 'live' }),
      400,
      V,
      /at 'functionVersion' failed to satisfy .*pattern: \(\\\$LATEST/
    ],
    [
      await alias({ Name: '123' }),
      400,
      V,
      /^1 validation error detected: Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: \(\?!\^\[0-9\]\+\$\)\(\[a-zA-Z0-9-_\]\+\)$/
    ],
    [
      await alias({ Name: undefined }),
      400,
      V,
      /Value null at 'name' failed to satisfy constraint: Member must not be null/
    ],
    [await alias({ Description: 'x'.repeat(257) }), 400, V, /'description' .*less than or equal to 256/],
    [await alias({ Name: 'taken' }), 409, C, `Alias already exists: ${ARN}:function:f:taken`],
    [
      await aws('POST', '/functions/none/aliases', { Name: 'a', FunctionVersion: '1' }),
      404,
      N,
      `Function not found: ${ARN}:function:none:1`
    ],
    [await aws('GET', '/functions/f/aliases/none'), 404, N, `Cannot find alias arn: ${ARN}:function:f:none`],
    [await aws('GET', '/functions/f/aliases/12'), 400, V, /at 'name'/],
    [await aws('PUT', '/functions/f/aliases/none', {}), 404, N, `Alias not found: ${ARN}:function:f:none`],
    [await aws('GET', '/functions/none/aliases'), 404, N, `Function not found: ${ARN}:function:none`],
    [await aws('GET', '/functions/f/aliases?MaxItems=0'), 400, V, /'maxItems' .*greater than or equal to 1/],
    [await aws('GET', '/functions/f/aliases?Marker=x'), 400, P, /^Marker: not one that this server gave out/],
    [await aws('GET', '/functions/f/versions?Marker=x'), 400, P, /^Marker: not one that this server gave out/],
    [await aws('GET', '/functions/none/versions'), 404, N, `Function not found: ${ARN}:function:none`],
    [await aws('POST', '/functions/none/versions', {}), 404, N, `Function not found: ${ARN}:function:none`],
    [
      await aws('POST', '/functions/f/versions', { PublishTo: 'LATEST_PUBLISHED' }),
      400,
      P,
      /^PublishTo is not supported/
    ],
    [await aws('POST', '/functions/f:1/versions', {}), 400, P, /^This operation is on a function/],
    [await aws('PUT', '/functions/f:1/configuration', { Timeout: 4 }), 400, P, /published versions never change/],
    [
      await aws('GET', '/functions/f:1?Qualifier=2'),
      400,
      P,
      'The derived qualifier from the function name does not match the specified qualifier.'
    ],
    [await aws('GET', '/functions/f?Qualifier=10'), 404, N, `Function not found: ${ARN}:function:f:10`],
    [
      await aws('GET', '/functions/f?Qualifier=a%20b'),
      400,
      V,
      /^1 validation error detected: Value 'a b' at 'qualifier' failed/
    ],
    [await aws('GET', '/functions?FunctionVersion=SOME'), 400, V, /enum value set: \[ALL\]/],
    [await aws('DELETE', '/functions/f?Qualifier=1'), 409, C, /alias taken of the function points to it/],
    [await aws('DELETE', '/functions/f?Qualifier=taken'), 400, P, 'Deletion of aliases is not currently supported.'],
    [
      await aws('DELETE', '/functions/f:$LATEST'),
      400,
      P,
      '$LATEST version cannot be deleted without deleting the function.'
    ],
    [await aws('DELETE', '/functions/none?Qualifier=1'), 404, N, `Function not found: ${ARN}:function:none`]
  ]
  for (const [res, status, type, text] of cases) {
    const body = res.json<{ message?: string; Message?: string }>()
    const message = body.message ?? body.Message ?? ''
    t.equal(res.statusCode, status, message)
    t.equal(res.headers['x-amzn-errortype'], type, message)
    if (typeof text === 'string') t.equal(message, text)
    else t.match(message, text)
  }
  t.notOk('Type' in (await routed({ '1': 0.5 }, '$LATEST')).json<object>(), 'one message has no Type')
  t.match((await aws('GET', '/functions/f/aliases')).json(), { Aliases: { length: 1 } }, 'nothing was left behind')
})

t.test('nothing is published while $LATEST changes, and a version that was becoming ready becomes so', async (t) => {
  const deferred: (() => void)[] = []
  const { aws, inject } = await startControlPlane(t, { deferred })
  const settle = (): void => {
    for (const step of deferred.splice(0)) step()
  }
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  await aws('POST', '/functions', {
    FunctionName: 'f',
    Role: ROLE,
    Runtime: 'nodejs20.x',
    Handler: 'index.handler',
    Code: { ZipFile },
    Publish: true
  })
  const version = async () => (await aws('GET', '/functions/f:1/configuration')).json<Record<string, string>>()
  const pending = await version()
  t.match(pending, { State: 'Pending' })
  t.match((await aws('POST', '/functions/f/versions', {})).json(), {
    message: 'The operation cannot be performed at this time. The function is currently in the following state: Pending'
  })
  settle()
  t.match(await version(), { State: 'Active', LastUpdateStatus: 'Successful' })
  t.not((await version())['RevisionId'], pending['RevisionId'])
  await aws('PUT', '/functions/f/configuration', { Timeout: 9 })
  for (const res of [
    await aws('POST', '/functions/f/versions', {}),
    await inject({ method: 'POST', url: '/v1/functions/f/versions', payload: {} })
  ])
    t.equal(res.statusCode, 409)
  settle()
  t.match((await aws('POST', '/functions/f/versions', {})).json(), { Version: '2', Timeout: 9 })
  t.match(await version(), { Timeout: 3 })
  const dry = await aws('PUT', '/functions/f/code', { ZipFile, DryRun: true, Publish: true })
  t.match(dry.json(), { Version: '$LATEST' })
  t.match((await aws('GET', '/functions/f/versions')).json<{ Versions: object[] }>().Versions, { length: 3 })
})

t.test('/v1 has the same versions and aliases, with entity tags and cursors', async (t) => {
  const { put, get, inject } = await startControlPlane(t)
  const host = 'http://localhost:80'
  const send = (
    method: 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {}
  ) => inject({ method, url: `/v1/functions/f${url}`, headers, ...(payload === undefined ? {} : { payload }) })
  const latest = (await put('f?env.AB=1', SOURCE)).json<{ revisionId: string; codeSha256: string }>()
  t.match((await send('POST', '/versions', {}, { 'if-match': '"other"' })).json(), { status: 412 })
  t.match((await send('POST', '/versions', { codeSha256: 'x' })).json(), { status: 400, detail: /^CodeSHA256 \(x\)/ })
  t.match((await send('POST', '/versions', { describtion: 'x' })).json(), { status: 400, detail: /describtion/ })
  const published = await send(
    'POST',
    '/versions',
    { description: 'first', codeSha256: latest.codeSha256 },
    { 'if-match': `"${latest.revisionId}"` }
  )
  t.match(published, { statusCode: 201, headers: { location: '/v1/functions/f/versions/1' } })
  t.match(published.json(), {
    version: '1',
    description: 'first',
    arn: `${ARN}:function:f:1`,
    url: `${host}/fn/f:1/`,
    env: { AB: '1' }
  })
  t.equal((await inject({ method: 'POST', url: '/v1/functions/f/versions' })).statusCode, 200, 'no body, nothing new')
  await put('f?env.AB=2', SOURCE)
  t.match(await send('POST', '/versions'), { statusCode: 201 })
  t.match((await get('/v1/functions/f/versions/1')).json(), { env: { AB: '1' } })
  t.match((await get('/v1/functions/f?qualifier=2')).json(), { env: { AB: '2' }, version: '2' })
  t.match((await get('/v1/functions/f/versions/3')).json(), { status: 404, code: 'FUNCTION_NOT_FOUND' })
  t.match((await get('/v1/functions/f/versions/x')).json(), { status: 400, detail: /params.version/ })
  const page = (await get('/v1/functions/f/versions?limit=2')).json<{ items: object[]; nextCursor: string }>()
  t.match(page.items, [{ version: '$LATEST', url: `${host}/fn/f/` }, { version: '1' }])
  t.match((await get(`/v1/functions/f/versions?cursor=${page.nextCursor}`)).json(), {
    items: [{ version: '2' }],
    nextCursor: null
  })

  const alias = await send('PUT', '/aliases/live', { version: '1', weights: { '2': 0.5 }, description: 'd' })
  t.equal(alias.statusCode, 201)
  t.match(alias.json(), { url: `${host}/fn/f:live/`, arn: `${ARN}:function:f:live`, weights: { '2': 0.5 } })
  t.match(await send('PUT', '/aliases/live', { version: '1' }, { 'if-none-match': '*' }), { statusCode: 412 })
  t.match(await send('PUT', '/aliases/live', { version: '1' }, { 'if-match': '"other"' }), { statusCode: 412 })
  const etag = String((await get('/v1/functions/f/aliases/live')).headers.etag)
  const changed = await send('PUT', '/aliases/live', { version: '2' }, { 'if-match': etag })
  t.match(changed.json(), { version: '2', weights: {}, description: '', previousVersion: '1' })
  t.match((await get('/v1/functions/f?qualifier=live')).json(), { version: '2' })
  for (const [payload, detail] of [
    [{}, /body.version/],
    [{ version: 'x' }, /body.version/],
    [{ version: '1', weights: { '2': 2 } }, /body.weights.2/],
    [{ version: '1', weights: { x: 0.5 } }, /body.weights/],
    [{ version: '1', weights: { '1': 0.5 } }, /already included in routing configuration/]
  ] as const) {
    t.match((await send('PUT', '/aliases/live', payload)).json(), { status: 400, code: 'INVALID_REQUEST', detail })
  }
  t.match((await send('PUT', '/aliases/12', { version: '1' })).json(), { status: 400, detail: /not digits alone/ })
  t.match((await send('DELETE', '/versions/2')).json(), { status: 409, code: 'VERSION_IN_USE' })
  t.match((await send('DELETE', '/versions/$LATEST')).json(), { status: 400 })
  t.equal((await send('DELETE', '/versions/1')).statusCode, 204)
  t.match((await send('DELETE', '/versions/1')).json(), { status: 404 })
  t.match((await get('/v1/functions/f/aliases')).json(), { items: [{ name: 'live' }], nextCursor: null })
  t.equal((await send('DELETE', '/aliases/live')).statusCode, 204)
  t.match((await send('DELETE', '/aliases/live')).json(), { status: 404, code: 'ALIAS_NOT_FOUND' })
  t.match((await get('/v1/functions/f/aliases/live')).json(), { status: 404, code: 'ALIAS_NOT_FOUND' })
})
