import {
  CodeSigningConfigNotFoundException,
  CodeVerificationFailedException,
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  ListFunctionsByCodeSigningConfigCommand,
  ListTagsCommand,
  PutFunctionCodeSigningConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  paginateListCodeSigningConfigs,
  ResourceConflictException,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, REGION, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

const PUBLISHER = `arn:aws:signer:${REGION}:000000000000:/signing-profiles/p/1`
const ABSENT = `${ARN}:code-signing-config:csc-aaaaaaaaaaaaaaaaa`

async function startWithClient(t: Test) {
  const plane = await startControlPlane(t)
  const { client } = await listenWithClient(t, plane, { maxAttempts: 1 })
  const create = async (FunctionName: string, more: object = {}) => {
    const ZipFile = await zipOf({ 'index.mjs': SOURCE })
    const created = await client.send(
      new CreateFunctionCommand({
        FunctionName,
        Role: ROLE,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Code: { ZipFile },
        ...more
      })
    )
    await waitUntilFunctionActiveV2({ client, maxWaitTime: 10, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName })
    return created
  }
  return { ...plane, client, create }
}

t.test('tags are added, replaced, removed and listed, and each change is a revision', async (t) => {
  const { client, create, inject } = await startWithClient(t)
  await create('f', { Tags: { team: 'a', old: '1' } })
  const Resource = `${ARN}:function:f`
  const revision = async () =>
    (await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Configuration?.RevisionId
  const first = await revision()
  await client.send(new TagResourceCommand({ Resource, Tags: { team: 'b', 'mit Größe': 'ü=1' } }))
  t.not(await revision(), first)
  const listed = await client.send(new ListTagsCommand({ Resource }))
  t.strictSame(listed.Tags, { team: 'b', old: '1', 'mit Größe': 'ü=1' })
  const removed = await client.send(new UntagResourceCommand({ Resource, TagKeys: ['old', 'mit Größe', 'never'] }))
  t.equal(removed.$metadata.httpStatusCode, 204)
  const { Tags, Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'f' }))
  t.strictSame(Tags, { team: 'b' })
  t.match(Configuration, { State: 'Active', LastUpdateStatus: 'Successful' }, 'nothing that one would wait for')

  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, '']))
  const send = async (method: 'POST' | 'DELETE' | 'GET', arn: string, rest = '', payload?: object) => {
    const url = `/2017-03-31/tags/${encodeURIComponent(arn)}${rest}`
    const res = await inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    const { message, Message } = res.json<{ message?: string; Message?: string }>()
    return [res.statusCode, res.headers['x-amzn-errortype'], message ?? Message]
  }
  const P = 'InvalidParameterValueException'
  const N = 'ResourceNotFoundException'
  const V = 'ValidationException'
  t.strictSame(await send('POST', Resource, '', { Tags: many }), [400, P, 'Number of tags exceeds resource tag limit.'])
  t.strictSame(await send('POST', Resource, '', { Tags: {} }), [
    400,
    P,
    'An error occurred and the request cannot be processed.'
  ])
  t.match(await send('POST', Resource, '', {}), [400, V, /Value null at 'tags' failed .*: Member must not be null$/])
  t.match(await send('POST', Resource, '', { Tags: { 'a!': '1' } }), [400, V, /at 'tags.a!' failed.*Map keys must/])
  t.match(await send('POST', Resource, '', { Tags: { a: 'x'.repeat(257) } }), [400, V, /less than or equal to 256$/])
  t.match(await send('POST', Resource, '', { Tags: { 'aws:a': '1' } }), [400, P, /reserved/])
  t.match(await send('DELETE', Resource), [400, V, /Value null at 'tagKeys' failed .*: Member must not be null$/])
  t.strictSame(await send('GET', `${Resource}:1`), [
    400,
    P,
    'Tags on function aliases and versions are not supported. Please specify a function ARN.'
  ])
  t.strictSame(await send('GET', `${ARN}:function:nobody`), [404, N, `Function not found: ${ARN}:function:nobody`])
  const mapping = `${ARN}:event-source-mapping:6d9bce8e-836b-442c-8070-74e77903c815`
  t.strictSame(await send('GET', mapping), [404, N, `Event source mapping not found: ${mapping}`])
  t.strictSame(await send('GET', `${ARN}:capacity-provider:c`), [
    404,
    N,
    `Capacity provider not found: ${ARN}:capacity-provider:c`
  ])
  t.match(await send('GET', 'f'), [400, V, /^1 validation error detected: Value 'f' at 'resource' failed/])
  t.match(await send('GET', Resource.replace('us-east-1', 'eu-west-1')), [404, N, /are not reachable in this region/])
  t.strictSame((await client.send(new ListTagsCommand({ Resource }))).Tags, { team: 'b' }, 'refused means unchanged')
})

t.test("the account's numbers are this server's, and count what is stored", async (t) => {
  const { client, create, get } = await startWithClient(t)
  const empty = await client.send(new GetAccountSettingsCommand({}))
  t.match(empty, {
    AccountLimit: {
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: 200,
      UnreservedConcurrentExecutions: 200
    },
    AccountUsage: { TotalCodeSize: 0, FunctionCount: 0 }
  })
  t.ok((empty.AccountLimit?.TotalCodeSize ?? 0) > 1_000_000, 'what the disk has room for')
  const { CodeSize = 0 } = await create('a')
  await create('b')
  t.ok(CodeSize > 0)
  const { AccountUsage } = await client.send(new GetAccountSettingsCommand({}))
  t.strictSame(AccountUsage, { TotalCodeSize: 2 * CodeSize, FunctionCount: 2 })
  t.match((await get('/v1/account')).json(), {
    limits: { concurrency: 200, zipBytes: 52_428_800 },
    usage: { functions: 2, codeBytes: 2 * CodeSize }
  })
  await client.send(new DeleteFunctionCommand({ FunctionName: 'a' }))
  t.match(await client.send(new GetAccountSettingsCommand({})), {
    AccountUsage: { TotalCodeSize: CodeSize, FunctionCount: 1 }
  })
})

t.test('recursion and runtime management are kept per function, and go with it', async (t) => {
  const { client, create, inject } = await startWithClient(t)
  await create('f')
  const FunctionName = 'f'
  const read = async () => [
    (await client.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop,
    (await client.send(new GetRuntimeManagementConfigCommand({ FunctionName }))).UpdateRuntimeOn
  ]
  t.strictSame(await read(), ['Terminate', 'Auto'])
  t.match(await client.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' })), {
    RecursiveLoop: 'Allow'
  })
  t.match(
    await client.send(
      new PutRuntimeManagementConfigCommand({ FunctionName, Qualifier: '$LATEST', UpdateRuntimeOn: 'FunctionUpdate' })
    ),
    { UpdateRuntimeOn: 'FunctionUpdate', FunctionArn: `${ARN}:function:f:$LATEST` }
  )
  t.strictSame(await read(), ['Allow', 'FunctionUpdate'])
  await t.rejects(
    client.send(
      new PutRuntimeManagementConfigCommand({
        FunctionName,
        UpdateRuntimeOn: 'Manual',
        RuntimeVersionArn: `arn:aws:lambda:${REGION}::runtime:0`
      })
    ),
    {
      name: 'InvalidParameterValueException',
      message: /^UpdateRuntimeOn is not supported by this server: Manual would/
    }
  )
  const cases: readonly [url: string, payload: object, status: number, text: RegExp][] = [
    ['2024-08-31/functions/f/recursion-config', {}, 400, /Value null at 'recursiveLoop'/],
    ['2024-08-31/functions/f/recursion-config', { RecursiveLoop: 'No' }, 400, /enum value set: \[Allow, Terminate\]"/],
    ['2024-08-31/functions/f:1/recursion-config', { RecursiveLoop: 'Allow' }, 400, /Value 'f:1' at 'functionName'/],
    ['2024-08-31/functions/nobody/recursion-config', { RecursiveLoop: 'Allow' }, 404, /Function not found/],
    [
      '2021-07-20/functions/f/runtime-management-config',
      { UpdateRuntimeOn: 1 },
      400,
      /NUMBER_VALUE can not be converted to a String/
    ],
    ['2021-07-20/functions/nobody/runtime-management-config', { UpdateRuntimeOn: 'Auto' }, 404, /not found/],
    [
      '2021-07-20/functions/f/runtime-management-config',
      { UpdateRuntimeOn: 'Auto', RuntimeVersionArn: `arn:aws:lambda:${REGION}::runtime:0` },
      400,
      /for UpdateRuntimeOn Manual only/
    ]
  ]
  for (const [url, payload, status, text] of cases) {
    const res = await inject({ method: 'PUT', url: `/${url}`, payload })
    t.equal(res.statusCode, status, `${url} ${JSON.stringify(payload)}`)
    t.match(res.body, text)
  }
  t.strictSame(await read(), ['Allow', 'FunctionUpdate'])
  await client.send(new DeleteFunctionCommand({ FunctionName }))
  await t.rejects(client.send(new GetFunctionRecursionConfigCommand({ FunctionName })), ResourceNotFoundException)
  await create('f')
  t.strictSame(await read(), ['Terminate', 'Auto'], 'the next one of that name begins anew')
})

t.test('code signing configs: Warn takes packages, Enforce takes none', async (t) => {
  const { client, create, put, files } = await startWithClient(t)
  const AllowedPublishers = { SigningProfileVersionArns: [PUBLISHER] }
  const { CodeSigningConfig } = await client.send(
    new CreateCodeSigningConfigCommand({ AllowedPublishers, Description: 'd', Tags: { a: '1' } })
  )
  const CodeSigningConfigArn = CodeSigningConfig?.CodeSigningConfigArn ?? ''
  t.match(CodeSigningConfig, {
    CodeSigningConfigId: /^csc-[a-z0-9]{17}$/,
    CodeSigningConfigArn: /^arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-/,
    Description: 'd',
    AllowedPublishers,
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' },
    LastModified: /^\d{4}-.*\+0000$/
  })
  t.strictSame((await client.send(new ListTagsCommand({ Resource: CodeSigningConfigArn }))).Tags, { a: '1' })
  await client.send(new TagResourceCommand({ Resource: CodeSigningConfigArn, Tags: { b: '2' } }))
  await client.send(new UntagResourceCommand({ Resource: CodeSigningConfigArn, TagKeys: ['a'] }))
  t.strictSame((await client.send(new ListTagsCommand({ Resource: CodeSigningConfigArn }))).Tags, { b: '2' })

  await create('f', { CodeSigningConfigArn })
  const FunctionName = 'f'
  t.match(await client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName })), {
    CodeSigningConfigArn,
    FunctionName
  })
  t.strictSame(
    (await client.send(new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }))).FunctionArns,
    [`${ARN}:function:f`]
  )
  await t.rejects(client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn })), ResourceConflictException)

  const ZipFile = await zipOf({ 'index.mjs': `${SOURCE}// 2` })
  t.match(await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, DryRun: true })), { FunctionName })
  t.match(
    await client.send(
      new UpdateCodeSigningConfigCommand({
        CodeSigningConfigArn,
        CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' }
      })
    ),
    { CodeSigningConfig: { Description: 'd', CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' } } }
  )
  for (const DryRun of [false, true]) {
    const refused = client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, DryRun }))
    await t.rejects(refused, CodeVerificationFailedException, `DryRun ${DryRun}`)
  }
  t.match((await put('f', SOURCE)).json(), { code: 'CODE_NOT_SIGNED', status: 400 })
  await t.rejects(create('g', { CodeSigningConfigArn }), CodeVerificationFailedException)
  await t.rejects(client.send(new GetFunctionCommand({ FunctionName: 'g' })), ResourceNotFoundException)
  t.equal((await put('g', SOURCE)).statusCode, 201, 'and no function of that name has the config')
  await t.rejects(create('h', { CodeSigningConfigArn: ABSENT }), CodeSigningConfigNotFoundException)
  t.ok((await files()).length > 0)

  await client.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }))
  const none = await client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))
  t.notOk('CodeSigningConfigArn' in none && none.CodeSigningConfigArn !== undefined, 'none: an empty answer')
  t.equal((await put('f', SOURCE)).statusCode, 200)
  await client.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }))
  await t.rejects(
    client.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn: ABSENT })),
    CodeSigningConfigNotFoundException
  )
  await t.rejects(
    client.send(new PutFunctionCodeSigningConfigCommand({ FunctionName: 'nobody', CodeSigningConfigArn })),
    ResourceNotFoundException
  )
  await client.send(new DeleteFunctionCommand({ FunctionName }))
  t.equal(
    (await client.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))).$metadata.httpStatusCode,
    204
  )
  await t.rejects(client.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn })), {
    name: 'ResourceNotFoundException',
    message: `The Lambda code signing configuration ${CodeSigningConfigArn} can not be found.`
  })

  for (let turn = 0; turn < 55; turn += 1) await client.send(new CreateCodeSigningConfigCommand({ AllowedPublishers }))
  const ids = new Set<string>()
  const sizes: number[] = []
  for await (const page of paginateListCodeSigningConfigs({ client, pageSize: 20 }, {})) {
    sizes.push(page.CodeSigningConfigs?.length ?? 0)
    for (const { CodeSigningConfigId = '' } of page.CodeSigningConfigs ?? []) ids.add(CodeSigningConfigId)
  }
  t.strictSame([sizes, ids.size], [[20, 20, 15], 55])
})

t.test('SnapStart is kept where AWS has it, and notices say what it does not do', async (t) => {
  const { aws, inject, put } = await startControlPlane(t)
  await put('f', SOURCE)
  const patch = async (payload: object) => {
    const res = await inject({ method: 'PATCH', url: '/v1/functions/f', payload })
    return { status: res.statusCode, body: res.json<{ notices: string[]; detail: string }>() }
  }
  t.match(await patch({ snapStart: 'PublishedVersions' }), {
    status: 400,
    body: { detail: /is not supported for SnapS/ }
  })
  const active = await patch({ tracing: 'Active', tags: { a: '1', b: '2' } })
  t.match(active, {
    status: 200,
    body: { tracing: 'Active', tags: { a: '1', b: '2' }, notices: [/^tracing Active is/] }
  })
  const merged = await patch({ tags: { a: null, c: '3' } })
  t.strictSame([merged.body.notices, (merged.body as unknown as { tags: object }).tags], [[], { b: '2', c: '3' }])
  t.match(await patch({ tags: { 'a!': '1' } }), { status: 400 })
  t.match(await patch({ tags: null }), { status: 200, body: { tags: {} } })

  const python = await put('p.py', 'def handler(event, context):\n    return 1\n')
  t.equal(python.statusCode, 201, python.body)
  const { runtime } = python.json<{ runtime: string }>()
  const wanted = await aws('PUT', '/functions/p/configuration', { SnapStart: { ApplyOn: 'PublishedVersions' } })
  if (/^python3\.1[2-9]$/.test(runtime)) {
    t.match(wanted.json(), { SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' } })
    t.match((await aws('GET', '/functions/p/configuration')).json(), { SnapStart: { ApplyOn: 'PublishedVersions' } })
  } else t.match(wanted.json(), { message: `${runtime} is not supported for SnapStart enabled functions.` })
})

t.test('the variables of a function have 4 KB, counted as the JSON of their map', async (t) => {
  const { aws, put } = await startControlPlane(t)
  await put('f', SOURCE)
  const room = 4_096 - '{"VALUE":""}'.length
  const set = (value: string) =>
    aws('PUT', '/functions/f/configuration', { Environment: { Variables: { VALUE: value } } })
  t.match((await set('x'.repeat(room))).json(), { Environment: { Variables: { VALUE: /^x+$/ } } })
  const refused = async (value: string) => {
    const res = await set(value)
    t.match(res.json(), { message: /exceeded the 4KB limit\. String measured: \{"VALUE":"/ })
    t.equal(res.headers['x-amzn-errortype'], 'InvalidParameterValueException')
  }
  await refused('x'.repeat(room + 1))
  await refused('ü'.repeat(room / 2 + 1))
})
