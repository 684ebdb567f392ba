// Traces from their senders through functions to a receiver of spans.
import { randomUUID } from 'node:crypto'
import { createTraceExport } from '@hearth/gateway'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { type Collector, type ReceivedSpan, startCollector } from '../helpers/otlp.ts'
import { publish } from '../helpers/sockets.ts'
import { isShown, testClock } from './events.ts'
import { ask, type HarnessOptions, outcome, record, startGateway, until } from './harness.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const AWS = (name: string): string => `/2015-03-31/functions/${name}/invocations`
const EVENT = { 'x-amz-invocation-type': 'Event' }
const FAILURE = outcome('{"errorType":"Error","errorMessage":"no luck"}', { status: 'error', errorType: 'Error' })
const SERVER = 2
const PRODUCER = 4
const CONSUMER = 5

interface Seen {
  readonly fn: string
  readonly header: string
  readonly event: Record<string, unknown> & { readonly headers?: Record<string, string> }
}

/** A gateway whose spans go to a collector. What functions see is noted. */
async function start(t: Test, sample: number, options: HarnessOptions = {}) {
  const collector = await startCollector()
  const warnings: unknown[] = []
  const log = { info() {}, warn: (facts: unknown) => warnings.push(facts), error() {}, fatal() {} }
  const gateway = await startGateway(t, {
    ...options,
    tracing(metrics) {
      const config = {
        endpoint: `${collector.url}/v1/traces`,
        headers: { authorization: 'Bearer secret' },
        sample,
        slowMs: 1_000,
        serviceName: 'faas',
        resource: { 'deployment.environment.name': 'test' }
      }
      const scope = { region: 'us-east-1', accountId: '000000000000' }
      const instanceId = randomUUID()
      const limits = { delayMs: 5 }
      const options = { config, scope, version: '1.2.3', instanceId, counts: metrics.spans, log: log as never, limits }
      return { ...config, ...createTraceExport(options) }
    }
  })
  t.teardown(() => collector.close())
  const seen: Seen[] = []
  const behaviours: Record<string, () => ReturnType<typeof outcome>> = {}
  gateway.executor.behaviour = ({ traceId, payload }, { name }) => {
    const event = payload.length === 0 ? {} : (JSON.parse(payload.toString()) as Seen['event'])
    seen.push({ fn: name, header: traceId, event })
    return behaviours[name]?.() ?? outcome('null')
  }
  return { gateway, port: gateway.port, collector, seen, behaviours, warnings }
}

async function spansNamed(collector: Collector, name: string, count = 1): Promise<readonly ReceivedSpan[]> {
  await until(`${count} × ${name}`, () => collector.faults.length > 0 || collector.named(name).length >= count)
  t.strictSame(collector.faults, [], 'all that came is OTLP')
  t.equal(collector.named(name).length, count, name)
  return collector.named(name)
}

const HEADER = /^Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(;Lineage=1:.*)?$/

function parse(header: string): { readonly traceId: string; readonly spanId: string; readonly sampled: string } {
  const [, time, rest, spanId = '', sampled = ''] = HEADER.exec(header) ?? []
  t.ok(time, header)
  return { traceId: `${time}${rest}`, spanId, sampled }
}

let number = 0
/** A sender's context, another one each time. */
function context(flags = '01') {
  number += 1
  const traceId = `4bf92f3577b34da6a3ce929d0e0e${String(number).padStart(4, '0')}`
  const parentId = `00f067aa0ba9${String(number).padStart(4, '0')}`
  const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
  return { traceId, parentId, root, traceparent: `00-${traceId}-${parentId}-${flags}` }
}

t.test('a call is one span with its phases, in its sender’s trace', async (t) => {
  const { port, collector, seen, behaviours } = await start(t, 0)
  const sent = context()
  const phases = { queueMs: 2, sandboxMs: 30, initMs: 40, executeMs: 50 }
  behaviours['hello'] = () => outcome('null', { cold: true, phases })
  const before = Date.now()
  const answer = await ask(port, AWS('hello'), {
    body: '{}',
    headers: { traceparent: sent.traceparent, tracestate: 'vendor=a,b=c', 'x-amzn-trace-id': 'Root=1-x' }
  })
  const [invoke] = await spansNamed(collector, 'invoke hello')
  const saw = parse(seen[0]!.header)
  t.equal(answer.headers['x-amzn-trace-id'], seen[0]!.header)
  t.match(invoke, {
    traceId: sent.traceId,
    parentSpanId: sent.parentId,
    traceState: 'vendor=a,b=c',
    // Sampled; the parent is on another machine.
    flags: 0x301,
    kind: SERVER,
    status: undefined,
    links: [],
    attributes: {
      'faas.name': 'hello',
      'faas.version': '$LATEST',
      'faas.invocation_id': answer.headers['x-amzn-requestid'],
      'faas.coldstart': true,
      'faas.trigger': 'other',
      'faas.max_memory': 134_217_728n,
      'cloud.resource_id': `${ARN}:hello:$LATEST`,
      'aws.lambda.invoked_arn': `${ARN}:hello`,
      'hearth.outcome': 'ok',
      'hearth.billed_duration_ms': 2n,
      'hearth.memory_used_mib': 40n
    },
    resource: {
      'service.name': 'faas',
      'service.version': '1.2.3',
      'cloud.region': 'us-east-1',
      'deployment.environment.name': 'test'
    }
  })
  const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === invoke!.spanId)
  t.strictSame(
    children.map(({ name }) => name),
    ['queue', 'sandbox', 'init', 'execute']
  )
  t.ok(children.every(({ traceId, flags, kind }) => traceId === sent.traceId && flags === 0x101 && kind === 1))
  const ids = new Set(collector.spans.map(({ spanId }) => spanId))
  t.equal(ids.size, 5)
  t.strictSame(saw, { traceId: sent.traceId, spanId: children[3]!.spanId, sampled: '1' }, 'its own spans hang there')
  const micros = ({ startTimeUnixNano: from, endTimeUnixNano: to }: ReceivedSpan) =>
    Number((BigInt(to) - BigInt(from)) / 1_000n)
  t.strictSame(
    children.map(micros).map((us) => Math.round(us / 100)),
    [20, 300, 400, 500]
  )
  t.equal(children[3]!.endTimeUnixNano, invoke!.endTimeUnixNano)
  const endedAt = Number(BigInt(invoke!.endTimeUnixNano) / 1_000_000n)
  t.ok(endedAt >= before - 2 && endedAt <= Date.now() + 2, 'in the machine’s time')
  t.match(collector.requests[0], { path: '/v1/traces', headers: { authorization: 'Bearer secret' } })
})

t.test('what is kept: what was sampled, failed, began an instance or was slow', async (t) => {
  const { port, collector, seen, behaviours } = await start(t, 0)
  const call = (headers = {}) => ask(port, AWS('hello'), { body: '{}', headers })
  const plain = (await call()).headers['x-amzn-requestid']
  t.match(seen[0]!.header, /;Sampled=0;/)
  const decided = (await call({ 'x-amzn-trace-id': `Root=${context().root};Parent=53995c3f42cd8ad8;Sampled=1` }))
    .headers
  const unsampled = (await call({ traceparent: context('00').traceparent })).headers['x-amzn-requestid']
  behaviours['hello'] = () => outcome('null', { cold: true })
  const cold = (await call({ traceparent: context('00').traceparent })).headers['x-amzn-requestid']
  behaviours['hello'] = () => outcome('null', { phases: { queueMs: 600, sandboxMs: 0, initMs: 0, executeMs: 500 } })
  const slow = (await call()).headers['x-amzn-requestid']
  behaviours['hello'] = () => FAILURE
  const failed = (await call()).headers['x-amzn-requestid']
  behaviours['hello'] = () => outcome('', { status: 'throttled', errorType: 'function' })
  const throttled = (await call()).headers['x-amzn-requestid']
  const spans = await spansNamed(collector, 'invoke hello', 5)
  const of = (id: unknown) => spans.find(({ attributes }) => attributes['faas.invocation_id'] === id)
  t.equal(of(plain), undefined)
  t.equal(of(unsampled), undefined, 'its sender decided')
  t.match(of(decided['x-amzn-requestid']), { parentSpanId: '53995c3f42cd8ad8', flags: 0x301 })
  t.match(of(cold), { flags: 0x300, attributes: { 'faas.coldstart': true } }, 'but a cold start is kept')
  t.match(of(slow), { flags: 0, parentSpanId: undefined })
  t.match(of(failed), { status: { code: 2, message: 'Error' }, attributes: { 'error.type': 'Error' } })
  t.match(of(throttled), { status: { code: 2 }, attributes: { 'hearth.outcome': 'throttled' } })
  const under = (id: unknown) =>
    collector.spans.filter(({ parentSpanId }) => parentSpanId === of(id)!.spanId).map(({ name }) => name)
  t.strictSame(under(throttled), ['queue'])
  t.strictSame(under(failed), ['queue', 'execute'])
  const metrics = (await ask(port, '/metrics')).body
  t.match(metrics, /hearth_trace_spans_exported_total \d+\n/)
  t.match(metrics, 'hearth_trace_spans_dropped_total{reason="full"} 0')
})

t.test('one trace through an event, its retry, its destination, and a bus', async (t) => {
  const clock = testClock()
  const { gateway, port, collector, seen, behaviours } = await start(t, 0, {
    clock,
    functions: ['hello', 'next', 'ruled'].map((name) => record(name))
  })
  const { eventConfigs, roles, owned, rules, policies } = gateway
  eventConfigs.put({
    functionName: 'hello',
    qualifier: '$LATEST',
    maxRetries: 1,
    maxAgeS: undefined,
    onSuccess: { target: `${ARN}:next`, secret: undefined },
    onFailure: undefined,
    lastModified: '2026-01-02T03:04:05.000Z'
  })
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' }]
  owned.putInline(roles.find('hearth-default')!.roleId, 'i', JSON.stringify({ Version: '2012-10-17', Statement }))
  rules.putRule({
    bus: 'default',
    name: 'each',
    id: randomUUID(),
    pattern: '{"source":["shop"]}',
    schedule: undefined,
    isEnabled: true,
    description: undefined,
    roleArn: undefined,
    tags: {},
    anchor: 0,
    activeFrom: 0,
    createdAt: 0
  })
  rules.putTarget('default', 'each', { id: 'ruled', arn: `${ARN}:ruled`, activeFrom: 0 })
  policies.put('ruled', '', {
    statements: [
      {
        Sid: 's',
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Resource: `${ARN}:ruled`
      }
    ],
    revisionId: randomUUID()
  })
  const { traceId, parentId, traceparent } = context()
  let fails = true
  behaviours['hello'] = () => (fails ? FAILURE : outcome('null'))
  behaviours['next'] = () => {
    // What a client inside the function does: it passes on what the function was told.
    const headers = {
      'x-amz-target': 'AWSEvents.PutEvents',
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-trace-id': seen.at(-1)!.header
    }
    const entry = { Source: 'shop', DetailType: 'Order', Detail: '{}' }
    void ask(port, '/', { body: JSON.stringify({ Entries: [entry] }), headers })
    return outcome('null')
  }
  const accepted = await ask(port, AWS('hello'), { body: '{}', headers: { ...EVENT, traceparent } })
  t.equal(accepted.status, 202)
  const id = String(accepted.headers['x-amzn-requestid'])
  const [send] = await spansNamed(collector, 'send hello')
  t.match(send, { kind: PRODUCER, traceId, parentSpanId: parentId, attributes: { 'faas.invoked_name': 'hello' } })
  t.equal(parse(String(accepted.headers['x-amzn-trace-id'])).spanId, send!.spanId)
  const [first] = await spansNamed(collector, 'invoke hello')
  await until('it waits', () => clock.nextIn() > 0 && clock.nextIn() <= 60_000)
  fails = false
  clock.pass(60_000)
  await isShown(port, id, 'succeeded')
  const [, second] = await spansNamed(collector, 'invoke hello', 2)
  const [next] = await spansNamed(collector, 'invoke next')
  const [ruled] = await spansNamed(collector, 'invoke ruled')
  const execute = (of: ReceivedSpan | undefined) =>
    collector.named('execute').find(({ parentSpanId }) => parentSpanId === of!.spanId)!.spanId
  const facts = { kind: CONSUMER, traceId, parentSpanId: send!.spanId }
  t.match(first, { ...facts, links: [], status: { code: 2 }, attributes: { 'hearth.event.attempt': 1n } })
  t.match(second, { ...facts, status: undefined, attributes: { 'hearth.event.attempt': 2n } })
  t.strictSame(second!.links, [{ traceId, spanId: execute(first) }], 'the attempt before')
  t.match(second!.attributes, { 'hearth.event.waited_ms': 60_000, 'faas.invocation_id': id })
  t.match(next, { kind: CONSUMER, traceId, parentSpanId: execute(second) })
  t.match(ruled, { kind: CONSUMER, traceId, parentSpanId: execute(next), attributes: { 'faas.trigger': 'pubsub' } })
  t.match(seen.at(-1)!.header, /;Lineage=1:[0-9a-f]{8}:0\|[0-9a-f]{8}:0\|[0-9a-f]{8}:0$/, 'one chain of calls')
  t.notMatch(seen.map(({ header }) => header).join(), /Last=|Trigger=/, 'notes of our own stay here')
})

t.test('HTTP events say in W3C’s words where the function runs', async (t) => {
  const { gateway, port, collector, seen } = await start(t, 1)
  const { traceId, parentId, traceparent } = context()
  const visit = async (path: string, headers: Record<string, string>) => {
    await ask(port, path, { headers, ...(path.startsWith('/lb') ? { auth: false } : {}) })
    const { header, event } = seen.at(-1)!
    const saw = parse(header)
    t.equal(event.headers!['traceparent'], `00-${saw.traceId}-${saw.spanId}-0${saw.sampled}`, path)
    return { ...saw, headers: event.headers! }
  }
  const sent = await visit('/fn/hello/x', { traceparent, tracestate: 'a=b' })
  t.match(sent, { traceId, headers: { tracestate: 'a=b' } })
  t.match((await spansNamed(collector, 'invoke hello'))[0], { parentSpanId: parentId })
  t.equal(sent.headers['x-amzn-trace-id']!.slice(0, 40), `Root=${sent.headers['x-amzn-trace-id']!.slice(5, 40)}`)
  const none = await visit('/fn/hello', { traceparent: traceparent.toUpperCase(), tracestate: 'a=b' })
  t.not(none.traceId, traceId, 'what cannot be read is as none')
  t.equal(none.headers['tracestate'], undefined)
  const lineage = ';Lineage=1:01234567:9'
  const xray = `Self=1-67891234-12456789abcdef012345678;Parent=${parentId};Root=${context().root};Sampled=0${lineage}`
  const visited = await visit('/fn/hello', { 'x-amzn-trace-id': xray })
  t.equal(visited.traceId, `4bf92f3577b34da6a3ce929d0e0e${String(number).padStart(4, '0')}`, 'parts in any order')
  t.equal(visited.sampled, '0')
  t.notMatch(seen.at(-1)!.header, '01234567:9', 'chains are not counted over URLs')

  publish(gateway.apis, { id: 'sockets000', routes: { $connect: 'hello', $default: 'hello' } })
  gateway.policies.put('hello', '', {
    statements: [
      {
        Sid: 's',
        Effect: 'Allow',
        Principal: { Service: 'apigateway.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Resource: `${ARN}:hello`
      }
    ],
    revisionId: randomUUID()
  })
  gateway.executor.behaviour = ({ traceId: header, payload }, { name }) => {
    seen.push({ fn: name, header, event: JSON.parse(payload.toString()) as Seen['event'] })
    return outcome('{"statusCode":200}')
  }
  const host = 'sockets000.lambda-url.localhost'
  const socket = new WebSocket(`ws://127.0.0.1:${port}/prod`, { headers: { host, traceparent } })
  await new Promise((resolve) => socket.on('open', resolve))
  const connected = parse(seen.at(-1)!.header)
  t.equal(connected.traceId, traceId)
  t.equal(seen.at(-1)!.event.headers!['traceparent'], `00-${traceId}-${connected.spanId}-01`)
  socket.send('hi')
  const spans = await spansNamed(collector, 'invoke hello', 4)
  t.match(spans.at(-2), { traceId, parentSpanId: parentId, kind: SERVER })
  t.match(spans.at(-1), { parentSpanId: undefined, attributes: { 'faas.trigger': 'http' } }, 'a trace of its own')
  t.strictSame(spans.at(-1)!.links, [{ traceId, spanId: connected.spanId }])
  socket.terminate()
})

t.test('headers that are wrong break nothing, whether spans are made or not', async (t) => {
  const on = await start(t, 1)
  const off = await startGateway(t)
  const { traceId: id, parentId } = context()
  const wrong = [
    '',
    '00',
    `00-${id}-${parentId}`,
    `00-${id}-${parentId}-01-more`,
    `ff-${id}-${parentId}-01`,
    `0-${id}-${parentId}-01`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id.slice(1)}-${parentId}-01`,
    `00-${id}-${parentId}-0g`,
    `00-${id.toUpperCase()}-${parentId}-01`,
    `00-${id}-${parentId}-01, 00-${id}-${parentId}-01`,
    `01-${id}-${parentId}-01.`,
    `${'0'.repeat(600)}`
  ]
  for (const gateway of [on.gateway, off]) {
    const headers: string[] = []
    gateway.executor.behaviour = ({ traceId }) => {
      headers.push(traceId)
      return outcome('null')
    }
    for (const [i, traceparent] of wrong.entries()) {
      const path = i % 2 === 0 ? AWS('hello') : '/fn/hello'
      const { status } = await ask(gateway.port, path, { body: '{}', headers: { traceparent } })
      t.equal(status, 200, traceparent)
      t.not(parse(headers.at(-1)!).traceId, id)
    }
    for (const sent of [
      'Root=1',
      'Root=1-00000000-000000000000000000000000',
      ';;=;',
      `Root=${context().root};Parent=1`
    ]) {
      const { status } = await ask(gateway.port, '/fn/hello', { headers: { 'x-amzn-trace-id': sent } })
      t.equal(status, 200, sent)
      t.notMatch(headers.at(-1)!, /^Root=1-(0{8}|4bf92f35)/)
    }
    // A version to come, with more than we know of.
    await ask(gateway.port, AWS('hello'), { body: '{}', headers: { traceparent: `cc-${id}-${parentId}-09-what` } })
    t.match(parse(headers.at(-1)!), { traceId: id, sampled: '1' })
    const lineage = headers.at(-1)!.split(';Lineage=')[1]!
    await ask(gateway.port, AWS('hello'), {
      body: '{}',
      headers: {
        traceparent: `00-${id}-${parentId}-00`,
        'x-amzn-trace-id': `Root=${context().root};Lineage=${lineage}`
      }
    })
    t.match(parse(headers.at(-1)!), { traceId: id, sampled: '0' }, 'W3C’s goes before AWS’s')
    t.match(headers.at(-1)!, new RegExp(`;Lineage=${lineage.slice(0, -1)}1$`), 'in which the chain of calls is')
  }

  // While nothing is traced, a sender's own headers go through.
  const { port, executor } = off
  let header = ''
  let event: Seen['event'] = {}
  executor.behaviour = ({ traceId, payload }) => {
    header = traceId
    event = JSON.parse(payload.toString()) as Seen['event']
    return outcome('null')
  }
  const own = context()
  const { traceparent } = own
  await ask(port, '/fn/hello', { headers: { traceparent, tracestate: 'a=b' } })
  t.match(event.headers, { traceparent, tracestate: 'a=b' })
  t.match(parse(header), { traceId: own.traceId, spanId: own.parentId, sampled: '1' })
  await ask(port, '/fn/hello')
  t.equal(event.headers!['traceparent'], undefined)
  t.match(header, /;Sampled=0;/)
})
