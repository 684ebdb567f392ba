import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { canonicalRequest, signingKey } from '@hearth/shared'
import t from 'tap'
import { ADMIN, ask, BEARER, outcome, rawConnection, record, SECRET, startGateway, textOf, until } from './harness.ts'

const AWS = '/2015-03-31/functions/hello/invocations'
const V1 = '/v1/functions/hello/invocations'
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:hello'
const LIMIT = 6_291_456
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

t.test('all three doors lead to the function, and say how long it took', async (t) => {
  const { port, executor } = await startGateway(t)
  const seen: { payload: string; requestId: string; invokedArn: string; traceId: string }[] = []
  executor.behaviour = ({ payload, requestId, invokedArn, traceId }) => {
    seen.push({ payload: payload.toString(), requestId, invokedArn, traceId })
    return outcome('{"message":"Hello Ada"}')
  }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const [url, headers] of [
    [AWS, {}],
    [V1, {}],
    ['/fn/hello', form],
    ['/fn/hello/deep/path?a=b', form]
  ] as const) {
    const answer = await ask(port, url, { body: '{"name":"Ada"}', headers })
    t.equal(answer.status, 200, url)
    t.equal(answer.body, '{"message":"Hello Ada"}')
    t.equal(answer.headers['content-type'], 'application/json')
    t.match(
      answer.headers['server-timing'],
      /^queue;dur=[\d.]+, (sandbox;dur=[\d.]+, init;dur=[\d.]+, )?exec;dur=[\d.]+$/
    )
    const event = seen.at(-1)!
    t.match(event.requestId, UUID)
    t.equal(answer.headers['x-amzn-requestid'], event.requestId, 'the id that the function sees')
    t.match(event.traceId, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=1:[0-9a-f]{8}:0$/)
    t.equal(event.invokedArn, ARN)
  }
  t.equal(seen[0]!.payload, '{"name":"Ada"}')
  t.equal(seen[1]!.payload, '{"name":"Ada"}')
  t.match(JSON.parse(seen[2]!.payload), { rawPath: '/', body: '{"name":"Ada"}', isBase64Encoded: false })
  t.match(JSON.parse(seen[3]!.payload), { rawPath: '/deep/path', rawQueryString: 'a=b' })
  t.equal(new Set(seen.map(({ requestId }) => requestId)).size, 4)

  const get = await ask(port, '/fn/hello', { method: 'GET' })
  t.equal(get.status, 200)
  t.match(JSON.parse(seen.at(-1)!.payload), { requestContext: { http: { method: 'GET' } } })
  const versioned = await ask(port, '/fn/hello', { headers: { 'accept-version': '9.9' } })
  t.equal(versioned.status, 200, 'no header changes the route')
  const head = await ask(port, '/fn/hello', { method: 'HEAD' })
  t.match(head, { status: 200, body: '' })
})

t.test('Invoke takes every form of a name, and its headers mean what they mean on AWS', async (t) => {
  const { port, executor } = await startGateway(t)
  let last: { invokedArn: string; clientContext: string; tail: boolean; traceId: string } | undefined
  executor.behaviour = (invocation) => {
    const { invokedArn, clientContext, tail, traceId, payload } = invocation
    last = { invokedArn, clientContext, tail, traceId }
    return outcome(payload.toString() || 'null', { tail: tail ? Buffer.from('START\nEND\n') : undefined })
  }
  const invoke = (reference: string, headers: Record<string, string> = {}, query = '') =>
    ask(port, `/2015-03-31/functions/${reference}/invocations${query}`, { body: '{"a":1}', headers })

  for (const [reference, query, arn] of [
    ['hello', '', ARN],
    ['hello:$LATEST', '', `${ARN}:$LATEST`],
    ['hello', '?Qualifier=%24LATEST', `${ARN}:$LATEST`],
    [encodeURIComponent(ARN), '', ARN],
    [encodeURIComponent(`${ARN}:$LATEST`), '', `${ARN}:$LATEST`],
    ['000000000000:function:hello', '', ARN]
  ] as const) {
    const answer = await invoke(reference, {}, query)
    t.match(answer, { status: 200, body: '{"a":1}' }, reference)
    t.equal(last?.invokedArn, arn)
  }

  const plain = await invoke('hello')
  t.match(plain.headers, {
    'x-amz-executed-version': '$LATEST',
    'x-amzn-remapped-content-length': '0',
    'x-amzn-trace-id': last?.traceId
  })
  t.notOk('x-amz-function-error' in plain.headers)
  t.notOk('x-amz-log-result' in plain.headers)

  const tailed = await invoke('hello', { 'x-amz-log-type': 'Tail' })
  t.equal(tailed.headers['x-amz-log-result'], Buffer.from('START\nEND\n').toString('base64'))

  const context = '{"custom":{"é":"1"}}'
  await invoke('hello', { 'x-amz-client-context': Buffer.from(context).toString('base64') })
  t.equal(last?.clientContext, context)

  const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
  await invoke('hello', { 'x-amzn-trace-id': trace })
  t.match(last?.traceId, new RegExp(`^${trace};Lineage=1:[0-9a-f]{8}:0$`))
  await invoke('hello', { 'x-amzn-trace-id': last!.traceId })
  t.match(last?.traceId, new RegExp(`^${trace};Lineage=1:[0-9a-f]{8}:1$`), 'its calls are counted')
  await invoke('hello', { 'x-amzn-trace-id': 'anything else' })
  t.match(last?.traceId, /^Root=1-/)

  const dry = await invoke('hello', { 'x-amz-invocation-type': 'DryRun' })
  t.match(dry, { status: 204, body: '' })

  const empty = await ask(port, AWS, { method: 'POST', body: '' })
  t.match(empty, { status: 200, body: 'null' }, 'an empty body is delivered empty')
})

t.test('each refusal has its status, code and text in the dialect of its path', async (t) => {
  const { port, executor } = await startGateway(t, {
    functions: [record('hello'), record('failed', { state: 'Failed' })]
  })
  const aws = (reference: string) => `/2015-03-31/functions/${reference}/invocations`
  const body = '{}'
  const long = 'a'.repeat(65)
  const cases: [string, Parameters<typeof ask>[2], number, string, RegExp | string][] = [
    [
      aws('nope'),
      { body },
      404,
      'ResourceNotFoundException',
      `Function not found: ${ARN.replace('hello', 'nope')}:$LATEST`
    ],
    [aws('hello:7'), { body }, 404, 'ResourceNotFoundException', `Function not found: ${ARN}:7`],
    [`${AWS}?Qualifier=prod`, { body }, 404, 'ResourceNotFoundException', `Function not found: ${ARN}:prod`],
    [`${aws('hello:1')}?Qualifier=2`, { body }, 400, 'InvalidParameterValueException', /derived qualifier/],
    [
      aws(encodeURIComponent(ARN.replace('us-east-1', 'eu-west-1'))),
      { body },
      404,
      'ResourceNotFoundException',
      /not reachable in this region/
    ],
    [aws(encodeURIComponent(ARN.replace('000000000000', '111111111111'))), { body }, 403, 'AccessDeniedException', ''],
    [aws('a%20b'), { body }, 400, 'ValidationException', /functionName/],
    [aws(long), { body }, 400, 'InvalidParameterValueException', /less than or equal to 64/],
    [aws('failed'), { body }, 409, 'ResourceConflictException', /currently in the following state: Failed/],
    [
      AWS,
      { body: '{"a":' },
      400,
      'InvalidRequestContentException',
      /^Could not parse request body into json: Could not parse payload into json: /
    ],
    [AWS, { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'InvalidRequestContentException', /Invalid UTF-8/],
    [
      AWS,
      { body, headers: { 'x-amz-invocation-type': 'x' } },
      400,
      'ValidationException',
      /invocationType.*\[Event, RequestResponse, DryRun\]/
    ],
    [AWS, { body, headers: { 'x-amz-log-type': 'x' } }, 400, 'ValidationException', /logType.*\[None, Tail\]/],
    [AWS, { body, headers: { 'x-amz-client-context': 'x'.repeat(3_584) } }, 400, 'ValidationException', /3583/],
    [
      AWS,
      { body, headers: { 'x-amz-client-context': 'e30' + 'x' } },
      400,
      'InvalidRequestContentException',
      /Client context must be/
    ],
    [AWS, { body, auth: false }, 403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
    [
      AWS,
      { body, headers: { authorization: 'Bearer wrong' } },
      403,
      'UnrecognizedClientException',
      /token included in the request is invalid/
    ],
    [aws('nope'), { body, auth: false }, 403, 'MissingAuthenticationTokenException', /Missing/],
    [V1, { body: '{"a":' }, 400, 'INVALID_PAYLOAD', /Could not parse/],
    ['/v1/functions/nope/invocations', { body }, 404, 'FUNCTION_NOT_FOUND', /nope/],
    [V1, { body, auth: false }, 401, 'UNAUTHENTICATED', /A key is needed/],
    [V1, { body, headers: { authorization: 'Bearer wrong' } }, 401, 'INVALID_CREDENTIALS', /not known/],
    ['/fn/nope', {}, 404, 'FUNCTION_NOT_FOUND', /nope/],
    ['/fn/hello', { auth: false }, 401, 'UNAUTHENTICATED', /A key is needed/],
    ['/fn/%E0%A4%A', {}, 400, 'INVALID_REQUEST', /not a valid url/],
    ['/v1/functions/hello/logs?since=never', {}, 400, 'INVALID_REQUEST', /query.since/],
    ['/v1/functions/hello/logs?limit=0', {}, 400, 'INVALID_REQUEST', /query.limit/],
    ['/v1/functions/hello/logs?follow=1', {}, 400, 'INVALID_REQUEST', /query.follow/],
    ['/v1/functions/nope/logs', {}, 404, 'FUNCTION_NOT_FOUND', /nope/]
  ]
  for (const [url, options, status, code, text] of cases) {
    const answer = await ask(port, url, options)
    const parsed = JSON.parse(answer.body) as Record<string, unknown>
    const name = `${url.slice(0, 60)} ${JSON.stringify(options).slice(0, 60)}`
    t.equal(answer.status, status, name)
    t.match(answer.headers['x-amzn-requestid'], UUID, name)
    if (url.startsWith('/20')) {
      t.equal(answer.headers['x-amzn-errortype'], code, name)
      t.match(parsed['Message'] ?? parsed['message'], text, name)
    } else {
      t.equal(answer.headers['content-type'], 'application/problem+json')
      t.match(parsed, { code, status, detail: text, requestId: answer.headers['x-amzn-requestid'] }, name)
    }
  }
  t.same(executor.opened, [], 'none of them touched a function')
})

t.test('a function that fails is told apart from a server that does', async (t) => {
  const { port, executor } = await startGateway(t)
  const error = '{"errorType":"TypeError","errorMessage":"boom"}'
  const cases = [
    ['error', 'TypeError', 502],
    ['timeout', 'Sandbox.Timedout', 504],
    ['crash', 'Runtime.ExitError', 502],
    ['oom', 'Runtime.OutOfMemory', 502],
    ['init_error', 'Runtime.ImportModuleError', 502]
  ] as const
  for (const [status, errorType, v1Status] of cases) {
    executor.behaviour = () => outcome(error, { status, errorType })
    const aws = await ask(port, AWS, { body: '{}' })
    t.match(aws, { status: 200, body: error, headers: { 'x-amz-function-error': 'Unhandled' } }, status)
    const v1 = await ask(port, V1, { body: '{}' })
    t.match(v1, { status: v1Status, body: error, headers: { 'x-hearth-function-error': errorType } }, status)
    const url = await ask(port, '/fn/hello')
    t.match(url, { status: 502, body: 'Internal Server Error', headers: { 'x-hearth-function-error': errorType } })
  }
  executor.behaviour = () => outcome(error, { status: 'error', errorType: 'Bad\r\nx: y é' })
  const hostile = await ask(port, V1, { body: '{}' })
  t.equal(hostile.headers['x-hearth-function-error'], 'Bad??x:?y??')
  executor.behaviour = () => outcome('{"statusCode":42}')
  t.match(await ask(port, '/fn/hello'), {
    status: 502,
    headers: { 'x-hearth-function-error': 'Hearth.InvalidResponse' }
  })

  executor.behaviour = () => outcome('', { status: 'throttled' })
  const throttled = await ask(port, AWS, { body: '{}' })
  t.match(throttled, { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException' } })
  t.same(JSON.parse(throttled.body), {
    Type: 'User',
    message: 'Rate Exceeded.',
    Reason: 'ConcurrentInvocationLimitExceeded'
  })
  t.match(JSON.parse((await ask(port, '/fn/hello')).body), { status: 429, code: 'CAPACITY_EXHAUSTED', retryable: true })
  executor.behaviour = () => outcome('', { status: 'unavailable' })
  t.match(await ask(port, AWS, { body: '{}' }), { status: 503, headers: { 'x-amzn-errortype': 'ServiceException' } })
  t.match(JSON.parse((await ask(port, V1, { body: '{}' })).body), { status: 503, code: 'SANDBOX_UNAVAILABLE' })
  executor.behaviour = () => {
    throw new Error('SELECT secret FROM keys')
  }
  const bug = await ask(port, V1, { body: '{}' })
  t.equal(bug.status, 500)
  t.notMatch(bug.body, /secret/)
})

const OF_THEIR_OWN = new Set(['api', 'webhook', 'load-balancer'])

t.test('every route but the health checks wants a key', async (t) => {
  const { port, gateway } = await startGateway(t)
  t.ok(gateway.routes.length >= 8)
  const open = gateway.routes.filter(({ access }) => access === 'open').map(({ url }) => url)
  t.same(open.sort(), ['/healthz', '/readyz', '/startupz'])
  for (const { methods, url, access } of gateway.routes) {
    if (access === 'control-plane') continue
    for (const method of methods) {
      if (method === 'TRACE' || method === 'QUERY') continue
      const path = url.replace(/:\w+/g, 'hello').replace('*', 'x')
      for (const headers of [{}, { authorization: 'Bearer x' }, { authorization: 'Basic eDp4' }]) {
        const { status } = await ask(port, path, { method, auth: false, headers })
        // Without a control plane the server has not started.
        if (access === 'open') t.equal(status, url === '/startupz' ? 503 : 200, `${method} ${path}`)
        // What is behind these lets callers in, or not: there is nothing.
        else if (OF_THEIR_OWN.has(access)) t.equal(status, 404, `${method} ${path}`)
        else t.ok(status === 401 || status === 403, `${method} ${path} ${JSON.stringify(headers)}: ${status}`)
      }
    }
  }
  t.same(
    gateway.routes.filter(({ access }) => access === 'control-plane').map(({ url }) => url),
    ['/.other-host', '/', '/*'],
    'what is not the gateway’s is for the control plane to decide'
  )
})

t.test('a signed request is checked with its body', async (t) => {
  const { port, executor } = await startGateway(t)
  const sign = (url: string, body: string, withHash: boolean) => {
    const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const hash = createHash('sha256').update(body).digest('hex')
    const headers: Record<string, string> = { host: `127.0.0.1:${port}`, 'x-amz-date': at }
    if (withHash) headers['x-amz-content-sha256'] = hash
    const names = Object.keys(headers).sort()
    const canonical = canonicalRequest({ method: 'POST', rawUrl: url, headers, body: undefined }, names, hash)
    const scope = `${at.slice(0, 8)}/us-east-1/lambda/aws4_request`
    const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
    const signature = createHmac('sha256', signingKey(SECRET, at.slice(0, 8), 'us-east-1', 'lambda'))
      .update(text)
      .digest('hex')
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${ADMIN.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
    return headers
  }
  for (const withHash of [true, false]) {
    const headers = sign(AWS, '{"a":1}', withHash)
    t.match(await ask(port, AWS, { body: '{"a":1}', headers }), { status: 200, body: '{"a":1}' })
    const forged = await ask(port, AWS, { body: '{"a":2}', headers })
    t.match(forged, { status: 403, headers: { 'x-amzn-errortype': 'InvalidSignatureException' } }, 'another body')
    const moved = await ask(port, AWS.replace('hello', 'nope'), { body: '{"a":1}', headers })
    t.match(moved, { status: 403 }, 'another path, and not a word on whether it exists')
  }
  t.equal(executor.opened.length, 1)
})

t.test('6 MB are taken, and not a byte more', async (t) => {
  const { port, executor } = await startGateway(t)
  let length = 0
  executor.behaviour = ({ payload }) => {
    length = payload.length
    return outcome('null')
  }
  const largest = `"${'x'.repeat(LIMIT - 2)}"`
  t.match(await ask(port, AWS, { body: largest }), { status: 200 })
  t.equal(length, LIMIT)
  t.match(await ask(port, AWS, { body: `"${'x'.repeat(LIMIT - 3)}\n` }), { status: 400 }, 'long bodies are checked too')

  const declared = await ask(port, AWS, { body: `${largest} ` })
  t.match(declared, { status: 413, headers: { 'x-amzn-errortype': 'RequestEntityTooLargeException' } })
  t.match(JSON.parse(declared.body), {
    Message: `${LIMIT + 1} byte payload is too large for the RequestResponse invocation type (limit ${LIMIT} bytes)`
  })

  const req = http.request({ port, path: AWS, method: 'POST', agent: false, headers: { authorization: BEARER } })
  req.on('error', () => undefined)
  const chunk = Buffer.alloc(65_536, 0x20)
  let sent = 0
  const send = () => {
    while (!req.destroyed && req.write(chunk)) sent += chunk.length
  }
  req.on('drain', send)
  send()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  t.equal(res.statusCode, 413, 'a body of unknown length is cut off')
  t.match(await textOf(res), /byte payload is too large/)
  req.destroy()
  t.ok(sent < 4 * LIMIT, `${sent} bytes were sent`)

  const binary = Buffer.alloc(5_000_000, 0xff)
  const grown = await ask(port, '/fn/hello', { body: binary, headers: { 'content-type': 'image/png' } })
  t.match(
    JSON.parse(grown.body),
    { status: 413, code: 'PAYLOAD_TOO_LARGE' },
    'what counts is the event, base64 and all'
  )
})

t.test('a client that waits for 100 Continue gets it only when its key is good', async (t) => {
  const { port } = await startGateway(t)
  const head = (auth: string) =>
    `POST ${AWS} HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`
  const stranger = await rawConnection(t, port)
  stranger.socket.write(head(''))
  await until('the refusal', () => stranger.received.includes('\r\n\r\n'))
  t.match(stranger.received, /^HTTP\/1\.1 403 /)
  t.match(stranger.received, /connection: close/i, 'the body that may still come is no next request')

  const known = await rawConnection(t, port)
  known.socket.write(head(`Authorization: ${BEARER}\r\n`))
  await until('100 Continue', () => known.received.includes('\r\n\r\n'))
  t.match(known.received, /^HTTP\/1\.1 100 Continue\r\n/)
  known.socket.write('{}')
  await until('the answer', () => known.received.includes('200 OK'))
})

t.test('pipelined requests get their answers in order', async (t) => {
  const { port } = await startGateway(t)
  const { socket, ...connection } = await rawConnection(t, port)
  const received: string[] = []
  socket.on('data', (chunk) => received.push(chunk.toString()))
  for (const n of [1, 2, 3]) {
    socket.write(`POST ${AWS} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER}\r\nContent-Length: 1\r\n\r\n${n}`)
  }
  await until('three answers', () => received.join('').match(/200 OK/g)?.length === 3)
  t.same(received.join('').match(/\r\n\r\n\d/g), ['\r\n\r\n1', '\r\n\r\n2', '\r\n\r\n3'])
  t.equal(connection.closed, false)
})

t.test('a client that goes away takes its waiting event with it', async (t) => {
  const { port, executor, gateway } = await startGateway(t)
  let closed = 0
  gateway.server.on('connection', (socket) => socket.on('close', () => closed++))
  executor.behaviour = () => undefined
  const req = http.request({ port, path: AWS, method: 'POST', agent: false, headers: { authorization: BEARER } })
  req.on('error', () => undefined)
  req.end('{}')
  await until('the event waits', () => executor.waiting.size === 1)
  req.destroy()
  await until('the event is dropped', () => executor.cancelled.length === 1)
  t.equal(executor.waiting.size, 0)

  // One that was delivered goes on; its answer has nobody to go to.
  const second = http.request({ port, path: AWS, method: 'POST', agent: false, headers: { authorization: BEARER } })
  second.on('error', () => undefined)
  second.end('{}')
  await until('the event waits', () => executor.waiting.size === 1)
  const [delivered] = executor.waiting
  executor.waiting.clear()
  second.destroy()
  await until('the connection is gone', () => closed === 2)
  delivered!.settle(outcome('null'))
  executor.behaviour = () => outcome('1')
  t.match(await ask(port, AWS, { body: '{}' }), { status: 200, body: '1' })
  const metrics = await ask(port, '/metrics')
  t.match(metrics.body, 'hearth_concurrent_executions{function="hello"} 0\n')
})

t.test('slow and broken clients are hung up on, with a word why', async (t) => {
  const { port } = await startGateway(t, { timeouts: { headersMs: 150, requestMs: 300, checkMs: 25 } })
  const stuck = async (bytes: string) => {
    const connection = await rawConnection(t, port)
    connection.socket.write(bytes)
    await until('the connection is closed', () => connection.closed)
    return connection.received
  }
  const slowHeaders = await stuck('POST /fn/hello HTTP/1.1\r\nHost: x\r\n')
  t.match(slowHeaders, /^HTTP\/1\.1 408 /)
  t.match(slowHeaders, /REQUEST_TIMEOUT/)
  const slowBody = await stuck(
    `POST ${AWS} HTTP/1.1\r\nHost: x\r\nAuthorization: ${BEARER}\r\nContent-Length: 5\r\n\r\n{`
  )
  t.match(slowBody, /^HTTP\/1\.1 408 /)
  const garbage = await stuck('hello\r\n\r\n')
  t.match(garbage, /^HTTP\/1\.1 400 /)
  const both = await stuck(
    `POST ${AWS} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
  )
  t.match(both, /^HTTP\/1\.1 400 /, 'two lengths: a smuggler')
  t.match(await ask(port, AWS, { body: '1' }), { status: 200 }, 'and the others are served')
})
