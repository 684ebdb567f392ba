// Traces from their senders, by every way to a function of a real server, to a receiver of OTLP.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { InvokeCommand, LambdaClient, PutFunctionEventInvokeConfigCommand } from '@aws-sdk/client-lambda'
import t, { type Test } from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'
import { type ReceivedSpan, startCollector } from '../helpers/otlp.ts'
import { connect } from '../helpers/sockets.ts'

const SOURCE = `export const handler = async (event) => ({
  env: process.env._X_AMZN_TRACE_ID,
  traceparent: event.headers?.traceparent,
  came: event.requestContext?.condition
})`

/** Says what it was told of the trace, to its caller and in its log. */
const SEEN = `export const handler = async (event) => {
  const saw = JSON.stringify({ env: process.env._X_AMZN_TRACE_ID, traceparent: event.headers?.traceparent })
  console.log('saw ' + saw)
  if (event.fails) throw new Error('no luck')
  return { statusCode: 200, statusDescription: '200 OK', headers: { 'content-type': 'text/plain' }, body: saw }
}`

t.setTimeout(240_000)
const collector = await startCollector()
t.teardown(() => collector.close())
const hearth = await startHearth({
  env: {
    HEARTH_LOG_LEVEL: 'info',
    HEARTH_TRACE_SAMPLE: '0',
    HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20otlp-secret',
    OTEL_SERVICE_NAME: 'faas',
    OTEL_LOGS_EXPORTER: 'none'
  }
})
t.teardown(() => hearth.stop())

t.test('one trace from a client to the destination of its event', { timeout: 110_000 }, async (t) => {
  const { accessKeyId, secretAccessKey } = hearth
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey }
  })
  t.teardown(() => {
    client.destroy()
  })
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }]
  const policies = { tell: { Version: '2012-10-17', Statement } }
  t.ok((await hearth.request('/v1/roles/tell', { method: 'PUT', body: JSON.stringify({ policies }) })).ok)
  const role = 'role=arn:aws:iam::000000000000:role/tell'
  for (const name of ['first', 'second']) t.ok((await hearth.deploy(`${name}.mjs`, SOURCE, role)).ok)

  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const parentId = '00f067aa0ba902b7'
  const headers = { traceparent: `00-${traceId}-${parentId}-01` }
  const seen = (await (await hearth.request('/fn/first', { headers })).json()) as Record<string, string>
  const spanId = /^Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=([0-9a-f]{16});Sampled=1/.exec(seen['env']!)?.[1]
  t.equal(seen['traceparent'], `00-${traceId}-${spanId}-01`)
  await eventually(() => Promise.resolve(collector.named('execute').length === 1))
  t.match(collector.named('execute')[0], { traceId, spanId })
  t.match(collector.named('invoke first')[0], {
    parentSpanId: parentId,
    attributes: { 'faas.trigger': 'http', 'faas.coldstart': true },
    resource: { 'service.name': 'faas' }
  })

  const Destination = 'arn:aws:lambda:us-east-1:000000000000:function:second'
  await client.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: 'first',
      DestinationConfig: { OnSuccess: { Destination } }
    })
  )
  // As the client does inside of a function whose header says so.
  const root = '1-5759e988-bd862e3fe1be46a994272793'
  const invoke = new InvokeCommand({ FunctionName: 'first', InvocationType: 'Event', Payload: '{}' })
  invoke.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['X-Amzn-Trace-Id'] = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`
      return next(args)
    },
    { step: 'build' }
  )
  t.equal((await client.send(invoke)).StatusCode, 202)
  await eventually(() => Promise.resolve(collector.named('invoke second').length === 1))
  const named = (name: string) =>
    collector.named(name).filter((span) => span.traceId === root.slice(2).replace('-', ''))
  const [send] = named('send first')
  const [first] = named('invoke first')
  const [second] = named('invoke second')
  const [ran] = named('execute').filter(({ parentSpanId }) => parentSpanId === first!.spanId)
  t.equal(send!.parentSpanId, '53995c3f42cd8ad8')
  t.match(first, { kind: 5, parentSpanId: send!.spanId })
  t.match(second, { kind: 5, parentSpanId: ran!.spanId, attributes: { 'faas.name': 'second' } })
})

let number = 0
/** A sender's context, another one each time, in both ways to say it. */
function context(flags = '01') {
  number += 1
  const traceId = `4bf92f3577b34da6a3ce929d0e1e${String(number).padStart(4, '0')}`
  const parentId = `00f067aa0ba8${String(number).padStart(4, '0')}`
  const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
  return {
    traceId,
    parentId,
    w3c: { traceparent: `00-${traceId}-${parentId}-${flags}` },
    aws: { 'x-amzn-trace-id': `Root=${root};Parent=${parentId};Sampled=${Number(flags)}` }
  }
}

interface Saw {
  readonly env: string
  readonly traceparent?: string
}

/** The function's own spans hang below this one, which hangs below that of the call. @returns the call's */
async function callOf(t: Test, name: string, { env }: Saw, traceId?: string): Promise<ReceivedSpan> {
  const [, time, rest, spanId] =
    /^Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=[01]/.exec(env) ?? []
  if (traceId !== undefined) t.equal(`${time}${rest}`, traceId)
  return await eventually(() => {
    const execute = collector.named('execute').find((span) => span.spanId === spanId)
    return collector.named(`invoke ${name}`).find((span) => span.spanId === execute?.parentSpanId)
  })
}

/** What functions wrote that they saw of a trace. */
async function sawOf(name: string, traceId: string): Promise<Saw> {
  const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
  return await eventually(async () => {
    const log = await (await hearth.request(`/v1/functions/${name}/logs?limit=10000`)).text()
    const line = log.split('\n').find((line) => line.includes('saw ') && line.includes(root))
    return line === undefined
      ? undefined
      : (JSON.parse((JSON.parse(line) as { msg: string }).msg.split('saw ')[1]!) as Saw)
  }, 30_000)
}

const json = (method: string, body: unknown) => ({ method, body: JSON.stringify(body) })

t.test('whichever way a call comes', async (t) => {
  t.ok((await hearth.deploy('seen.mjs', SEEN)).ok)
  const made = async (path: string, body: object) => {
    const answer = await hearth.request(path, json('PUT', body))
    const text = await answer.text()
    t.equal(answer.status, 201, text)
    return JSON.parse(text) as { readonly url: string; readonly pathUrl: string; readonly urls: string[] }
  }
  const url = await made('/v1/functions/seen/url', { authType: 'NONE' })
  const balancer = await made('/v1/triggers/load-balancer/web', { function: 'seen' })
  const api = await made('/v1/triggers/http/shop', { function: 'seen' })
  const byPath = (urls: readonly string[]) => urls.find((one) => one.includes('127.0.0.1'))!
  const ways: readonly (readonly [string, string])[] = [
    ['the server', `${hearth.url}/fn/seen`],
    ['a function URL', url.pathUrl],
    ['a load balancer', balancer.url],
    ['an HTTP API', byPath(api.urls)]
  ]
  // Spans come once a second: all calls first.
  const authorization = `Bearer ${hearth.token}`
  const calls = ways.flatMap(([way, target]) =>
    (['w3c', 'aws'] as const).map(async (kind) => {
      const sent = context()
      const headers = { ...sent[kind], ...(way === 'the server' ? { authorization } : {}) }
      const answer = await fetch(target, { headers })
      t.equal(answer.status, 200, way)
      return { ...sent, name: `${way}, ${kind}`, saw: (await answer.json()) as Saw }
    })
  )
  for (const { name, traceId, parentId, saw } of await Promise.all(calls)) {
    const call = await callOf(t, 'seen', saw, traceId)
    t.match(call, { parentSpanId: parentId, kind: 2, attributes: { 'faas.trigger': 'http' } }, name)
    t.match(saw.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`), 'in its event too')
  }

  const streamed = context()
  const stream = { method: 'POST', headers: streamed.aws, body: '{}' }
  const answer = await hearth.request('/2021-11-15/functions/seen/response-streaming-invocations', stream)
  t.equal(answer.status, 200)
  await answer.arrayBuffer()
  const call = await callOf(t, 'seen', await sawOf('seen', streamed.traceId), streamed.traceId)
  t.equal(call.parentSpanId, streamed.parentId)

  const sockets = await made('/v1/triggers/websocket/chat', {
    routes: { $connect: 'seen', $default: { function: 'seen', reply: true } }
  })
  const connected = context()
  const at = new URL(sockets.urls.find((one) => one.includes('127.0.0.1'))!).pathname
  const client = await connect(t, hearth.ports.gateway, at, { headers: connected.w3c })
  const first = await callOf(t, 'seen', await sawOf('seen', connected.traceId), connected.traceId)
  t.equal(first.parentSpanId, connected.parentId)
  const reply = JSON.parse(String(await client.ask('hi'))) as Saw
  t.notMatch(reply.env, connected.traceId.slice(8), 'a message is a trace of its own')
})

t.test('whichever way an event comes, and where it goes', async (t) => {
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }]
  const policies = { tell: { Version: '2012-10-17', Statement } }
  t.ok((await hearth.request('/v1/roles/tell', json('PUT', { policies }))).ok)
  const role = 'role=arn:aws:iam::000000000000:role/tell'
  for (const name of ['hooked', 'ruled', 'timed', 'dead']) t.ok((await hearth.deploy(`${name}.mjs`, SEEN)).ok)
  t.ok((await hearth.deploy('fails.mjs', SEEN, role)).ok)

  const put = await hearth.request(
    '/v1/triggers/webhook/repo',
    json('PUT', { function: 'hooked', verification: { scheme: 'none' } })
  )
  const hook = (await put.json()) as { url: string }
  for (const kind of ['w3c', 'aws'] as const) {
    const sent = context()
    t.equal((await fetch(hook.url, { method: 'POST', body: '{}', headers: sent[kind] })).status, 202)
    const call = await callOf(t, 'hooked', await sawOf('hooked', sent.traceId), sent.traceId)
    t.match(
      call,
      { kind: 5, parentSpanId: sent.parentId, attributes: { 'faas.trigger': 'http' } },
      `a webhook, ${kind}`
    )
  }

  const { accessKeyId, secretAccessKey } = hearth
  const events = new EventBridgeClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey }
  })
  t.teardown(() => {
    events.destroy()
  })
  t.ok((await hearth.request('/', target('CreateEventBus', { Name: 'shop' }))).ok)
  const pattern = { source: ['shop'] }
  t.ok((await hearth.request('/v1/triggers/event/placed', json('PUT', { function: 'ruled', bus: 'shop', pattern }))).ok)
  const entry = { EventBusName: 'shop', Source: 'shop', DetailType: 'Order', Detail: '{}' }
  const own = context()
  const TraceHeader = own.aws['x-amzn-trace-id']
  t.match(await events.send(new PutEventsCommand({ Entries: [{ ...entry, TraceHeader }] })), { FailedEntryCount: 0 })
  const outer = context()
  const posted = await hearth.request('/', target('PutEvents', { Entries: [entry] }, outer.w3c))
  t.equal(posted.status, 200)
  for (const sent of [own, outer]) {
    const call = await callOf(t, 'ruled', await sawOf('ruled', sent.traceId), sent.traceId)
    t.match(call, { kind: 5, parentSpanId: sent.parentId, attributes: { 'faas.trigger': 'pubsub' } }, 'a custom bus')
  }

  // Nobody asked for this one: a schedule's call is kept as it begins an instance.
  t.ok(
    (
      await hearth.request(
        '/v1/triggers/schedule/soon',
        json('PUT', { function: 'timed', expression: 'rate(1 minute)' })
      )
    ).ok
  )
  t.ok((await hearth.request('/v1/triggers/schedule/soon/test', { method: 'POST' })).ok)
  const timed = await eventually(() => collector.named('invoke timed')[0], 70_000)
  t.match(timed, { parentSpanId: undefined, attributes: { 'faas.coldstart': true } })

  const told: string[] = []
  const receiver = createServer((req, res) => {
    told.push(String(req.headers['traceparent']))
    res.writeHead(204).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  t.teardown(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const webhook = { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` }
  const patch = { deadLetterTarget: 'arn:aws:lambda:us-east-1:000000000000:function:dead' }
  t.ok((await hearth.request('/v1/functions/fails', json('PATCH', patch))).ok)
  const config = { maximumRetryAttempts: 0, onFailure: { webhook } }
  const set = await hearth.request('/v1/functions/fails/event-invoke-config', json('PUT', config))
  t.ok(set.ok, await set.text())
  const sent = context('00')
  const headers = { ...sent.w3c, prefer: 'respond-async' }
  t.equal((await hearth.invoke('fails', { fails: true }, headers)).status, 202)
  const failed = await callOf(t, 'fails', await sawOf('fails', sent.traceId), sent.traceId)
  t.match(failed, { kind: 5, status: { code: 2 } }, 'kept, though its sender wanted none')
  t.equal(failed.flags & 1, 0)
  const ran = collector.named('execute').find(({ parentSpanId }) => parentSpanId === failed.spanId)!
  await eventually(() => told.length > 0)
  t.strictSame(told, [`00-${sent.traceId}-${ran.spanId}-00`])
  const dead = await callOf(t, 'dead', await sawOf('dead', sent.traceId), sent.traceId)
  t.match(dead, { kind: 5, parentSpanId: ran.spanId, attributes: { 'faas.coldstart': true } })

  // Warm, and without an error: as was decided.
  const quiet = context('00')
  t.equal((await hearth.invoke('seen', {}, quiet.w3c)).status, 200)
  const loud = context()
  t.equal((await hearth.invoke('seen', {}, loud.w3c)).status, 200)
  await callOf(t, 'seen', await sawOf('seen', loud.traceId), loud.traceId)
  t.notOk(collector.spans.some(({ traceId }) => traceId === quiet.traceId))
})

/** A request of AWS's JSON protocol for events. */
const target = (operation: string, body: object, headers: Record<string, string> = {}) => ({
  ...json('POST', body),
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSEvents.${operation}`, ...headers }
})

t.test('what waits when the server stops is sent', async (t) => {
  const before = collector.named('invoke second').length
  const { status } = await hearth.request('/fn/second', { headers: context().w3c })
  t.equal(status, 200)
  await hearth.stop()
  t.equal(collector.named('invoke second').length, before + 1)
  t.strictSame(collector.faults, [])
  t.ok(collector.requests.every(({ headers }) => headers.authorization === 'Bearer otlp-secret'))
  t.match(hearth.output(), '"headers":{"authorization":"[set]"}')
  t.notMatch(hearth.output(), 'otlp-secret')
})
