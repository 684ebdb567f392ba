// Web frameworks as they come from npm, unmodified, behind an HTTP API and behind a function's URL.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { ROOT, startHearth } from '../helpers/hearth.ts'
import { API, openApis, publish } from '../helpers/http-api.ts'
import { installed, zipOf } from '../helpers/zip.ts'

t.setTimeout(180_000)
const run = promisify(execFile)
const hearth = await startHearth()
const written = openApis(hearth.dataDir)
t.teardown(async () => {
  written.close()
  await hearth.stop()
})

const TEST = path.join(ROOT, 'test')
const FUNCTIONS = 'arn:aws:lambda:us-east-1:000000000000:function'

const EXPRESS = `
const express = require('express')
const serverless = require('serverless-http')
const app = express()
app.use(express.json())
app.get('/cookies', (req, res) => {
  res.cookie('a', '1').cookie('b', 'x y', { httpOnly: true }).json({ got: req.get('cookie') ?? null, q: req.query })
})
app.get('/items/:id', (req, res) => res.json({ id: req.params.id }))
app.get('/away', (req, res) => res.redirect('/items/1'))
app.post('/echo', (req, res) => res.status(201).send(req.body))
app.post('/upload', express.raw({ type: 'multipart/form-data', limit: '5mb' }), (req, res) => {
  res.send(require('crypto').createHash('sha256').update(req.body).digest('hex'))
})
app.get('/picture', (req, res) => res.type('png').send(Buffer.from([0x89, 0x50, 0, 0xff])))
app.get('/broken', () => { throw new Error('broken') })
app.use((error, req, res, next) => res.status(418).send(error.type ?? error.message))
exports.handler = serverless(app, { binary: ['image/*'] })
`

const FASTIFY = `
const awsLambdaFastify = require('@fastify/aws-lambda')
const app = require('fastify')()
app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer', bodyLimit: 5e6 }, (_r, body, done) => done(null, body))
app.get('/cookies', async (req, reply) => {
  reply.header('set-cookie', ['a=1; Path=/', 'b=x%20y; Path=/; HttpOnly'])
  return { got: req.headers.cookie ?? null, q: req.query }
})
app.get('/items/:id', async (req) => ({ id: req.params.id }))
app.get('/away', async (_req, reply) => reply.redirect('/items/1'))
app.post('/echo', async (req, reply) => reply.code(201).send(req.body))
app.post('/upload', async (req) => require('crypto').createHash('sha256').update(req.body).digest('hex'))
app.get('/picture', async (_req, reply) => reply.type('image/png').send(Buffer.from([0x89, 0x50, 0, 0xff])))
app.get('/broken', async () => { throw new Error('broken') })
app.setErrorHandler((error, _req, reply) => reply.code(418).type('text/plain').send(error.message))
exports.handler = awsLambdaFastify(app, { binaryMimeTypes: ['image/png'] })
`

async function deploy(t: Test, name: string, source: string, modules: readonly string[]): Promise<void> {
  const made = await hearth.deploy(
    name,
    await zipOf({ 'index.js': source, ...installed(modules, TEST) }),
    'memory=512&timeout=20'
  )
  t.equal(made.status, 201, await made.text())
  const permission = {
    StatementId: 'api',
    Action: 'lambda:InvokeFunction',
    Principal: 'apigateway.amazonaws.com',
    SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${API}/*`
  }
  const body = JSON.stringify(permission)
  t.equal((await hearth.request(`/2015-03-31/functions/${name}/policy`, { method: 'POST', body })).status, 201)
}

/** The same requests, wherever the app is. */
async function tryApp(t: Test, base: string): Promise<void> {
  const call = (target: string, init: RequestInit = {}) => fetch(base + target, { redirect: 'manual', ...init })
  const cookies = await call('/cookies?x=1&y=a%20b', { headers: { cookie: 'c=3; d=4' } })
  t.equal(cookies.status, 200)
  t.match(cookies.headers.getSetCookie(), [/^a=1; ?Path=\//i, /^b=x%20y; ?Path=\/; ?HttpOnly/i])
  t.match(await cookies.json(), { got: /^c=3; ?d=4$/, q: { x: '1', y: 'a b' } })
  t.match(await (await call('/items/a%20b')).json(), { id: 'a b' })
  const away = await call('/away')
  t.equal(away.status, 302)
  t.equal(away.headers.get('location'), '/items/1')
  const json = { 'content-type': 'application/json' }
  const echo = await call('/echo', { method: 'POST', headers: json, body: '{"name":"größe"}' })
  t.equal(echo.status, 201)
  t.same(await echo.json(), { name: 'größe' })
  const form = new FormData()
  form.set('file', new Blob([Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)]), 'bytes.bin')
  const sent = new Request(base, { method: 'POST', body: form })
  const contentType = sent.headers.get('content-type')!
  const bytes = Buffer.from(await sent.arrayBuffer())
  const upload = await call('/upload', { method: 'POST', headers: { 'content-type': contentType }, body: bytes })
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  t.equal(await upload.text(), Buffer.from(digest).toString('hex'), 'an upload arrives byte for byte')
  const picture = await call('/picture')
  t.match(picture.headers.get('content-type'), 'image/png')
  t.same([...new Uint8Array(await picture.arrayBuffer())], [0x89, 0x50, 0, 0xff])
  const broken = await call('/broken')
  t.equal(broken.status, 418)
  t.equal(await broken.text(), 'broken')
  t.equal((await call('/none')).status, 404)
}

t.test('express and fastify, behind both', async (t) => {
  await deploy(t, 'with-express', EXPRESS, ['express', 'serverless-http'])
  await deploy(t, 'with-fastify', FASTIFY, ['fastify', '@fastify/aws-lambda'])
  for (const name of ['with-express', 'with-fastify']) {
    for (const payloadFormat of ['2.0', '1.0'] as const) {
      const integration = { functionArn: `${FUNCTIONS}:${name}`, payloadFormat }
      publish(written, { $default: { integration } })
      await t.test(`${name}, format ${payloadFormat}`, (t) => tryApp(t, `${hearth.url}/api/${API}`))
    }
    const made = await hearth.request(`/v1/functions/${name}/url`, { method: 'PUT', body: '{"authType":"NONE"}' })
    const { id } = (await made.json()) as { id: string }
    await t.test(`${name}, as a URL`, (t) => tryApp(t, `${hearth.url}/url/${id}`))
  }
})

t.test('a folder of files, at the host of an API', async (t) => {
  publish(written, { 'GET /hello': { integration: { functionArn: `${FUNCTIONS}:with-express` } } })
  const host = `${API}.lambda-url.localhost`
  const curl = async (target: string) => {
    const resolve = ['--resolve', `${host}:${hearth.ports.gateway}:127.0.0.1`]
    return (await run('curl', ['-sSi', ...resolve, `http://${host}:${hearth.ports.gateway}${target}`])).stdout
  }
  const put = async (name: string, query: string, body: string | Uint8Array) =>
    await hearth.request(`/v1/triggers/http/${name}/static${query}`, { method: 'PUT', body })
  const zip = await zipOf({ 'index.html': '<h1>shop</h1>', 'app.js': 'start()' })
  const first = await put('shop', '?notFound=index.html', zip)
  t.equal(first.status, 200)
  t.match(await first.json(), { apiId: API, files: 2, index: 'index.html', notFound: 'index.html' })
  t.match(await curl('/'), /^HTTP\/1\.1 200[^]*content-type: text\/html; charset=utf-8\r\n[^]*<h1>shop<\/h1>$/)
  t.match(await curl('/app.js'), /content-type: (text|application)\/javascript[^]*start\(\)$/)
  t.match(await curl('/cart/7'), /^HTTP\/1\.1 200[^]*<h1>shop<\/h1>$/)
  t.equal((await put(API, '', await zipOf({ 'index.html': 'new' }))).status, 200, 'by its id')
  t.match(await curl('/'), /new$/, 'seen at once')
  t.match(await curl('/cart/7'), /^HTTP\/1\.1 404[^]*\{"message":"Not Found"\}$/)

  for (const [name, query, body, status] of [
    ['none', '', zip, 404],
    ['shop', '', 'text', 400],
    ['shop', '?index=../x', zip, 400],
    ['shop', '?index=.x', zip, 400],
    ['shop', '?notFound=gone.html', zip, 400],
    ['shop', '?other=1', zip, 400]
  ] as const) {
    const refused = await put(name, query, body)
    t.equal(refused.status, status, `${name}${query}: ${await refused.text()}`)
  }
  t.match(await (await hearth.request('/v1/triggers/http/shop/static')).json(), { apiId: API, notFound: null })
  const remove = () => hearth.request('/v1/triggers/http/shop/static', { method: 'DELETE' })
  t.equal((await remove()).status, 204)
  t.equal((await remove()).status, 404)
  t.match(await curl('/'), /^HTTP\/1\.1 404/)
})
