// WebSocket APIs from the handshake to the function and back, with real clients; functions are stood in for.

import { createHash, createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  ApiGatewayManagementApiClient,
  GetConnectionCommand,
  PostToConnectionCommand
} from '@aws-sdk/client-apigatewaymanagementapi'
import type { Invocation } from '@hearth/executor'
import { SignatureV4 } from '@smithy/signature-v4'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { type Client, connect, publish, refusal, type SocketApi } from '../helpers/sockets.ts'
import { testClock } from './events.ts'
import {
  ADMIN,
  ask,
  type Harness,
  type HarnessOptions,
  outcome,
  rawConnection,
  SECRET,
  startGateway,
  until
} from './harness.ts'
import { signed } from './signed.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:hello'

interface SocketEvent {
  readonly headers?: Record<string, string>
  readonly requestContext: Record<string, unknown> & {
    readonly apiId: string
    readonly connectionId: string
    readonly routeKey: string
  }
  readonly body?: string
  readonly isBase64Encoded: boolean
}

/** Lets APIs invoke the function. */
function permit({ policies }: Harness, sourceArn = 'arn:aws:execute-api:*:*:*'): void {
  const statement = {
    Sid: 's',
    Effect: 'Allow' as const,
    Principal: { Service: 'apigateway.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: ARN,
    Condition: { ArnLike: { 'AWS:SourceArn': sourceArn } }
  }
  policies.put('hello', '', { statements: [statement], revisionId: randomUUID() })
}

type Answer = (event: SocketEvent, invocation: Invocation) => object | 'wait' | null

/** An API of which every route is the function `hello`; by default that sends back what it got. */
class Served {
  readonly gateway: Harness
  readonly port: number
  readonly id: string
  readonly host: string
  readonly path: string
  readonly arn: string
  readonly events: SocketEvent[] = []
  answer: Answer = (event) => ({ statusCode: 200, body: event.body })

  constructor(gateway: Harness, id: string) {
    this.gateway = gateway
    this.port = gateway.port
    this.id = id
    this.host = `${id}.lambda-url.localhost`
    this.path = `/api/${id}/prod`
    this.arn = `arn:aws:execute-api:us-east-1:000000000000:${id}`
  }

  /** Of the client that came, or said something, last. */
  get connectionId(): string {
    return this.events.at(-1)!.requestContext.connectionId
  }

  of(eventType: string): readonly SocketEvent[] {
    return this.events.filter(({ requestContext }) => requestContext['eventType'] === eventType)
  }
}

const served = new Map<Harness, Map<string, Served>>()

async function start(t: Test, options: HarnessOptions = {}): Promise<Harness> {
  const gateway = await startGateway(t, options)
  const apis = new Map<string, Served>()
  served.set(gateway, apis)
  gateway.executor.behaviour = (invocation) => {
    const event = JSON.parse(invocation.payload.toString()) as SocketEvent
    const api = apis.get(event.requestContext?.apiId)
    api?.events.push(event)
    // Ends come when they come, also while a test lets functions hang.
    const isEnd = event.requestContext?.['eventType'] === 'DISCONNECT'
    const said = api === undefined || isEnd ? { statusCode: 200 } : api.answer(event, invocation)
    return said === 'wait' ? undefined : outcome(JSON.stringify(said))
  }
  permit(gateway)
  return gateway
}

let count = 0
function serve(gateway: Harness, api: Partial<SocketApi> = {}): Served {
  const one = new Served(gateway, `api${String(count++).padStart(7, '0')}`)
  served.get(gateway)!.set(one.id, one)
  const back = { fn: 'hello', responseSelectionExpression: '$default' }
  publish(gateway.apis, {
    id: one.id,
    routes: { $connect: 'hello', $disconnect: 'hello', $default: back, echo: back, quiet: 'hello' },
    ...api
  })
  return one
}

const shared = await start(t)

t.test('a connection from its handshake to its end', async (t) => {
  const served = serve(shared, { variables: { table: 'clients' } })
  const { port, events, host, id } = served
  const client = await connect(t, port, '/prod?room=1&room=2&name=a%20b', {
    headers: { host, cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', authorization: 'Basic dTpw' }
  })
  const [connected] = events
  const context = {
    extendedRequestId: /^[\w-]{15}=$/,
    requestTime: /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/,
    messageDirection: 'IN',
    stage: 'prod',
    connectedAt: Number,
    requestTimeEpoch: Number,
    identity: { sourceIp: '127.0.0.1' },
    requestId: /^[\w-]{15}=$/,
    domainName: host,
    connectionId: /^[\w-]{15}=$/,
    apiId: id
  }
  t.match(connected, {
    headers: {
      Host: undefined,
      host,
      cookie: 'a=b',
      authorization: 'Basic dTpw',
      'Sec-WebSocket-Version': '13',
      'X-Forwarded-For': '127.0.0.1',
      'X-Forwarded-Port': String(port),
      'X-Amzn-Trace-Id': /^Root=1-/
    },
    multiValueHeaders: { host: [host] },
    queryStringParameters: { room: '2', name: 'a b' },
    multiValueQueryStringParameters: { room: ['1', '2'], name: ['a b'] },
    stageVariables: { table: 'clients' },
    requestContext: { ...context, routeKey: '$connect', eventType: 'CONNECT' },
    isBase64Encoded: false
  })
  t.notOk('x-forwarded-for' in connected!.headers!, 'what the client claims of its address is dropped')
  t.notOk('Upgrade' in connected!.headers!)

  const { connectionId } = connected!.requestContext
  t.equal(await client.ask('{"action":"echo","n":1}'), '{"action":"echo","n":1}')
  t.match(events[1], {
    requestContext: { ...context, connectionId, routeKey: 'echo', messageId: /^[\w-]{15}=$/, eventType: 'MESSAGE' },
    stageVariables: { table: 'clients' },
    body: '{"action":"echo","n":1}',
    isBase64Encoded: false
  })
  t.notOk('headers' in events[1]!)
  t.equal(await client.ask('no JSON'), 'no JSON')
  t.equal(events[2]!.requestContext.routeKey, '$default')
  client.ws.close(4_001, 'enough')
  await until('the end', () => events.length === 4)
  t.match(events[3], {
    headers: { Host: host, 'x-api-key': '' },
    requestContext: {
      ...context,
      connectionId,
      routeKey: '$disconnect',
      eventType: 'DISCONNECT',
      disconnectStatusCode: 4_001,
      disconnectReason: 'enough'
    },
    isBase64Encoded: false
  })
  t.match((await ask(port, '/v1/functions/hello/invocations')).body, 'succeeded', 'the end went through the queue')

  const metrics = (await ask(port, '/metrics')).body
  t.match(metrics, 'hearth_websocket_handshakes_total{result="accepted"} 1')
  t.match(metrics, 'hearth_websocket_messages_total{direction="in"} 2')
  t.match(metrics, 'hearth_websocket_messages_total{direction="out"} 2')
  t.match(metrics, 'hearth_websocket_connections{api="_other"} 0')
  t.match(
    metrics,
    /hearth_http_request_duration_seconds_count\{service="gateway",route="websocket",method="GET",code="101"\} 1/
  )
})

t.test('what the server says of a connection, or is of the request alone, no client says', async (t) => {
  const { port, events, host } = serve(shared)
  await connect(t, port, '/prod', {
    headers: {
      host,
      'X-Amzn-Tls-Version': 'TLSv1.3',
      'x-amzn-tls-cipher-suite': 'any',
      expect: '100-continue',
      te: 'trailers',
      'x-own': 'a'
    }
  })
  const names = Object.keys(events[0]!.headers!).map((name) => name.toLowerCase())
  t.ok(names.includes('x-own'))
  t.strictSame(
    names.filter((name) => /^(x-amzn-tls-.*|expect|te|upgrade|connection)$/.test(name)),
    []
  )
})

t.test('a route with a role invokes with the rights of that role, and not with those of the API', async (t) => {
  const gateway = await start(t)
  const make = (name: string, service: string, resource: string): string => {
    const roleId = `AROA${name.toUpperCase().padEnd(17, 'X')}`
    const statement = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }
    gateway.roles.create({
      name,
      path: '/',
      roleId,
      trust: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
      description: undefined,
      maxSessionS: 3_600,
      tags: {},
      boundary: undefined,
      createdAt: '2026-01-02T03:04:05.000Z',
      sessionsFrom: new Date(0).toISOString()
    } as unknown as Parameters<typeof gateway.roles.create>[0])
    const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: resource }]
    gateway.owned.putInline(roleId, 'p', JSON.stringify({ Version: '2012-10-17', Statement }))
    return `arn:aws:iam::000000000000:role/${name}`
  }
  const apis = 'apigateway.amazonaws.com'
  for (const credentialsArn of [
    make('stranger', 'lambda.amazonaws.com', ARN),
    make('poor', apis, `${ARN}-other`),
    'arn:aws:iam::000000000000:role/absent'
  ]) {
    const { host } = serve(gateway, { integration: { credentialsArn } })
    // The function's own policy would let the API in.
    t.match(await refusal(gateway.port, '/prod', { headers: { host } }), { status: 500 }, credentialsArn)
  }
  const { host } = serve(gateway, { integration: { credentialsArn: make('good', apis, ARN) } })
  gateway.policies.remove('hello', '')
  const client = await connect(t, gateway.port, '/prod', { headers: { host } })
  client.ws.send('hi')
  t.equal(await client.next(), 'hi')
})

t.test('messages choose their routes, and functions may answer', async (t) => {
  const back = { fn: 'hello', responseSelectionExpression: '$default' }
  const served = serve(shared, {
    selection: '${request.body.kind}/$request.body.to.name',
    routes: { $connect: back, $disconnect: back, $default: back, 'say/ann': back, 'say/7': 'hello', 'say/nobody': {} }
  })
  const { events, port, path } = served
  const client = await connect(t, port, path)
  const routeOf = async (data: string | Buffer) => {
    await client.ask(data)
    return events.at(-1)!.requestContext.routeKey
  }
  t.equal(await routeOf('{"kind":"say","to":{"name":"ann"}}'), 'say/ann')
  for (const other of [
    '{"kind":"say","to":{"name":"bob"}}',
    '{"kind":"say"}',
    '{"kind":"say","to":{"name":["ann"]}}',
    '{"kind":{},"to":{"name":"ann"}}',
    '[]',
    'null',
    '{"kind":'
  ]) {
    t.equal(await routeOf(other), '$default', other)
  }
  t.same(await client.ask(Buffer.from([0, 255, 1])), 'AP8B')
  t.match(events.at(-1), { body: 'AP8B', isBase64Encoded: true })
  t.same(
    await client.ask(Buffer.from('{"kind":"say","to":{"name":"ann"}}')),
    Buffer.from('{"kind":"say","to":{"name":"ann"}}').toString('base64')
  )
  t.equal(events.at(-1)!.requestContext.routeKey, '$default', 'what is binary is not looked into')

  served.answer = () => ({ statusCode: 200, body: 'AP8B', isBase64Encoded: true })
  t.same(await client.ask('x'), Buffer.from([0, 255, 1]))
  // A route without a response says nothing of what its function says; the next answer is that of the next message.
  client.ws.send('{"kind":"say","to":{"name":7}}')
  await until('the quiet one', () => events.at(-1)!.requestContext.routeKey === 'say/7')
  served.answer = () => ({ statusCode: 500, body: 'as it is' })
  t.equal(await client.ask('x'), 'as it is')

  const failure = { connectionId: served.connectionId, requestId: /^[\w-]{15}=$/ }
  const failing = async (answer: Answer, message = '"x"') => {
    served.answer = answer
    client.ws.send(message)
    return await client.nextJson()
  }
  const internal = { message: 'Internal server error', ...failure }
  t.match(await failing(() => null), internal)
  t.match(await failing(() => ({ body: 'no status' })), internal)
  t.match(await failing(() => ({ statusCode: 200, body: { no: 'text' } })), internal)
  t.match(await failing(() => ({ statusCode: 200, body: 'x'.repeat(131_073) })), internal)
  t.match(await failing(() => ({ statusCode: 200 }), '{"kind":"say","to":{"name":"nobody"}}'), internal)
  permit(shared, `${served.arn}/test/*`)
  const before = events.length
  t.match(await failing(() => ({ statusCode: 200 })), internal)
  t.equal(events.length, before, 'a function that does not let the API in is not run')
  permit(shared)
})

t.test('reserved routes are no client’s to choose; without a route a message is forbidden', async (t) => {
  const served = serve(shared, { routes: { $connect: 'hello', $disconnect: 'hello' } })
  const client = await connect(t, served.port, served.path)
  for (const message of ['{"action":"$connect"}', '{"action":"$disconnect"}', '{"action":"x"}', 'x']) {
    client.ws.send(message)
    t.match(await client.nextJson(), { message: 'Forbidden', connectionId: served.connectionId, requestId: String })
  }
  t.equal(served.events.length, 1)
})

t.test('rates of routes hold for messages and for handshakes', async (t) => {
  const back = { fn: 'hello', responseSelectionExpression: '$default' }
  const routes = { $connect: 'hello', $default: back, slow: back }
  const served = serve(shared, { routes, throttles: { slow: { rate: 0.001, burst: 1 } } })
  const client = await connect(t, served.port, served.path)
  t.ok(await client.ask('{"action":"slow"}'))
  client.ws.send('{"action":"slow"}')
  t.match(await client.nextJson(), { message: 'Too Many Requests', connectionId: served.connectionId })
  t.ok(await client.ask('{"action":"other"}'), 'the others have their own')
  const closed = serve(shared, { routes, throttles: { $connect: { rate: 0 } } })
  t.match(await refusal(closed.port, closed.path), { status: 429 })
})

t.test('the function of $connect lets clients in, or not', async (t) => {
  const served = serve(shared, { integration: { timeoutMs: 50 } })
  const { port, path } = served
  served.answer = () => ({
    statusCode: 200,
    headers: { 'Sec-WebSocket-Protocol': 'chat', 'bad name': 'x' }
  })
  const first = await connect(t, port, path, { protocols: ['other', 'chat'] })
  t.equal(first.ws.protocol, 'chat')
  served.answer = () => ({ statusCode: 204, headers: { 'x-room': '7', 'set-cookie': 'id=1', 'x-split': 'a\r\nb: c' } })
  const second = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  const [upgrade] = (await once(second, 'upgrade')) as [IncomingMessage]
  t.match(upgrade.headers, { 'x-room': '7', 'set-cookie': ['id=1'] })
  t.notOk('x-split' in upgrade.headers)
  second.terminate()
  served.answer = () => ({ statusCode: 200, headers: { 'sec-websocket-protocol': 'chat' } })
  const third = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['mine'])
  const [refused] = (await once(third, 'error')) as [Error]
  t.match(refused.message, /no subprotocol/, 'a client is given none but its own')

  served.answer = () => ({
    statusCode: 401,
    body: 'who?',
    headers: { 'content-type': 'text/plain', 'x-why': 'because' }
  })
  t.match(await refusal(port, path), {
    status: 401,
    body: 'who?',
    headers: { 'x-why': 'because', connection: 'close' }
  })
  const failed = {
    body: /^\{"message": "Internal server error", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}$/
  }
  served.answer = () => null
  t.match(await refusal(port, path), { ...failed, status: 502 })
  served.answer = () => ({})
  t.match(await refusal(port, path), { ...failed, status: 502 }, 'who says no status lets nobody in')
  served.answer = () => 'wait'
  t.match(await refusal(port, path), { status: 504, body: /Endpoint request timed out/ })
  permit(shared, `${served.arn}/*/other`)
  t.match(await refusal(port, path), { ...failed, status: 500 })
  permit(shared, `${served.arn}/prod/$connect`)
  served.answer = () => ({ statusCode: 200 })
  await connect(t, port, path)
  t.match((await ask(port, '/metrics')).body, 'hearth_websocket_handshakes_total{result="failed"} 4')
  permit(shared)
})

t.test('paths, hosts and domains lead to stages; everything else is refused, not left waiting', async (t) => {
  const served = serve(shared)
  const { port, host: own, id: API } = served
  const { apis } = shared
  const other = serve(shared, { stage: '$default', disableExecuteApiEndpoint: true })
  apis.putDomain({ name: 'chat.example', tags: {}, settings: [], createdAt: 0 })
  for (const [id, apiId, stage, key] of [
    ['m1', API, 'prod', ''],
    ['m2', other.id, '$default', 'v2/rooms']
  ] as const) {
    apis.putMapping({ id, domain: 'chat.example', apiId, stage, key })
  }
  const at = async (path: string, host?: string, api = served) => {
    const client = await connect(t, port, path, host === undefined ? {} : { headers: { host } })
    client.ws.close()
    const { apiId, stage, domainName } = api.of('CONNECT').at(-1)!.requestContext
    return [apiId, stage, domainName]
  }
  t.same(await at(`/api/${API}/prod`), [API, 'prod', '127.0.0.1'])
  t.same(await at(`/api/${API}/prod/?a=b`), [API, 'prod', '127.0.0.1'])
  t.same(await at('/prod', `${own}:${port}`), [API, 'prod', own])
  t.same(await at('/', 'chat.example'), [API, 'prod', 'chat.example'])
  t.same(await at('/v2/rooms', 'chat.example', other), [other.id, '$default', 'chat.example'])

  const forbidden = {
    status: 403,
    body: '{"message":"Forbidden"}',
    headers: { 'x-amzn-errortype': 'ForbiddenException' }
  }
  for (const [path, host] of [
    ['/test', own],
    ['/', own],
    ['/prod/further', own],
    ['/prod', '0000000000.lambda-url.localhost'],
    [`/api/${API}/test`, undefined],
    [`/api/${API}`, undefined],
    [`/api/${other.id}/$default`, undefined],
    ['/', other.host],
    ['/v2', 'chat.example']
  ] as const) {
    t.match(await refusal(port, path, host === undefined ? {} : { headers: { host } }), forbidden, `${host} ${path}`)
  }
  for (const path of ['/', '/v1/functions', '/api/0000000000/prod', '/fn/hello', '/metrics']) {
    t.match(await refusal(port, path), { status: 404, body: /no WebSocket API/ }, path)
  }
  // What is no handshake, at the API.
  const raw = async (...lines: string[]) => {
    const connection = await rawConnection(t, port)
    connection.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    await until('an answer and the end', () => connection.closed)
    return connection.received
  }
  const start = [`GET /api/${API}/prod HTTP/1.1`, 'host: x', 'connection: Upgrade', 'upgrade: websocket']
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
  const before = served.of('CONNECT').length
  t.match(await raw(...start), /^HTTP\/1.1 400 Bad Request\r\n/)
  t.match(await raw(...start, 'sec-websocket-key: short', 'sec-websocket-version: 13'), /^HTTP\/1.1 400 /)
  t.match(await raw(...start, key, 'sec-websocket-version: 12'), /^HTTP\/1.1 426 [^]*sec-websocket-version: 13/)
  t.match(await raw(...start, key, 'sec-websocket-version: 13', 'sec-websocket-protocol: a,,b'), /^HTTP\/1.1 400 /)
  t.equal(served.of('CONNECT').length, before, 'no function was run for these')
  // Messages that come in one packet with the handshake are not lost.
  const hasty = await rawConnection(t, port)
  const message = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
  const handshake = `${[...start, key, 'sec-websocket-version: 13'].join('\r\n')}\r\n\r\n`
  hasty.socket.write(Buffer.concat([Buffer.from(handshake), message, message]))
  await until('two answers', () => hasty.received.endsWith('\x81\x02hi\x81\x02hi'))
  const plain = await ask(port, '/prod', { headers: { host: own } })
  t.match(plain, { status: 403, body: '{"message":"Forbidden"}' }, 'a request that asks for no WebSocket')
  // Clients that would rather speak HTTP/2 are answered as if they had not said so.
  const h2c = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' }
  t.match(await ask(port, '/v1/functions/hello/invocations', { body: '{"a":1}', headers: h2c }), { status: 200 })
})

t.test('AWS_IAM: signatures in headers and links, keys, and what policies say', async (t) => {
  const served = serve(shared, { routes: { $connect: { fn: 'hello', authorization: 'AWS_IAM' }, $default: 'hello' } })
  const { port, path, arn } = served
  const { owned, users, keys } = shared
  const { accessKeyId } = ADMIN
  const headers = (service: string, secretAccessKey = SECRET) =>
    signed({ accessKeyId, secretAccessKey }, { method: 'GET', path, body: '', port, service })
  await connect(t, port, path, { headers: headers('execute-api') })
  const { identity } = served.events.at(-1)!.requestContext
  t.match(identity, { userArn: ADMIN.principal.arn, accessKey: accessKeyId, accountId: '000000000000' })
  t.notOk('authorization' in served.events.at(-1)!.headers!)
  await connect(t, port, path, { headers: { authorization: 'Bearer token-of-the-administrator' } })
  t.match(await refusal(port, path), { status: 403, body: /Missing Authentication Token/ })
  t.match(await refusal(port, path, { headers: headers('lambda') }), {
    status: 403,
    body: /correct service: 'execute-api'/
  })
  t.match(await refusal(port, path, { headers: headers('execute-api', 'x') }), { status: 403, body: /does not match/ })

  class Sha256 {
    readonly #hash
    constructor(secret?: unknown) {
      this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer)
    }
    update(data: unknown) {
      this.#hash.update(data as string)
    }
    async digest() {
      return this.#hash.digest()
    }
    reset() {
      throw new Error('not used')
    }
  }
  const signer = new SignatureV4({
    service: 'execute-api',
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: SECRET },
    sha256: Sha256
  })
  const { query } = await signer.presign(
    {
      method: 'GET',
      protocol: 'ws:',
      hostname: '127.0.0.1',
      port,
      path,
      headers: { host: `127.0.0.1:${port}` },
      query: { room: '1' }
    },
    { expiresIn: 60 }
  )
  await connect(t, port, `${path}?${new URLSearchParams(query as Record<string, string>).toString()}`)
  const { queryStringParameters } = served.events.at(-1) as unknown as { queryStringParameters: Record<string, string> }
  t.match(queryStringParameters, { room: '1', 'X-Amz-Expires': '60' })
  t.notOk('X-Amz-Signature' in queryStringParameters, 'the function cannot use the link')

  // A user with a key of her own.
  const token = 'token-of-ann'
  users.create({
    name: 'ann',
    path: '/',
    userId: 'AIDAANN',
    tags: {},
    boundary: undefined,
    createdAt: '2026-01-02T03:04:05.000Z'
  })
  keys.create({
    ...ADMIN,
    accessKeyId: 'AKIAANN0000000000000',
    tokenHash: createHash('sha256').update(token).digest('hex'),
    userName: 'ann',
    principal: {
      ...ADMIN.principal,
      arn: 'arn:aws:iam::000000000000:user/ann',
      userId: 'AIDAANN',
      keyId: 'AKIAANN0000000000000'
    }
  })
  const asAnn = { headers: { authorization: `Bearer ${token}` } }
  t.match(await refusal(port, path, asAnn), {
    status: 403,
    body: /user\/ann is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:000000000000:api\d+\/prod\/\$connect/
  })
  const allow = (Action: string, Resource: string) =>
    owned.putInline(
      'AIDAANN',
      'use',
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })
    )
  allow('execute-api:Invoke', `${arn}/prod/$connect`)
  const ann = await connect(t, port, path, asAnn)
  const url = `${path}/@connections/${encodeURIComponent(served.connectionId)}`
  const post = async () => (await ask(port, url, { body: 'hi', auth: false, headers: asAnn.headers })).status
  t.equal(await post(), 403)
  allow('execute-api:ManageConnections', `${arn}/prod/POST/@connections/*`)
  t.equal(await post(), 200)
  t.equal(await ann.next(), 'hi')
  t.equal((await ask(port, url, { method: 'DELETE', auth: false, headers: asAnn.headers })).status, 403)
})

t.test('functions and others write to clients, look at them and close them, with AWS’s client', async (t) => {
  const served = serve(shared)
  const { port, path, host: own } = served
  const client = await connect(t, port, path)
  const ConnectionId = served.connectionId
  const credentials = { accessKeyId: ADMIN.accessKeyId, secretAccessKey: SECRET }
  for (const endpoint of [`http://127.0.0.1:${port}${path}`, `http://127.0.0.1:${port}`]) {
    const api = new ApiGatewayManagementApiClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
    await api.send(new PostToConnectionCommand({ ConnectionId, Data: 'text ü' }))
    t.equal(await client.next(), 'text ü')
    await api.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from([0, 255]) }))
    t.same(await client.next(), Buffer.from([0, 255]))
    const found = await api.send(new GetConnectionCommand({ ConnectionId }))
    t.match(found, { ConnectedAt: Date, LastActiveAt: Date, Identity: { SourceIp: '127.0.0.1' } })
    const gone = api.send(new PostToConnectionCommand({ ConnectionId: 'AAAAAAAAAAAAAAA=', Data: 'x' }))
    await t.rejects(gone, { name: 'GoneException', $metadata: { httpStatusCode: 410 } })
    const large = api.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.alloc(131_073, 'x') }))
    await t.rejects(large, { name: 'PayloadTooLargeException', $metadata: { httpStatusCode: 413 } })
    await api.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.alloc(131_072, 'x') }))
    t.equal((await client.next()).length, 131_072)
    api.destroy()
  }
  const id = encodeURIComponent(ConnectionId)
  const byHost = { headers: { host: `${own}:${port}` } }
  t.equal((await ask(port, `/prod/@connections/${id}`, { ...byHost, body: 'by host' })).status, 200)
  t.equal(await client.next(), 'by host')
  t.equal((await ask(port, `/prod/@connections/${ConnectionId}`, byHost)).status, 200, 'an id as it is')
  const other = serve(shared)
  t.equal((await ask(port, `${other.path}/@connections/${id}`, { body: 'x' })).status, 410, 'of another API')
  t.equal((await ask(port, `/@connections/${id}`, { body: 'x', auth: false })).status, 403)
  t.equal((await ask(port, `/@connections/${id}`, { body: 'x', method: 'PUT' })).status, 405)
  t.match(await ask(port, '/@connections/..%2fx', { body: 'x' }), {
    status: 400,
    headers: { 'x-amzn-errortype': 'BadRequestException' }
  })
  const closed = await ask(port, `${path}/@connections/${id}`, { method: 'DELETE' })
  t.match(closed, { status: 204, body: '' })
  t.match(await client.closed, { code: 1_000 })
  await until('its end', () => served.events.at(-1)!.requestContext.routeKey === '$disconnect')
  t.equal((await ask(port, `/@connections/${id}`)).status, 410)
})

t.test('a client is kept to AWS’s limits', async (t) => {
  const served = serve(shared)
  const { port, path } = served
  const closing = async (act: (client: Client) => void) => {
    const client = await connect(t, port, path)
    act(client)
    return (await client.closed).code
  }
  const fragments = (ws: Client['ws'], count: number, bytes: number) => {
    for (let i = 0; i < count; i++) ws.send('x'.repeat(bytes), { fin: i === count - 1 })
  }
  const whole = await connect(t, port, path)
  fragments(whole.ws, 4, 32_768)
  t.equal((await whole.next()).length, 131_072, '128 KB in frames of 32 KB')
  t.equal(await closing(({ ws }) => fragments(ws, 5, 32_768)), 1_009)
  t.equal(await closing(({ ws }) => ws.send('x'.repeat(32_769))), 1_009)
  t.equal(await closing(({ ws }) => ws.send('x'.repeat(131_073))), 1_009)
  t.equal(await closing(({ ws }) => fragments(ws, 1_025, 1)), 1_008)
  const raw = (ws: Client['ws'], bytes: number[]) =>
    (ws as unknown as { _socket: { write(data: Buffer): void } })._socket.write(Buffer.from(bytes))
  t.equal(await closing(({ ws }) => raw(ws, [0x81, 0x01, 0x61])), 1_002, 'not masked')
  t.equal(await closing(({ ws }) => raw(ws, [0xc1, 0x80, 0, 0, 0, 0])), 1_002, 'compressed')
  t.equal(await closing(({ ws }) => raw(ws, [0x81, 0x81, 0, 0, 0, 0, 0xff])), 1_007, 'no UTF-8')
  t.equal(
    await closing(({ ws }) => raw(ws, [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    1_009,
    'an absurd length'
  )
  const ends = () => served.of('DISCONNECT')
  await until('all ends', () => ends().length === 8)
  const codes = ends().map(({ requestContext: r }) => r['disconnectStatusCode'] as number)
  t.same(codes.sort(), [1_002, 1_002, 1_007, 1_008, 1_009, 1_009, 1_009, 1_009])
})

t.test('a client that is faster than its functions, or does not read, waits', async (t) => {
  const served = serve(shared)
  const { port, path } = served
  const { executor, gateway } = shared
  let socket: Socket | undefined
  gateway.server.once('connection', (opened: Socket) => {
    socket = opened
  })
  const client = await connect(t, port, path)
  const ConnectionId = served.connectionId
  served.answer = () => 'wait'
  const count = 400
  const text = 'x'.repeat(16_384)
  for (let i = 0; i < count; i++) client.ws.send(text)
  await until('sixteen at a time', () => executor.waiting.size === 16)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(executor.waiting.size, 16)
  t.ok(socket!.bytesRead < 1_048_576, 'the rest is not read')
  let done = 0
  while (done < count) {
    await until('more', () => executor.waiting.size > 0)
    for (const invocation of [...executor.waiting]) {
      executor.waiting.delete(invocation)
      invocation.settle(outcome('{"statusCode":200}'))
      done += 1
    }
    t.ok(executor.waiting.size <= 16)
  }
  await until('all of them were run', () => served.events.length === count + 1)

  // It stops to read: what is sent to it is refused when half a megabyte waits.
  client.ws.pause()
  const url = `/@connections/${encodeURIComponent(ConnectionId)}`
  const statuses: number[] = []
  for (let i = 0; i < 400 && !statuses.includes(429); i++) {
    const { status, headers } = await ask(port, url, { body: Buffer.alloc(131_072, 'x') })
    statuses.push(status)
    if (status === 429) t.equal(headers['x-amzn-errortype'], 'LimitExceededException')
  }
  t.equal(statuses.at(-1), 429)
  client.ws.resume()

  // A thousand wait for one client, whatever comes in one piece.
  served.answer = () => ({ statusCode: 200 })
  const flood = await connect(t, port, path)
  served.answer = () => 'wait'
  const small = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])
  const { _socket: raw } = flood.ws as unknown as { _socket: { write(data: Buffer): void } }
  raw.write(Buffer.concat(Array<Buffer>(5_000).fill(small)))
  t.match(await flood.closed, { code: 1_013 })
})

t.test('a client that reads nothing for a minute is cut off; one that reads late is not', async (t) => {
  const clock = testClock()
  const gateway = await start(t, { clock })
  const served = serve(gateway)
  const { port, path } = served
  const fill = async (connectionId: string) => {
    const post = () =>
      ask(port, `/@connections/${encodeURIComponent(connectionId)}`, { body: Buffer.alloc(131_072, 'x') })
    for (let i = 0; i < 400; i++) if ((await post()).status === 429) return i
    throw new Error('it still takes more')
  }
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i += 5) clock.pass(5_000)
  }
  const isThere = async (id: string) => (await ask(port, `/@connections/${encodeURIComponent(id)}`)).status
  const late = await connect(t, port, path)
  const lateId = served.connectionId
  const stuck = await connect(t, port, path)
  const stuckId = served.connectionId
  for (const client of [late, stuck]) client.ws.pause()
  const sent = await fill(lateId)
  await fill(stuckId)
  pass(55)
  t.equal(await isThere(stuckId), 200, 'a minute is not over')
  late.ws.resume()
  for (let i = 0; i < sent; i++) await late.next()
  pass(15)
  t.equal(await isThere(stuckId), 410)
  t.equal(await isThere(lateId), 200)
  stuck.ws.resume()
  t.match(await stuck.closed, { code: 1_006 })
})

t.test('connections end when they are idle, old, or their stage is gone; there is room for so many', async (t) => {
  const clock = testClock()
  const gateway = await start(t, { clock, webSocketConnections: 2 })
  const { port, path, id } = serve(gateway)
  const idle = await connect(t, port, path)
  const busy = await connect(t, port, path)
  t.match(await refusal(port, path), { status: 503, headers: { 'retry-after': '5' } })
  const passBusily = async (ms = 590_000) => {
    clock.pass(ms)
    busy.ws.ping()
    await once(busy.ws, 'pong')
  }
  await passBusily()
  await passBusily(11_000)
  t.match(await idle.closed, { code: 1_001, reason: 'Going away' })
  t.equal(busy.ws.readyState, busy.ws.OPEN)
  for (let i = 0; i < 11; i++) await passBusily()
  t.equal(busy.ws.readyState, busy.ws.OPEN)
  clock.pass(110_000)
  t.match(await busy.closed, { code: 1_001 }, 'old')
  const last = await connect(t, port, path)
  gateway.apis.remove(id)
  await until('it is noticed', () => {
    clock.pass(5_000)
    return last.ws.readyState === last.ws.CLOSED
  })
  t.match(await last.closed, { code: 1_001 })
})

t.test(
  'a stopping server lets messages be answered, then sends clients away; their functions hear of it later',
  async (t) => {
    const harness = await start(t)
    const { gateway, executor, dataDir } = harness
    const served = serve(harness)
    const { port, path } = served
    const waiting = await connect(t, port, path)
    const idle = await connect(t, port, path)
    served.answer = () => 'wait'
    waiting.ws.send('{"action":"echo"}')
    await until('it runs', () => executor.waiting.size === 1)
    const stopped = gateway.stop()
    t.match(await idle.closed, { code: 1_001 })
    const [running] = executor.waiting
    executor.waiting.delete(running!)
    running!.settle(outcome('{"statusCode":200,"body":"late"}'))
    t.equal(await waiting.next(), 'late')
    t.match(await waiting.closed, { code: 1_001 })
    await stopped
    const { openEventQueue } = await import('@hearth/store')
    const queue = await openEventQueue({ file: `${dataDir}/queue.db`, migrationsDir: 'migrations/queue' })
    const { events } = await queue.claim('hello', Date.now(), 10)
    await queue.close()
    t.match(
      events.map(({ payload }) => (JSON.parse(payload.toString()) as SocketEvent).requestContext),
      [
        { routeKey: '$disconnect', disconnectStatusCode: 1_001 },
        { routeKey: '$disconnect', disconnectStatusCode: 1_001 }
      ]
    )
  }
)

t.test('until the database is there, clients are sent away', async (t) => {
  const { port } = await startGateway(t, { attached: false })
  t.match(await refusal(port), { status: 503 })
  const connection = await rawConnection(t, port)
  connection.socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  await once(connection.socket, 'close')
  t.match(connection.received, /^HTTP\/1.1 503/)
})
