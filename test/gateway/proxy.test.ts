import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { ask, BEARER, INTERNAL_TOKEN, rawConnection, startGateway, textOf, until } from './harness.ts'

/** A control plane that answers as the test wants; real HTTP on a real port. */
async function controlPlane(t: Test, listener: RequestListener, port = 0): Promise<{ server: Server; port: number }> {
  const server = http.createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

t.test('what is no invocation reaches the control plane as it was sent', async (t) => {
  let seen: { url: string; method: string; headers: http.IncomingHttpHeaders; body: string } = {
    url: '',
    method: '',
    headers: {},
    body: ''
  }
  const { port: controlPort } = await controlPlane(t, (req, res) => {
    void textOf(req).then((body) => {
      seen = { url: req.url!, method: req.method!, headers: req.headers, body }
      res.writeHead(201, 'Made', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Answer',
        '1',
        'Keep-Alive',
        'timeout=1',
        'Connection',
        'x-hop',
        'X-Hop',
        '1'
      ])
      res.end('made')
    })
  })
  const { port } = await startGateway(t, { controlPort })
  const url = '/2015-03-31/functions/a%2Fb%3A1/./x//y?Marker=%2b%20a+b&x'
  const answer = await ask(port, url, {
    method: 'PUT',
    auth: false,
    body: 'payload',
    headers: {
      host: 'hearth.example:8080',
      'X-Custom': 'é'.normalize('NFC'),
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      forwarded: 'for=6.6.6.6',
      'x-hearth-gateway': 'a guess',
      connection: 'x-secret-hop',
      'x-secret-hop': '1',
      te: 'trailers'
    }
  })
  t.match(answer, { status: 201, body: 'made', headers: { 'set-cookie': ['a=1', 'b=2'], 'x-answer': '1' } })
  t.notOk('x-hop' in answer.headers)
  t.equal(seen.url, url, 'the URL is signed: not a byte of it changes')
  t.equal(seen.method, 'PUT')
  t.equal(seen.body, 'payload')
  t.match(seen.headers, { host: 'hearth.example:8080', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  t.equal(seen.headers['x-hearth-gateway'], INTERNAL_TOKEN, 'so that the address is believed')
  for (const name of ['forwarded', 'x-secret-hop', 'te', 'authorization']) t.notOk(name in seen.headers, name)
  t.equal(seen.headers['content-length'], '7')

  for (const method of ['GET', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
    t.match(await ask(port, '/v1/functions/hello', { method }), { status: 201 }, method)
    t.equal(seen.method, method)
    t.equal(seen.headers.authorization, BEARER)
  }
})

t.test('bodies of unknown length stream through in both directions at once', async (t) => {
  const { port: controlPort } = await controlPlane(t, (req, res) => {
    res.writeHead(200)
    req.pipe(res)
  })
  const { port } = await startGateway(t, { controlPort })
  const req = http.request({ port, path: '/v1/echo', method: 'POST', agent: false })
  req.write('first')
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const received: string[] = []
  res.on('data', (chunk: Buffer) => received.push(chunk.toString()))
  await until('the first part came back before the second was sent', () => received.join('') === 'first')
  const large = Buffer.alloc(20 * 1_048_576, 'x')
  req.end(large)
  await once(res, 'end')
  t.equal(received.join('').length, 5 + large.length)
})

t.test('a control plane that is down is named, and functions go on', async (t) => {
  const { server, port: controlPort } = await controlPlane(t, (_req, res) => res.end('up'))
  const { port } = await startGateway(t, { controlPort })
  t.match(await ask(port, '/v1/functions'), { status: 200, body: 'up' })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  const v1 = await ask(port, '/v1/functions/x', { method: 'PUT', body: 'code' })
  t.match(JSON.parse(v1.body), { status: 503, code: 'CONTROL_PLANE_UNAVAILABLE', retryable: true })
  const aws = await ask(port, '/2015-03-31/functions', { body: '{}' })
  t.match(aws, { status: 503, headers: { 'x-amzn-errortype': 'ServiceException', 'retry-after': '1' } })
  t.match(await ask(port, '/fn/hello'), { status: 200 })
  await controlPlane(t, (_req, res) => res.end('up again'), controlPort)
  t.match(await ask(port, '/v1/functions'), { body: 'up again' })
})

t.test('a connection that the control plane dropped while it was idle costs a reader nothing', async (t) => {
  let connections = 0
  let drop = false
  const { server, port: controlPort } = await controlPlane(t, (req, res) => {
    if (drop) {
      drop = false
      req.socket.destroy()
      return
    }
    res.end('ok')
  })
  server.on('connection', () => connections++)
  const { port } = await startGateway(t, { controlPort })
  t.match(await ask(port, '/v1/a'), { body: 'ok' })
  t.match(await ask(port, '/v1/a'), { body: 'ok' })
  t.equal(connections, 1, 'connections are kept')
  drop = true
  t.match(await ask(port, '/v1/a'), { status: 200, body: 'ok' }, 'a GET is sent again')
  drop = true
  t.match(await ask(port, '/v1/a', { body: 'x' }), { status: 503 }, 'what may have been done is not')
})

t.test('whoever aborts, the other side learns of it', async (t) => {
  const requests: IncomingMessage[] = []
  let cut = false
  const { port: controlPort } = await controlPlane(t, (req, res) => {
    requests.push(req)
    req.on('error', () => undefined)
    if (!cut) return
    res.writeHead(200, { 'content-length': '100' })
    res.write('half', () => req.socket.destroy())
  })
  const { port } = await startGateway(t, { controlPort })
  const req = http.request({ port, path: '/v1/slow', agent: false })
  req.on('error', () => undefined)
  req.end()
  await until('the control plane has it', () => requests.length === 1)
  req.destroy()
  await until('the control plane sees the abort', () => requests[0]!.destroyed)

  cut = true
  const half = http.request({ port, path: '/v1/half', agent: false })
  half.end()
  const [res] = (await once(half, 'response')) as [IncomingMessage]
  await t.rejects(textOf(res), 'an answer that was cut off looks cut off')
})

t.test('a body is not sent for before the control plane asks for it', async (t) => {
  const { server, port: controlPort } = await controlPlane(t, (_req, res) => res.end())
  server.on('checkContinue', (req: IncomingMessage, res: http.ServerResponse) => {
    if (req.headers.authorization === undefined) {
      res.writeHead(401, { 'content-length': '2' })
      res.end('no')
      return
    }
    res.writeContinue()
    void textOf(req).then((body) => res.end(`got ${body}`))
  })
  const { port } = await startGateway(t, { controlPort })
  const head = (auth: string) =>
    `PUT /v1/functions/x HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`
  const stranger = await rawConnection(t, port)
  stranger.socket.write(head(''))
  await until('the refusal', () => stranger.received.includes('\r\n\r\nno'))
  t.match(stranger.received, /^HTTP\/1\.1 401 /)
  const known = await rawConnection(t, port)
  known.socket.write(head(`Authorization: ${BEARER}\r\n`))
  await until('100 Continue', () => known.received.startsWith('HTTP/1.1 100 '))
  known.socket.write('code')
  await until('the answer', () => known.received.includes('got code'))
})

t.test('an answer that comes before the body is through reaches the client', async (t) => {
  const { port: controlPort } = await controlPlane(t, (_req, res) => {
    res.writeHead(413, { 'content-length': '9', connection: 'close' })
    res.end('too large')
  })
  const { port } = await startGateway(t, { controlPort })
  const req = http.request({
    port,
    path: '/v1/functions/x',
    method: 'PUT',
    agent: false,
    headers: { 'content-length': '90000000' }
  })
  req.on('error', () => undefined)
  const chunk = Buffer.alloc(65_536)
  const send = () => {
    while (!req.destroyed && req.write(chunk));
  }
  req.on('drain', send)
  send()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  t.equal(res.statusCode, 413)
  t.equal(await textOf(res), 'too large')
  req.destroy()
})
