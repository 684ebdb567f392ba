import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import {
  AddLayerVersionPermissionCommand,
  CreateFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  PublishLayerVersionCommand,
  paginateListLayers,
  paginateListLayerVersions,
  RemoveLayerVersionPermissionCommand,
  UpdateFunctionConfigurationCommand
} from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { listenWithClient } from './client.ts'
import { ARN, REGION, ROLE, SOURCE, type StartOptions, startControlPlane, tarGz, zipOf } from './support.ts'

const RUNTIME = `nodejs${process.versions.node.split('.')[0]}.x`

async function start(t: Test, options?: StartOptions) {
  const plane = await startControlPlane(t, options)
  const layer = (name: string, body: Buffer, query = '') =>
    plane.inject({ method: 'PUT', url: `/v1/layers/${name}${query}`, payload: body })
  const layers = (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) =>
    plane.inject({ method, url: `/2018-10-31/layers${url}`, ...(payload === undefined ? {} : { payload }) })
  const code = await zipOf({ 'index.mjs': SOURCE })
  const create = (name: string, body: object) =>
    plane.aws('POST', '/functions', {
      FunctionName: name,
      Role: ROLE,
      Runtime: RUNTIME,
      Handler: 'index.handler',
      Code: { ZipFile: code.toString('base64') },
      ...body
    })
  return { ...plane, layer, layers, create, code }
}

/** The one tree that was made of several layers, told by its having no package: path → text, or target of a link. */
function mergedTree(dataDir: string): Record<string, string> {
  const packages = new Set(readdirSync(path.join(dataDir, 'artifacts')))
  const [tree, ...rest] = readdirSync(path.join(dataDir, 'code')).filter((digest) => !packages.has(digest))
  if (tree === undefined || rest.length > 0) throw new Error('there is not one merged tree')
  const root = path.join(dataDir, 'code', tree)
  return Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => [name, lstatSync(path.join(root, name))] as const)
      .filter(([, stats]) => !stats.isDirectory())
      .map(([name, stats]) => {
        const file = path.join(root, name)
        return [name, stats.isSymbolicLink() ? `-> ${readlinkSync(file)}` : readFileSync(file, 'utf8')]
      })
  )
}

t.test("AWS's client runs a layer's whole life", async (t) => {
  const plane = await start(t)
  const { client } = await listenWithClient(t, plane)
  const zip = await zipOf({ 'nodejs/node_modules/x/index.js': 'exports.x = 1' })
  const publish = (LayerName: string, more: object = {}) =>
    client.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: zip }, ...more }))

  const one = await publish('libs', {
    Description: 'first',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['nodejs20.x', 'python3.12'],
    CompatibleArchitectures: []
  })
  t.match(one, {
    LayerArn: `${ARN}:layer:libs`,
    LayerVersionArn: `${ARN}:layer:libs:1`,
    Version: 1,
    Description: 'first',
    LicenseInfo: 'MIT',
    CompatibleRuntimes: ['nodejs20.x', 'python3.12'],
    CreatedDate: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/,
    Content: { CodeSize: zip.length }
  })
  t.same(one.CompatibleArchitectures, [], 'a list that was sent empty comes back')
  const two = await publish('libs')
  t.match(two, { Version: 2, Description: '' })
  t.equal(two.CompatibleRuntimes, undefined, 'and one that was not sent does not')

  const downloaded = await fetch(one.Content?.Location ?? '')
  t.same(Buffer.from(await downloaded.arrayBuffer()), zip, 'the link needs no key')
  const forged = one.Content?.Location?.replace('/versions/1/', '/versions/2/') ?? ''
  t.equal((await fetch(forged)).status, 403, 'and is for one version')
  t.equal((await fetch(forged.split('?')[0] ?? '')).status, 401)

  t.match(await client.send(new GetLayerVersionCommand({ LayerName: 'libs', VersionNumber: 1 })), { Version: 1 })
  const byArn = new GetLayerVersionByArnCommand({ Arn: `${ARN}:layer:libs:2` })
  t.match(await client.send(byArn), { Version: 2, LayerVersionArn: `${ARN}:layer:libs:2` })
  const byName = new GetLayerVersionCommand({ LayerName: `${ARN}:layer:libs`, VersionNumber: 2 })
  t.match(await client.send(byName), { Version: 2 })

  await publish('b')
  await publish('a', { CompatibleRuntimes: ['python3.12'] })
  const names = async (query: object) => {
    const found: string[] = []
    for await (const page of paginateListLayers({ client, pageSize: 1 }, query))
      found.push(...(page.Layers ?? []).map((layer) => `${layer.LayerName}:${layer.LatestMatchingVersion?.Version}`))
    return found
  }
  t.same(await names({}), ['a:1', 'b:1', 'libs:2'])
  t.same(await names({ CompatibleRuntime: 'python3.12' }), ['a:1', 'libs:1'], 'the newest that fits')
  t.same(await names({ CompatibleArchitecture: 'arm64' }), [])
  const versions: number[] = []
  for await (const page of paginateListLayerVersions({ client, pageSize: 1 }, { LayerName: 'libs' }))
    versions.push(...(page.LayerVersions ?? []).map(({ Version = 0 }) => Version))
  t.same(versions, [2, 1], 'newest first')

  const target = { LayerName: 'libs', VersionNumber: 2 }
  const permit = { ...target, Action: 'lambda:GetLayerVersion' }
  const first = await client.send(
    new AddLayerVersionPermissionCommand({ ...permit, StatementId: 's1', Principal: '123456789012' })
  )
  const resource = `${ARN}:layer:libs:2`
  t.same(JSON.parse(first.Statement ?? ''), {
    Sid: 's1',
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::123456789012:root' },
    Action: 'lambda:GetLayerVersion',
    Resource: resource
  })
  const second = await client.send(
    new AddLayerVersionPermissionCommand({
      ...permit,
      StatementId: 's2',
      Principal: '*',
      OrganizationId: 'o-a1b2c3d4e5',
      RevisionId: first.RevisionId
    })
  )
  const policy = await client.send(new GetLayerVersionPolicyCommand(target))
  t.equal(policy.RevisionId, second.RevisionId)
  t.match(JSON.parse(policy.Policy ?? ''), {
    Version: '2012-10-17',
    Id: 'default',
    Statement: [
      { Sid: 's1' },
      { Sid: 's2', Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } }
    ]
  })
  const permissions = '/v1/layers/libs/versions/2/permissions'
  const v1 = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
    const res = await plane.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    return { status: res.statusCode, body: res.body === '' ? undefined : res.json<object>() }
  }
  t.match(await v1('GET', permissions), {
    status: 200,
    body: { items: [{ Sid: 's1' }, { Sid: 's2' }], revisionId: second.RevisionId }
  })
  const added = await v1('POST', permissions, { statementId: 's3', principal: '123456789012' })
  t.match(added, {
    status: 201,
    body: {
      statement: { Sid: 's3', Action: 'lambda:GetLayerVersion', Resource: resource },
      revisionId: (await client.send(new GetLayerVersionPolicyCommand(target))).RevisionId
    }
  })
  t.match(await v1('POST', permissions, { statementId: 's3', principal: '*' }), { status: 409 })
  t.match(await v1('POST', permissions, { statementId: 's4', principal: 'foo' }), { status: 400 })
  const organizationId = 'o-a1b2c3d4e5'
  t.match(await v1('POST', permissions, { statementId: 's4', principal: '123456789012', organizationId }), {
    status: 400,
    body: { detail: 'The principal must be * when an organization is named.' }
  })
  t.match(await v1('DELETE', `${permissions}/s3`), { status: 204 })
  t.match(await v1('DELETE', `${permissions}/s3`), { status: 404 })
  t.match(await v1('GET', '/v1/layers/libs/versions/9/permissions'), { status: 404 })
  t.match(await v1('GET', '/v1/layers/a/versions/1/permissions'), {
    status: 200,
    body: { items: [], revisionId: null }
  })
  for (const StatementId of ['s1', 's2'])
    await client.send(new RemoveLayerVersionPermissionCommand({ ...target, StatementId }))
  await t.rejects(client.send(new GetLayerVersionPolicyCommand(target)), {
    name: 'ResourceNotFoundException',
    message: 'No policy is associated with the given resource.'
  })

  const created = await client.send(
    new CreateFunctionCommand({
      FunctionName: 'f',
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: plane.code },
      Layers: [resource, `${ARN}:layer:a:1`]
    })
  )
  const Layers = [
    { Arn: resource, CodeSize: zip.length },
    { Arn: `${ARN}:layer:a:1`, CodeSize: zip.length }
  ]
  t.same(created.Layers, Layers)
  await client.send(new DeleteLayerVersionCommand(target))
  await client.send(new DeleteLayerVersionCommand(target))
  t.match((await client.send(new GetFunctionCommand({ FunctionName: 'f' }))).Configuration, { Layers }, 'goes on')
  t.match(await publish('libs'), { Version: 3 }, 'a number is never used again')
  const cleared = await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', Layers: [] }))
  t.equal(cleared.Layers, undefined)
})

t.test('bad input is refused in the words of AWS', async (t) => {
  const { layer, layers, create, aws } = await start(t)
  const x = await zipOf({ x: 'x' })
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'a']) t.equal((await layer(name, x)).statusCode, 201)
  const arn = (name: string, version = 1) => `${ARN}:layer:${name}:${version}`
  const ZipFile = x.toString('base64')
  const publish = (body: object, name = 'n') => layers('POST', `/${name}/versions`, body)
  const permit = { StatementId: 's', Action: 'lambda:GetLayerVersion', Principal: '*' }
  const allow = (body: object, at = '/a/versions/1/policy') => layers('POST', at, body)
  t.equal((await allow(permit)).statusCode, 201)
  const P = 'InvalidParameterValueException'
  const V = 'ValidationException'
  const N = 'ResourceNotFoundException'
  const absent = `Layer version ${arn('none')} does not exist.`
  const foreign = `arn:aws:lambda:${REGION}:999999999999:layer:x:1`
  const cases = [
    ['a missing version', layers('GET', '/a/versions/9'), 404, N, 'The resource you requested does not exist.'],
    ['version 0', layers('GET', '/a/versions/0'), 400, P, 'Layer Version Cannot be less than 1 '],
    ['delete of version 0', layers('DELETE', '/a/versions/0'), 400, P, 'Layer Version Cannot be less than 1 '],
    [
      'no number',
      layers('GET', '/a/versions/x'),
      400,
      'SerializationException',
      /STRING_VALUE can not be converted to an Integer/
    ],
    ['a missing ARN', layers('GET', `?find=LayerVersion&Arn=${arn('none')}`), 404, N, /^The resource you requested/],
    ['no ARN', layers('GET', '?find=LayerVersion&Arn=a'), 400, V, /Value 'a' at 'arn' failed .+regular expression/],
    [
      'a bad name',
      layers('GET', '/a%20b/versions/1'),
      400,
      V,
      /^1 validation error detected: Value 'a b' at 'layerName'/
    ],
    ['another region', layers('GET', '/arn:aws:lambda:eu-west-1:000000000000:layer:a/versions/1'), 404, N, /eu-west-1/],
    ['another account', layers('GET', `/${foreign.slice(0, -2)}/versions/1`), 403, 'AccessDeniedException', ''],
    [
      'no content',
      publish({}),
      400,
      V,
      "1 validation error detected: Value null at 'content' failed to satisfy constraint: Member must not be null"
    ],
    ['an empty content', publish({ Content: {} }), 400, P, 'Please provide a source for function code.'],
    ['not a zip', publish({ Content: { ZipFile: 'AAAA' } }), 400, P, /^Could not unzip uploaded file/],
    [
      'two sources',
      publish({ Content: { ZipFile, S3Bucket: 'buc', S3Key: 'k' } }),
      400,
      P,
      /^Please do not provide other/
    ],
    ['no S3', publish({ Content: { S3Bucket: 'buc', S3Key: 'k' } }), 400, P, /HEARTH_S3_ENDPOINT/],
    [
      'runtimes and processors',
      publish({ Content: { ZipFile }, CompatibleRuntimes: ['cobol'], CompatibleArchitectures: ['z80'] }),
      400,
      V,
      /^2 validation errors detected: Value '\[cobol\]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy constraint: \[Member must satisfy enum value set: \[.*nodejs4\.3.*\], Member must not be null\]; Value '\[z80\]' at 'compatibleArchitectures'/
    ],
    [
      '16 runtimes',
      publish({ Content: { ZipFile }, CompatibleRuntimes: Array(16).fill('nodejs20.x') }),
      400,
      V,
      /less than or equal to 15/
    ],
    [
      'a long licence',
      publish({ Content: { ZipFile }, LicenseInfo: 'x'.repeat(513) }),
      400,
      V,
      /at 'licenseInfo' failed .+ 512/
    ],
    [
      'a runtime to filter by',
      layers('GET', '?CompatibleRuntime=cobol'),
      400,
      V,
      /'cobol' at 'compatibleRuntime' failed .+ enum value set/
    ],
    ['51 at once', layers('GET', '?MaxItems=51'), 400, V, /at 'maxItems' failed .+ less than or equal to 50/],
    ['a marker', layers('GET', '?Marker=x'), 400, P, /^Marker: not one/],
    ['no policy', layers('GET', '/b/versions/1/policy'), 404, N, 'No policy is associated with the given resource.'],
    ['the policy of none', layers('GET', '/none/versions/1/policy'), 404, N, absent],
    ['a permission for none', allow(permit, '/none/versions/1/policy'), 404, N, absent],
    [
      'the same statement',
      allow(permit),
      409,
      'ResourceConflictException',
      /^The statement id \(s\) provided already exists/
    ],
    [
      'another action',
      allow({ ...permit, Action: 'lambda:X' }),
      400,
      V,
      /'lambda:X' at 'action' failed .+ pattern: lambda:GetLayerVersion$/
    ],
    ['a principal', allow({ ...permit, StatementId: 't', Principal: 'me' }), 400, V, /'me' at 'principal'/],
    [
      'an old revision',
      allow({ ...permit, StatementId: 't' }, '/a/versions/1/policy?RevisionId=x'),
      412,
      'PreconditionFailedException',
      /Call the GetLayerPolicy API/
    ],
    [
      'no such statement',
      layers('DELETE', '/a/versions/1/policy/t'),
      404,
      N,
      'Statement t is not found in resource policy.'
    ],
    ['a statement of no policy', layers('DELETE', '/b/versions/1/policy/t'), 404, N, /^No policy is associated/],
    [
      'six layers',
      create('g', { Layers: ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => arn(name)) }),
      400,
      P,
      'Cannot reference more than 5 layers.'
    ],
    [
      'two of one',
      create('g', { Layers: [arn('a', 1), arn('b'), arn('a', 2)] }),
      400,
      P,
      `Two different versions of the same layer are not allowed to be referenced in the same function. ${arn('a', 1)} and ${arn('a', 2)} are versions of the same layer.`
    ],
    ['a missing layer', create('g', { Layers: [arn('none')] }), 400, P, absent],
    [
      'a layer elsewhere',
      create('g', { Layers: [`arn:aws:lambda:eu-west-1:000000000000:layer:a:1`] }),
      400,
      P,
      `Layers are not in the same region as the function. Layers are expected to be in region ${REGION}.`
    ],
    [
      'a layer of others',
      create('g', { Layers: [foreign] }),
      403,
      'AccessDeniedException',
      /^User: arn:aws:iam::000000000000:\S+ is not authorized to perform: lambda:GetLayerVersion on resource: .+:x:1 because no resource-based policy/
    ],
    [
      'no version',
      create('g', { Layers: [`${ARN}:layer:a`] }),
      400,
      V,
      /^1 validation error detected: Value '\[arn:\S+:layer:a\]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: \[Member must have length/
    ]
  ] as const
  for (const [name, sent, status, type, text] of cases) {
    const answer = await sent
    const body = answer.json<{ message?: string; Message?: string }>()
    t.equal(answer.statusCode, status, name)
    t.equal(answer.headers['x-amzn-errortype'], type, name)
    if (typeof text === 'string') t.equal(body.message ?? body.Message, text, name)
    else t.match(body.message ?? body.Message, text, name)
  }
  t.equal((await aws('GET', '/functions/g')).statusCode, 404, 'nothing was made')
  t.same((await layers('GET', '/n/versions')).json(), { LayerVersions: [] })
})

t.test('layers are merged in order: folders together, anything else by the last', async (t) => {
  const { layer, put, dataDir, get, files } = await start(t)
  await layer(
    'one',
    await zipOf({ 'python/a.py': 'a1', 'python/b.py': 'b1', swap: 'file', 'turn/x': 'x', 'lib/l': 'l' })
  )
  await layer(
    'two',
    tarGz([
      { name: 'python/b.py', data: Buffer.from('b2') },
      { name: 'python/c.py', data: Buffer.from('c2') },
      { name: 'swap/inner', data: Buffer.from('folder') },
      { name: 'turn', data: Buffer.from('file') },
      { name: 'lib/abs', type: '2', link: '/opt/lib/l' },
      { name: 'alias', type: '2', link: 'python' }
    ])
  )
  await layer('three', await zipOf({ 'alias/d': 'd3' }))
  const made = await put('f?layers=one,two:1,three', SOURCE)
  t.equal(made.statusCode, 201, made.body)
  t.match(made.json(), { layers: [{ arn: `${ARN}:layer:one:1` }, { arn: `${ARN}:layer:two:1` }, {}] })
  t.same(mergedTree(dataDir), {
    'python/a.py': 'a1',
    'python/b.py': 'b2',
    'python/c.py': 'c2',
    'swap/inner': 'folder',
    turn: 'file',
    'lib/l': 'l',
    'lib/abs': '-> ../lib/l',
    'alias/d': 'd3'
  })
  const before = await files()
  t.equal((await put('g?layers=one,two,three', SOURCE)).statusCode, 201)
  t.same(await files(), before, 'the same list is the same tree')
  t.match((await get('/v1/functions/f')).json(), { layers: [{}, {}, {}] })
  t.equal((await put('f', SOURCE)).json<{ layers: [] }>().layers.length, 3, 'they stay')
  t.equal((await put('f?layers=', SOURCE)).json<{ layers: [] }>().layers.length, 0)
})

t.test('links that stay inside each layer and lead out of them together are refused', async (t) => {
  const { layer, put, files } = await start(t)
  const inner = tarGz([
    { name: 'way', type: '2', link: 'a/b/../../f' },
    { name: 'f', data: Buffer.from('f') }
  ])
  t.equal((await layer('inner', inner)).statusCode, 201)
  const turn = tarGz([
    { name: 'a/b', type: '2', link: '../x' },
    { name: 'x/f', data: Buffer.from('x') }
  ])
  t.equal((await layer('turn', turn)).statusCode, 201)
  const before = await files()
  const refused = await put('f?layers=inner,turn', SOURCE)
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { code: 'INVALID_ARCHIVE', detail: /a link that leads out of them: "way"/ })
  t.same(await files(), before, 'nothing is left')
  const out = await layer('out', tarGz([{ name: 'l', type: '2', link: '/opt/../etc/passwd' }, { name: 'f' }]))
  t.match(out.json(), { code: 'INVALID_ARCHIVE' })
  t.match((await layer('abs', tarGz([{ name: 'l', type: '2', link: '/etc' }, { name: 'f' }]))).json(), {
    code: 'INVALID_ARCHIVE'
  })
})

t.test('code and layers together have a limit, whichever of them comes last', async (t) => {
  const { layer, put, create, aws } = await start(t)
  const big = Buffer.alloc(262_000_000)
  for (let at = 0; at < big.length; at += 512) big.writeUInt32LE(at, at)
  t.equal((await layer('x', await zipOf({ big }))).statusCode, 201)
  const text = `Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is ${262_200_000 + SOURCE.length} bytes.`
  const Layers = [`${ARN}:layer:x:1`]
  const code = await zipOf({ 'index.mjs': SOURCE, more: big.subarray(0, 200_000) })
  const ZipFile = code.toString('base64')
  const large = await create('f', { Code: { ZipFile }, Layers })
  t.equal(large.headers['x-amzn-errortype'], 'InvalidParameterValueException')
  t.match(large.json(), { message: text })

  t.equal((await create('f', { Layers })).statusCode, 201, 'a small one fits')
  t.match((await aws('PUT', '/functions/f/code', { ZipFile })).json(), { message: text })
  t.equal((await put('g', code)).statusCode, 201)
  t.match((await aws('PUT', '/functions/g/configuration', { Layers })).json(), { message: text })
})

t.test('/v1: publish, page, read, download, delete', async (t) => {
  const { layer, get, inject, put } = await start(t)
  const zip = await zipOf({ 'nodejs/node_modules/x/index.js': '' })
  const made = await layer('libs', zip, '?description=d&license=MIT&runtimes=python3.12&architectures=arm64,x86_64')
  t.equal(made.statusCode, 201)
  t.equal(made.headers['location'], '/v1/layers/libs/versions/1')
  t.match(made.json(), { name: 'libs', version: 1, runtimes: ['python3.12'], license: 'MIT', codeSize: zip.length })
  t.match((await put(`f?layers=libs&runtime=${RUNTIME}`, SOURCE)).json(), {
    notices: [new RegExp(`^Layer libs:1 was published for python3.12, and this function runs on ${RUNTIME}`)]
  })
  await layer('libs', zip)
  await layer('other', zip)
  const page = (await get('/v1/layers?limit=1')).json<{ nextCursor: string }>()
  t.match(page, { items: [{ name: 'libs', version: 2 }] })
  t.match((await get(`/v1/layers?cursor=${page.nextCursor}`)).json(), { items: [{ name: 'other' }], nextCursor: null })
  const versions = (await get('/v1/layers/libs/versions?limit=1')).json<{ nextCursor: string }>()
  const older = (await get(`/v1/layers/libs/versions?cursor=${versions.nextCursor}`)).json<object>()
  t.match(older, { items: [{ version: 1 }], nextCursor: null })
  const content = await get('/v1/layers/libs/versions/1/content')
  t.same(content.rawPayload, zip)
  t.equal(content.headers['content-disposition'], 'attachment; filename="libs-1.zip"')
  const patch = (layers: string[]) => inject({ method: 'PATCH', url: '/v1/functions/f', payload: { layers } })
  t.match((await patch(['other', 'libs:2'])).json(), { layers: [{ arn: /other:1$/ }, { arn: /libs:2$/ }] })
  t.equal((await inject({ method: 'DELETE', url: '/v1/layers/libs/versions/1' })).statusCode, 204)
  t.match((await get('/v1/layers/libs/versions/1')).json(), { status: 404, code: 'LAYER_NOT_FOUND' })
  for (const [sent, code, detail] of [
    [layer('libs', Buffer.from('text')), 'INVALID_ARCHIVE', /zip or a gzipped tar/],
    [layer('li.bs', zip), 'INVALID_REQUEST', /1 to 140/],
    [layer('libs', zip, '?runtimes=cobol'), 'INVALID_REQUEST', /"cobol" is none of/],
    [patch(['none']), 'INVALID_REQUEST', /There is no layer named none/],
    [patch(['a:b']), 'INVALID_REQUEST', /"a:b" names no layer/],
    [patch(['libs:1']), 'INVALID_REQUEST', /libs:1 does not exist/],
    [put('f?layers=libs:9', SOURCE), 'INVALID_REQUEST', /libs:9 does not exist/]
  ] as const) {
    t.match((await sent).json(), { code, detail })
  }
})

t.test('a package is looked at together with its layers', async (t) => {
  const { layer, put, inject } = await start(t)
  const bootstrap = tarGz([{ name: 'bootstrap', data: Buffer.from('#!/bin/sh\n'), mode: 0o755 }])
  await layer('runtime', bootstrap)
  await layer('broken', tarGz([{ name: 'bootstrap', data: Buffer.from('#!/bin/sh\n') }]))
  await layer('handler', await zipOf({ 'nodejs/wrap.js': '', 'python/wrap.py': '' }))
  const code = await zipOf({ 'function.sh': 'true' })
  const query = 'runtime=provided.al2023&handler=function.handler'
  t.match((await put(`bare?${query}`, code)).json(), { notices: [/no file named bootstrap/] })
  t.same((await put(`own?${query}&layers=runtime`, code)).json<{ notices: [] }>().notices, [])
  t.match((await put(`none?${query}&layers=broken`, code)).json(), {
    code: 'INVALID_PACKAGE',
    detail: /may not be exec/
  })
  const patched = await inject({ method: 'PATCH', url: '/v1/functions/own', payload: { layers: ['broken'] } })
  t.match(patched.json(), { code: 'INVALID_PACKAGE' })
  for (const [runtime, handler] of [
    [RUNTIME, '/opt/nodejs/wrap.handler'],
    ['python3.11', 'wrap.handler']
  ]) {
    const made = await put(`wrapped?runtime=${runtime}&handler=${handler}&layers=handler`, code)
    const notices = made.json<{ notices: string[] }>().notices.filter((notice) => /needs/.test(notice))
    t.same(notices, [], `${handler} is in the layer`)
  }
})
