import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { createS3Source } from '@hearth/control-plane/internal/packages/s3-source'
import { type Config, ConfigError, LIMITS, readConfig, redactConfig } from '@hearth/shared'
import t, { type Test } from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { ARN, REGION, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

interface S3Server {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
// It brings no types.
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3Server

/** The key that this server of S3 has. */
const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
const RUNTIME = `nodejs${process.versions.node.split('.')[0]}.x`

/** A control plane whose code in S3 is at `endpoint`, and what it says to a function from there. */
async function startWith(t: Test, endpoint: string | undefined) {
  const s3: Config['s3'] = endpoint === undefined ? undefined : { endpoint, region: REGION, ...KEYS, pathStyle: true }
  const plane = await startControlPlane(t, { s3 })
  const create = (FunctionName: string, Code: object) =>
    plane.aws('POST', '/functions', { FunctionName, Role: ROLE, Runtime: RUNTIME, Handler: 'index.handler', Code })
  return { ...plane, create }
}

/** An S3 server that behaves as it is told. */
async function startFake(t: Test, answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('functions and layers come from a bucket', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'hearth-s3-'))
  const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory })
  const endpoint = `http://127.0.0.1:${(await server.run()).port}`
  t.teardown(async () => {
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const client = new S3Client({ endpoint, region: REGION, credentials: KEYS, forcePathStyle: true })
  t.teardown(() => {
    client.destroy()
  })
  await client.send(new CreateBucketCommand({ Bucket: 'code' }))
  const upload = (Key: string, Body: Buffer) => client.send(new PutObjectCommand({ Bucket: 'code', Key, Body }))
  const zip = await zipOf({ 'index.mjs': SOURCE })
  await upload('a folder/größe+1.zip', zip)
  await upload('text', Buffer.from('text'))
  await upload('empty', Buffer.alloc(0))
  // More than can be sent as ZipFile.
  const large = await zipOf({ 'index.mjs': SOURCE, data: randomBytes(LIMITS.zipBytes + 1) })
  await upload('large.zip', large)

  const { create, aws, get, inject, files } = await startWith(t, endpoint)
  const made = await create('f', { S3Bucket: 'code', S3Key: 'a folder/größe+1.zip', S3ObjectStorageMode: 'COPY' })
  t.equal(made.statusCode, 201, made.body)
  t.match(made.json(), { CodeSize: zip.length })
  t.same((await get('/v1/functions/f/code')).rawPayload, zip)
  const changed = await aws('PUT', '/functions/f/code', { S3Bucket: 'code', S3Key: 'large.zip' })
  t.match(changed.json(), { CodeSize: large.length })
  const published = await inject({
    method: 'POST',
    url: '/2018-10-31/layers/l/versions',
    payload: { Content: { S3Bucket: 'code', S3Key: 'large.zip' } }
  })
  t.match(published.json(), { LayerVersionArn: `${ARN}:layer:l:1`, Content: { CodeSize: large.length } })

  const before = await files()
  const P = 'InvalidParameterValueException'
  for (const [Code, type, message] of [
    [
      { S3Bucket: 'code', S3Key: 'none' },
      P,
      'Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.'
    ],
    [
      { S3Bucket: 'none', S3Key: 'none' },
      P,
      'Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist'
    ],
    [{ S3Bucket: 'code', S3Key: 'text' }, P, /^Could not unzip uploaded file/],
    [{ S3Bucket: 'code', S3Key: 'empty' }, P, /^Could not unzip uploaded file/],
    [{ S3Bucket: 'code' }, P, 'Please provide both S3Bucket and S3Key.'],
    [{ S3Bucket: 'code', S3Key: 'text', ZipFile: zip.toString('base64') }, P, /^Please do not provide other/],
    [{ S3Bucket: 'code', S3Key: 'text', S3ObjectStorageMode: 'REFERENCE' }, P, /^S3ObjectStorageMode is not/],
    [{ S3Bucket: 'x/', S3Key: 'x' }, 'ValidationException', /'x\/' at 'code.s3Bucket' failed/]
  ] as const) {
    const answer = await create('g', Code)
    t.equal(answer.statusCode, 400, JSON.stringify(Code))
    t.equal(answer.headers['x-amzn-errortype'], type)
    t.match(answer.json(), { message })
  }
  t.same(await files(), before, 'nothing is left of what was refused')
})

t.test('the version and the signature of a request are those that are wanted', async (t) => {
  const asked: { url: string; authorization: string }[] = []
  const zip = await zipOf({ 'index.mjs': SOURCE })
  const endpoint = await startFake(t, (req, res) => {
    asked.push({ url: req.url ?? '', authorization: req.headers.authorization ?? '' })
    res.end(zip)
  })
  const { create } = await startWith(t, endpoint)
  t.equal((await create('f', { S3Bucket: 'code', S3Key: 'k', S3ObjectVersion: 'v.1' })).statusCode, 201)
  t.equal(asked.length, 1)
  t.match(asked[0]?.url, /^\/code\/k\?.*versionId=v\.1/)
  t.match(asked[0]?.authorization, `Credential=S3RVER/`)
})

t.test('a store that refuses, fails or never ends', async (t) => {
  const xml = (code: string, message: string) => `<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  const chunk = Buffer.alloc(1_048_576)
  let sent = 0
  const endpoint = await startFake(t, (req, res) => {
    const key = (req.url ?? '').replace(/^\/code\/|\?.*/g, '')
    if (key === 'denied') res.writeHead(403).end(xml('AccessDenied', 'Access Denied'))
    else if (key === 'key') res.writeHead(403).end(xml('SignatureDoesNotMatch', 'The request signature …'))
    else if (key === 'down') res.writeHead(503).end(xml('SlowDown', 'Please reduce your request rate.'))
    else if (key === 'cut') res.writeHead(200, { 'content-length': '100' }).write('PK', () => req.socket.destroy())
    else if (key === 'declared') res.writeHead(200, { 'content-length': String(LIMITS.unzippedBytes + 1) }).write('PK')
    else {
      const more = (): void => {
        if (res.closed) return
        sent += chunk.length
        res.write(chunk, more)
      }
      res.on('error', () => undefined)
      more()
    }
  })
  const { create, files } = await startWith(t, endpoint)
  const before = await files()
  for (const [S3Key, status, type, message] of [
    [
      'denied',
      403,
      'AccessDeniedException',
      'Your access has been denied by S3, please make sure your request credentials have permission to GetObject for code/denied. S3 Error Code: AccessDenied. S3 Error Message: Access Denied'
    ],
    ['key', 502, 'ServiceException', "The S3 endpoint of this server does not take the server's key."],
    ['down', 502, 'ServiceException', 'The S3 endpoint of this server does not answer as it should.'],
    ['cut', 502, 'ServiceException', 'The S3 endpoint of this server does not answer as it should.'],
    ['declared', 400, 'InvalidParameterValueException', 'Unzipped size must be smaller than 262144000 bytes'],
    ['endless', 400, 'InvalidParameterValueException', 'Unzipped size must be smaller than 262144000 bytes']
  ] as const) {
    const answer = await create('f', { S3Bucket: 'code', S3Key })
    t.equal(answer.statusCode, status, S3Key)
    t.equal(answer.headers['x-amzn-errortype'], type, S3Key)
    const body = answer.json<{ message?: string; Message?: string }>()
    t.equal(body.message ?? body.Message, message, S3Key)
  }
  t.ok(sent < LIMITS.unzippedBytes + 64 * chunk.length, 'it stopped reading')
  t.same(await files(), before, 'nothing is left')
})

t.test('only so many packages are on their way at once', async (t) => {
  const waiting: ServerResponse[] = []
  const endpoint = await startFake(t, (_req, res) => void waiting.push(res))
  const { create } = await startWith(t, endpoint)
  const sent = Array.from({ length: 8 }, (_, n) => create(`f${n}`, { S3Bucket: 'code', S3Key: 'k' }))
  await eventually(() => waiting.length === 8)
  const ninth = await create('f9', { S3Bucket: 'code', S3Key: 'k' })
  t.equal(ninth.statusCode, 429)
  t.match(ninth.json(), { message: /being fetched at once/ })
  const zip = await zipOf({ 'index.mjs': SOURCE })
  for (const res of waiting) res.end(zip)
  t.same(new Set((await Promise.all(sent)).map(({ statusCode }) => statusCode)), new Set([201]))
  const later = create('f9', { S3Bucket: 'code', S3Key: 'k' })
  ;(await eventually(() => waiting[8])).end(zip)
  t.equal((await later).statusCode, 201, 'and there is room again')
})

t.test('without a store, or without the SDK, the refusal says what to do', async (t) => {
  const { create } = await startWith(t, undefined)
  const refused = await create('f', { S3Bucket: 'code', S3Key: 'k' })
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { message: /set HEARTH_S3_ENDPOINT/ })
  const settings = { endpoint: 'http://127.0.0.1:1', region: REGION, ...KEYS, pathStyle: true }
  const source = createS3Source(settings, async () => {
    throw new Error("Cannot find package '@aws-sdk/client-s3'")
  })
  const fetched = source.fetch({ bucket: 'code', key: 'k', version: undefined }, `${t.testdir()}/x`)
  await t.rejects(fetched, { code: 'UNSUPPORTED_FEATURE', message: /@aws-sdk\/client-s3 is not installed/ })
})

t.test('the settings go together, and the secret is never printed', async (t) => {
  const dir = t.testdir({ secret: 'abc/123+x\n' })
  const env = {
    HEARTH_S3_ENDPOINT: 'http://127.0.0.1:9000',
    HEARTH_S3_ACCESS_KEY_ID: 'key',
    HEARTH_S3_SECRET_ACCESS_KEY_FILE: 'secret'
  }
  const config = readConfig(env, dir)
  t.match(config.s3, { region: 'us-east-1', secretAccessKey: 'abc/123+x', pathStyle: true })
  t.notMatch(JSON.stringify(redactConfig(config)), /abc.123/)
  t.equal(readConfig({ ...env, HEARTH_S3_PATH_STYLE: 'false' }, dir).s3?.pathStyle, false)
  t.equal(readConfig({}, dir).s3, undefined)
  for (const broken of [
    { HEARTH_S3_ENDPOINT: 'http://127.0.0.1:9000' },
    { HEARTH_S3_ACCESS_KEY_ID: 'key' },
    { ...env, HEARTH_S3_ENDPOINT: 'minio' },
    { ...env, HEARTH_S3_SECRET_ACCESS_KEY_FILE: 'none' }
  ]) {
    t.throws(() => readConfig(broken, dir), ConfigError)
  }
})
