import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import yauzl from 'yauzl'
import { ARN, ROOT, SOURCE, startControlPlane, tarGz, zipOf } from './support.ts'

interface View {
  readonly revisionId: string
  readonly handler: string
  readonly codeSha256: string
  readonly notices: readonly string[]
  readonly env: Record<string, string>
  readonly name: string
}

/** Names and texts in a zip. */
function unzip(bytes: Buffer): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (err, zip) => {
      if (err !== null) return reject(err)
      const files: Record<string, string> = {}
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (problem, stream) => {
          if (problem !== null) return reject(problem)
          const chunks: Buffer[] = []
          stream.on('data', (chunk: Buffer) => chunks.push(chunk))
          stream.on('end', () => {
            files[entry.fileName] = Buffer.concat(chunks).toString()
            zip.readEntry()
          })
        })
      })
      zip.on('end', () => resolve(files))
      zip.readEntry()
    })
  })
}

t.test('one request creates, the next replaces and keeps what it does not name', async (t) => {
  const { put, get, dataDir } = await startControlPlane(t)
  const first = await put(
    'hello.mjs?memory=256&timeout=9&env.FOO=bar&env.B_2=a%20%26%20b&description=d&network=internet',
    SOURCE,
    { host: 'box:8080' }
  )
  t.equal(first.statusCode, 201)
  const view = first.json<View>()
  t.match(view, {
    name: 'hello',
    arn: `${ARN}:function:hello`,
    url: 'http://box:8080/fn/hello/',
    version: '$LATEST',
    runtime: /^nodejs/,
    handler: 'index.handler',
    role: 'arn:aws:iam::000000000000:role/hearth-default',
    memoryMiB: 256,
    timeoutS: 9,
    ephemeralMiB: 512,
    env: { FOO: 'bar', B_2: 'a & b' },
    network: 'internet',
    instances: null,
    state: 'Active',
    notices: [],
    hint: /curl .*http:\/\/box:8080\/fn\/hello\//
  })
  t.equal(first.headers.etag, `"${view.revisionId}"`)
  t.equal(first.headers.location, '/v1/functions/hello')
  const second = await put('hello?timeout=10&env.FOO=baz', `${SOURCE}// two`)
  t.equal(second.statusCode, 200)
  t.match(second.json(), { memoryMiB: 256, timeoutS: 10, env: { FOO: 'baz', B_2: 'a & b' }, description: 'd' })
  t.not(second.json<View>().revisionId, view.revisionId)
  t.not(second.json<View>().codeSha256, view.codeSha256)
  const { revisionId, codeSha256, env } = second.json<View>()
  t.match((await get('/v1/functions/hello')).json(), { revisionId, codeSha256, env, timeoutS: 10 })
  const hostile = await put('hello', SOURCE, { host: 'x$(reboot)' })
  t.match(hostile.json(), { url: 'http://localhost/fn/hello/' }, 'a host that is none is not repeated')
  t.strictSame(readdirSync(path.join(dataDir, 'tmp')), [])
})

t.test('sources become packages by what they are', async (t) => {
  const { put, get } = await startControlPlane(t)
  const cases: readonly (readonly [string, string, string, string, RegExp | undefined])[] = [
    ['a.mjs', SOURCE, 'index.mjs', 'index.handler', undefined],
    ['b.cjs', 'exports.handler = async () => 1', 'index.cjs', 'index.handler', undefined],
    ['c.js', 'exports.handler = async () => 1', 'index.js', 'index.handler', undefined],
    ['d.js', SOURCE, 'index.mjs', 'index.handler', /ES module/],
    [
      'e.ts',
      'export const handler = async (event: { a: string }): Promise<string> => event.a',
      'index.mjs',
      'index.handler',
      undefined
    ],
    ['f.mjs', 'export default async () => 1', 'index.mjs', 'index.default', undefined],
    ['g', SOURCE, 'index.mjs', 'index.handler', undefined],
    ['h', 'module.exports.handler = async () => 1', 'index.js', 'index.handler', undefined],
    [
      'i',
      'interface A { b: string }\nexport const handler = async (a: A) => a.b',
      'index.mjs',
      'index.handler',
      /TypeScript/
    ],
    ['j.ts', 'enum Colour { Red }\nexports.handler = async () => Colour.Red', 'index.cjs', 'index.handler', undefined],
    ['k', 'console.log(1)', 'index.js', 'index.handler', /exports nothing that can be seen/]
  ]
  for (const [target, source, file, handler, notice] of cases) {
    const res = await put(target, source)
    t.equal(res.statusCode, 201, target)
    const view = res.json<View>()
    t.equal(view.handler, handler, `${target}: handler`)
    t.match(view.notices, notice === undefined ? [] : [notice], `${target}: notices`)
    const download = await get(`/v1/functions/${view.name}/code`)
    t.equal(download.headers['content-type'], 'application/zip')
    const files = await unzip(download.rawPayload)
    t.strictSame(Object.keys(files), [file], `${target}: file`)
    if (target.endsWith('.ts') || view.notices.some((text) => text.includes('TypeScript'))) {
      t.notMatch(files[file], /: string/, `${target}: no types are left`)
      t.match(files[file], /sourceMappingURL=data:/, `${target}: and a map leads back`)
    } else t.equal(files[file], source, `${target}: text`)
  }
  t.equal(
    (await put('a2.mjs', SOURCE)).json<View>().codeSha256,
    (await get('/v1/functions/a')).json<View>().codeSha256,
    'the same text is the same package'
  )
  await put('k?handler=index.main', 'export const main = 1, handler = 2')
  t.equal(
    (await put('k', 'export const main = 3, handler = 4')).json<View>().handler,
    'index.main',
    'a handler that was chosen stays'
  )
  t.equal((await put('k', SOURCE)).json<View>().handler, 'index.handler', 'as long as the source has it')
  t.match(
    (await put('other?runtime=nodejs22.x', SOURCE)).json<View>().notices,
    process.version.startsWith('v22') ? [] : [/another version/]
  )
})

t.test('archives are unpacked as they are, with modes that a sandbox can read', async (t) => {
  const previous = process.umask(0o077)
  t.teardown(() => process.umask(previous))
  const { put, get, dataDir } = await startControlPlane(t)
  const tar = tarGz([
    { name: './', type: '5' },
    { name: './index.mjs', data: Buffer.from(SOURCE), mode: 0o600 },
    { name: './bin/', type: '5', mode: 0o700 },
    { name: './bin/tool', data: Buffer.from('#!/bin/sh'), mode: 0o4711 },
    { name: './link', type: '2', link: 'bin/../bin/tool' },
    { name: './empty', data: Buffer.alloc(0) }
  ])
  const res = await put('tarred.tar.gz', tar)
  t.equal(res.statusCode, 201)
  t.strictSame(res.json<View>().notices, [])
  const artifact = Buffer.from(res.json<View>().codeSha256, 'base64').toString('hex')
  const code = path.join(dataDir, 'code', artifact)
  const mode = (name: string): number => statSync(path.join(code, name)).mode & 0o7777
  t.equal(mode('.'), 0o755)
  t.equal(mode('bin'), 0o755)
  t.equal(mode('index.mjs'), 0o644)
  t.equal(mode('bin/tool'), 0o755, 'executable, and without the setuid bit')
  t.equal(readlinkSync(path.join(code, 'link')), 'bin/../bin/tool')
  t.equal(readFileSync(path.join(code, 'index.mjs'), 'utf8'), SOURCE)
  const download = await get('/v1/functions/tarred/code')
  t.strictSame(download.rawPayload, tar)
  t.match(download.headers, { 'content-type': 'application/gzip', 'content-disposition': /tarred.tar.gz/ })

  const files = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`lib/${index % 50}/f${index}.js`, `${index}`])
  )
  const zip = await zipOf({ 'index.mjs': SOURCE, ...files })
  const zipped = await put('zipped', zip)
  t.equal(zipped.statusCode, 201)
  const tree = path.join(dataDir, 'code', Buffer.from(zipped.json<View>().codeSha256, 'base64').toString('hex'))
  t.equal(readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length, 501)
  t.equal(readFileSync(path.join(tree, 'lib/7/f57.js'), 'utf8'), '57')
  t.strictSame((await get('/v1/functions/zipped/code')).rawPayload, zip)

  const wrapped = await put('wrapped', await zipOf({ 'app/index.mjs': SOURCE, 'app/x.js': '' }))
  t.match(wrapped.json<View>().notices, [/no index.js, index.mjs or index.cjs.*lies in the folder app\//])

  const src = path.join(path.dirname(dataDir), 'src')
  const real = path.join(path.dirname(dataDir), 'real.tgz')
  mkdirSync(path.join(src, 'deep'), { recursive: true })
  writeFileSync(path.join(src, 'index.mjs'), SOURCE)
  writeFileSync(path.join(src, 'deep/er.txt'), 'x')
  execFileSync('tar', ['czf', real, '-C', src, '.'])
  t.equal((await put('real.tgz', readFileSync(real))).statusCode, 201, 'what tar itself writes')
})

t.test('entity tags guard reads and writes', async (t) => {
  const { put, inject } = await startControlPlane(t)
  t.equal((await put('f', SOURCE, { 'if-match': '"x"' })).statusCode, 412)
  const made = await put('f', SOURCE, { 'if-none-match': '*' })
  t.equal(made.statusCode, 201)
  t.equal((await put('f', SOURCE, { 'if-none-match': '*' })).statusCode, 412)
  const etag = String(made.headers.etag)
  const read = (tag: string) => inject({ url: '/v1/functions/f', headers: { 'if-none-match': tag } })
  t.match(await read(etag), { statusCode: 304, body: '', headers: { etag } })
  t.equal((await read(`"x", W/${etag}`)).statusCode, 304)
  t.equal((await read('"x"')).statusCode, 200)
  const patch = (payload: object, headers = {}) => inject({ method: 'PATCH', url: '/v1/functions/f', payload, headers })
  t.equal((await patch({ memory: 512 }, { 'if-match': '"x"' })).statusCode, 412)
  const patched = await patch({ memory: 512 }, { 'if-match': etag })
  t.equal(patched.statusCode, 200)
  t.not(patched.headers.etag, etag)
  t.equal((await inject({ method: 'DELETE', url: '/v1/functions/f', headers: { 'if-match': etag } })).statusCode, 412)
  t.match(
    await inject({ method: 'DELETE', url: '/v1/functions/f', headers: { 'if-match': String(patched.headers.etag) } }),
    { statusCode: 204, body: '' }
  )
  t.equal((await read('"x"')).statusCode, 404)
})

t.test('PATCH changes what it names, and null takes back', async (t) => {
  const { put, inject } = await startControlPlane(t)
  await put('f?env.AA=1&env.BB=2&network=internet&concurrency=4&instances=threads', SOURCE)
  const patch = async (payload: object) =>
    (await inject({ method: 'PATCH', url: '/v1/functions/f', payload })).json<View>()
  t.match(await patch({ env: { AA: '9', CC: '3' }, description: 'new' }), {
    env: { AA: '9', BB: '2', CC: '3' },
    description: 'new',
    network: 'internet'
  })
  t.strictSame((await patch({ env: { AA: null, BB: null } })).env, { CC: '3' })
  t.match(await patch({ network: null, concurrency: 1, instances: null }), {
    network: null,
    instances: null,
    concurrency: 1
  })
  t.strictSame((await patch({ env: null })).env, {})
})

t.test('a dry run checks everything and changes nothing', async (t) => {
  const { put, get, files } = await startControlPlane(t)
  const before = await files()
  t.match(await put('f?dryRun=true', SOURCE), { statusCode: 200 })
  t.strictSame(await files(), before)
  t.equal((await get('/v1/functions/f')).statusCode, 404)
  const made = await put('f', SOURCE)
  const dry = await put('f?dryRun=true&memory=512', `${SOURCE}// other`)
  t.match(dry.json(), { memoryMiB: 512, notices: [/Dry run/], revisionId: made.json<View>().revisionId })
  t.match((await get('/v1/functions/f')).json(), { memoryMiB: 128, revisionId: made.json<View>().revisionId })
  t.equal((await put('f?dryRun=true', 'export const x = (')).statusCode, 400)
})

t.test('lists go page by page', async (t) => {
  const { put, get } = await startControlPlane(t)
  const names = Array.from({ length: 7 }, (_, index) => `f${index}`)
  for (const name of [...names].reverse()) await put(name, SOURCE)
  const seen: string[] = []
  let url: string | undefined = '/v1/functions?limit=3'
  while (url !== undefined) {
    const res: Awaited<ReturnType<typeof get>> = await get(url)
    const { items, nextCursor } = res.json<{ items: View[]; nextCursor: string | null }>()
    seen.push(...items.map((item) => item.name))
    url = /^<(.*)>; rel="next"$/.exec(String(res.headers.link))?.[1]
    t.equal(url === undefined, nextCursor === null)
  }
  t.strictSame(seen, names)
})

t.test('health is open, and metrics count', async (t) => {
  const { app, get, put } = await startControlPlane(t)
  t.strictSame((await app.inject('/healthz')).json(), { status: 'ok' })
  t.strictSame((await app.inject('/readyz')).json(), { status: 'ready', checks: { database: { ok: true } } })
  t.strictSame((await app.inject('/startupz')).json(), { status: 'started' })
  await put('f', SOURCE)
  await put('f', SOURCE)
  await put('f?memory=1', SOURCE)
  const { body } = await get('/metrics')
  t.match(body, /hearth_deployments_total\{result="created"\} 1/)
  t.match(body, /hearth_deployments_total\{result="replaced"\} 1/)
  t.match(body, /hearth_functions 1/)
  t.match(
    body,
    /hearth_http_request_duration_seconds_count\{service="control",route="\/v1\/functions\/:name",method="PUT",code="201"\} 1/
  )
})

t.test('the description is valid, is the committed one, and has a page', async (t) => {
  const { app } = await startControlPlane(t)
  const res = await app.inject('/openapi.json')
  const committed = path.join(ROOT, 'docs/openapi.json')
  const text = `${JSON.stringify(res.json(), null, 2)}\n`
  t.equal(
    readFileSync(committed, 'utf8'),
    text,
    'run apps/control-plane/scripts/write-openapi.mjs when the API was changed on purpose'
  )
  const result = await new Validator().validate(res.json<Record<string, unknown>>())
  t.ok(result.valid, JSON.stringify(result.errors))
  t.match(res.json(), { openapi: '3.1.0', paths: { '/v1/functions/{name}': { put: { operationId: 'putFunction' } } } })
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.body, /swagger/i)
  t.notMatch(page.body, /https?:\/\/(?!localhost)[^"]*\.js"/, 'nothing is loaded from elsewhere')
})

t.test('a deploy publishes in the same step when it is asked to', async (t) => {
  const { put, get } = await startControlPlane(t)
  const deploy = async (query: string, source = SOURCE) =>
    (await put(`hello.mjs${query}`, source)).json<{ version: string; publishedVersion: string | null }>()
  t.match(await deploy(''), { version: '$LATEST', publishedVersion: null })
  t.match(await deploy('?publish=true'), { version: '$LATEST', publishedVersion: '1' })
  t.match(await deploy('?publish=true'), { publishedVersion: '1' }, 'nothing has changed')
  t.match(await deploy('?publish=true&dryRun=true', `${SOURCE}// 2\n`), { publishedVersion: null })
  t.match(await deploy('?publish=true', `${SOURCE}// 2\n`), { publishedVersion: '2' })
  t.equal((await get('/v1/functions/hello/versions')).json<{ items: unknown[] }>().items.length, 3)
  t.equal((await put('hello.mjs?publish=yes', SOURCE)).statusCode, 400)
})

t.test('logging is set member by member, at a deploy and later', async (t) => {
  const { put, inject, get, aws } = await startControlPlane(t)
  const patch = (payload: object) => inject({ method: 'PATCH', url: '/v1/functions/hello', payload })
  const text = { logFormat: 'Text', logLevel: null, systemLogLevel: null, logGroup: '/aws/lambda/hello' }
  t.match((await put('hello.mjs', SOURCE)).json(), text)
  const json = { logFormat: 'JSON', logLevel: 'WARN', systemLogLevel: 'INFO', logGroup: '/aws/lambda/hello' }
  t.match((await put('hello.mjs?logFormat=JSON&logLevel=WARN', SOURCE)).json(), json)
  t.match((await put('hello.mjs', SOURCE)).json(), json, 'it stays')
  const changed = { ...json, systemLogLevel: 'DEBUG', logGroup: '/shop' }
  t.match((await patch({ systemLogLevel: 'DEBUG', logGroup: '/shop' })).json(), changed)
  t.match((await aws('GET', '/functions/hello/configuration')).json(), {
    LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'WARN', SystemLogLevel: 'DEBUG', LogGroup: '/shop' }
  })
  t.match((await patch({ logFormat: 'Text' })).json(), { ...text, logGroup: '/shop' }, 'Text has no levels')
  const refused = await patch({ logLevel: 'INFO' })
  t.equal(refused.statusCode, 400)
  t.match(refused.json<{ detail: string }>().detail, /LogLevel is not supported when LogFormat is set to "Text"/)
  for (const payload of [
    { logFormat: 'XML' },
    { logLevel: 'LOUD' },
    { systemLogLevel: 'ERROR' },
    { logGroup: 'a b' }
  ]) {
    t.equal((await patch(payload)).statusCode, 400, JSON.stringify(payload))
  }
  t.match((await get('/v1/functions/hello')).json(), { ...text, logGroup: '/shop' })
})
