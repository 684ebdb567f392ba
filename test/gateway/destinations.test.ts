// Where the outcome of events goes, and functions that call themselves.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Invocation } from '@hearth/executor'
import type { EventInvokeConfig } from '@hearth/shared'
import t, { type Test } from 'tap'
import { isShown, shown, testClock } from './events.ts'
import { ask, type Harness, outcome, record, startGateway, textOf, until } from './harness.ts'

const AWS = '/2015-03-31/functions/hello/invocations'
const EVENT = { 'x-amz-invocation-type': 'Event' }
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const FAILURE = outcome('{"errorType":"Error","errorMessage":"no luck"}', { status: 'error', errorType: 'Error' })
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0'

function config(changes: Partial<EventInvokeConfig>): EventInvokeConfig {
  return {
    functionName: 'hello',
    qualifier: '$LATEST',
    maxRetries: undefined,
    maxAgeS: undefined,
    onSuccess: undefined,
    onFailure: undefined,
    lastModified: '2026-01-02T03:04:05.000Z',
    ...changes
  }
}

const to = (name: string) => ({ target: `${ARN}:${name}`, secret: undefined })

/** The role of the functions of these tests may invoke this, and nothing else. */
function mayInvoke({ roles, owned }: Pick<Harness, 'roles' | 'owned'>, target: string): void {
  const Statement = [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: target }]
  owned.putInline(roles.find('hearth-default')!.roleId, 'invoke', JSON.stringify({ Version: '2012-10-17', Statement }))
}

async function send(port: number, body: string, url = AWS, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask(port, url, { body, headers: { ...EVENT, ...headers } })
  t.equal(answer.status, 202, answer.body)
  return String(answer.headers['x-amzn-requestid'])
}

t.test('outcomes go to other functions as events, in Lambda’s records', async (t) => {
  const clock = testClock()
  const gateway = await startGateway(t, {
    clock,
    functions: [
      record('hello', { deadLetterTarget: `${ARN}:dead` }),
      ...['good', 'bad', 'dead'].map((name) => record(name))
    ]
  })
  const { port, executor, functions, aliases, eventConfigs } = gateway
  mayInvoke(gateway, '*')
  functions.addVersion(record('hello', { version: '1' }), '')
  const alias = { functionName: 'hello', name: 'live', version: '1', weights: {}, description: '', revisionId: 'r' }
  aliases.put({ ...alias, previousVersion: undefined })
  eventConfigs.put(config({ onSuccess: to('good'), onFailure: to('bad'), maxRetries: 0 }))
  eventConfigs.put(config({ qualifier: 'live', onFailure: to('bad'), maxAgeS: 60 }))
  const got: Record<string, Invocation[]> = {}
  let behaviour = () => outcome('{"done" : true}')
  executor.behaviour = (invocation, { name }) => {
    if (name === 'hello') return behaviour()
    ;(got[name] ??= []).push(invocation)
    return outcome('null')
  }
  const last = (name: string) => got[name]?.at(-1)

  const first = await send(port, '{"a": 1.0}')
  await until('it is told', () => last('good') !== undefined)
  const event = last('good')!
  t.equal(
    event.payload.toString().replace(/"timestamp":"[^"]*"/, '"timestamp":"…"'),
    `{"version":"1.0","timestamp":"…","requestContext":{"requestId":"${first}","functionArn":"${ARN}:hello:$LATEST",` +
      '"condition":"Success","approximateInvokeCount":1},"requestPayload":{"a": 1.0},' +
      '"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"done" : true}}'
  )
  t.match(JSON.parse(event.payload.toString()), { timestamp: new Date(clock.now()).toISOString() })
  t.not(event.requestId, first, 'it is an event of its own')
  t.match(await isShown(port, event.requestId, 'succeeded'), { functionName: 'good' })
  t.match((await isShown(port, first, 'succeeded'))['deliveries'], [
    { purpose: 'OnSuccess', target: `${ARN}:good`, status: 'delivered', failedAttempts: 0 }
  ])
  t.match(event.traceId, /;Lineage=1:[0-9a-f]{8}:0\|[0-9a-f]{8}:0$/, 'in one chain with what it is about')

  behaviour = () => FAILURE
  const second = await send(port, '{"b":2}')
  await until('failure is told', () => last('bad') !== undefined && last('dead') !== undefined)
  t.match(JSON.parse(last('bad')!.payload.toString()), {
    requestContext: { requestId: second, condition: 'RetriesExhausted', approximateInvokeCount: 1 },
    requestPayload: { b: 2 },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'Error', errorMessage: 'no luck' }
  })
  t.equal(last('dead')!.payload.toString(), '{"b":2}', 'a dead letter is the event itself')
  t.strictSame(JSON.parse(last('dead')!.clientContext), {
    custom: { RequestID: second, ErrorCode: '200', ErrorMessage: 'no luck' }
  })

  const third = await send(port, '{}', `${AWS}?Qualifier=live`)
  await until('too old for its next attempt', () => got['bad']!.length === 2)
  t.match(JSON.parse(last('bad')!.payload.toString()), {
    requestContext: {
      requestId: third,
      functionArn: `${ARN}:hello:live`,
      condition: 'EventAgeExceeded',
      approximateInvokeCount: 1
    },
    responseContext: { executedVersion: '1' }
  })
  t.equal(got['dead']!.length, 1, 'the version has no dead-letter target')

  behaviour = () => outcome('', { status: 'throttled' })
  const fourth = await send(port, '{}', `${AWS}?Qualifier=live`)
  for (let waited = 0; waited < 64_000; waited += 2_000) {
    await until('it waits', () => Number.isFinite(clock.nextIn()) || got['bad']!.length === 3)
    clock.pass(2_000)
    await shown(port, fourth)
  }
  await until('it never ran', () => got['bad']!.length === 3)
  const record3 = JSON.parse(last('bad')!.payload.toString()) as Record<string, unknown>
  t.match(record3, { requestContext: { requestId: fourth, condition: 'EventAgeExceeded', approximateInvokeCount: 0 } })
  for (const member of ['responseContext', 'responsePayload']) t.notOk(member in record3, member)

  gateway.concurrency.setReserved('hello', 0)
  const fifth = await send(port, '{}')
  await until('a function that is switched off has its events given up at once', () => got['bad']!.length === 4)
  t.match(JSON.parse(last('bad')!.payload.toString()), {
    requestContext: { requestId: fifth, condition: 'ZeroReservedConcurrency', approximateInvokeCount: 0 }
  })
  gateway.concurrency.setReserved('hello', undefined)

  // A runtime may answer what is no JSON.
  behaviour = () => outcome('plain "text"')
  await send(port, '{}')
  await until('text is told', () => got['good']!.length === 2)
  t.match(JSON.parse(last('good')!.payload.toString()), { responsePayload: 'plain "text"' })
  behaviour = () => outcome(JSON.stringify('x'.repeat(1_100_000)))
  const big = await send(port, '{}')
  await until('given up', () => clock.now() > 0)
  let deliveries: unknown
  for (let tries = 0; tries < 200; tries++) {
    deliveries = (await shown(port, big))['deliveries']
    if (JSON.stringify(deliveries ?? []).includes('"failed"')) break
  }
  t.match(deliveries, [{ status: 'failed', error: /bytes are more than an event may have: 1048576/ }])
  const metrics = (await ask(port, '/metrics')).body
  t.match(metrics, /hearth_async_deliveries_total\{purpose="OnSuccess",result="failed"\} 1/)
  t.match(metrics, /hearth_invocations_total\{function="good",status="ok"\} 2|function="good"/, 'events are calls')
})

t.test(
  'what a function’s role may not do is not done for it, and not lost: it is sent when the role may',
  async (t) => {
    const clock = testClock()
    const gateway = await startGateway(t, { clock, functions: ['hello', 'good', 'bad'].map((name) => record(name)) })
    const { port, executor, functions, eventConfigs, roles, owned } = gateway
    eventConfigs.put(config({ onSuccess: to('good') }))
    functions.update('hello', (now) => ({ ...now!, deadLetterTarget: `${ARN}:good`, revisionId: 'r' }))
    const told: string[] = []
    executor.behaviour = ({ payload }, { name }) => {
      if (name === 'good') told.push(payload.toString())
      return outcome('null')
    }
    const deliveryOf = async (requestId: string) =>
      ((await shown(port, requestId))['deliveries'] as Record<string, unknown>[] | undefined)?.[0]
    const isAfter = async (requestId: string, failedAttempts: number) => {
      for (let tries = 0; tries < 400; tries++) {
        const delivery = await deliveryOf(requestId)
        if (delivery?.['failedAttempts'] === failedAttempts) return delivery
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      throw new Error(JSON.stringify(await deliveryOf(requestId)))
    }
    mayInvoke(gateway, `${ARN}:bad`)
    const requestId = await send(port, '{"n":1}')
    t.match(await isAfter(requestId, 1), { status: 'pending', error: /execution role does not have permissions/ })
    t.match(
      (await ask(port, '/metrics')).body,
      /hearth_async_deliveries_total\{purpose="OnSuccess",result="refused"\} 1/
    )
    // Nothing is wrong with the receiver: those who may are not kept waiting.
    functions.create(record('allowed', { role: 'arn:aws:iam::000000000000:role/allowed' }))
    roles.create({ ...roles.find('hearth-default')!, name: 'allowed', roleId: 'AROAALLOWED' })
    const policy = owned.findInline(roles.find('hearth-default')!.roleId, 'invoke')!
    owned.putInline('AROAALLOWED', 'invoke', policy.replace(':bad', ':good'))
    eventConfigs.put({ ...config({ onSuccess: to('good') }), functionName: 'allowed' })
    await send(port, '{"n":2}', AWS.replace('hello', 'allowed'))
    await until('the other is told', () => told.length === 1)
    t.match(told[0], '"requestPayload":{"n":2}')

    mayInvoke(gateway, `${ARN}:good`)
    clock.pass(1_000)
    await until('it is told', () => told.length === 2)
    t.match(told[1], '"requestPayload":{"n":1}')
    const audit = await readAudit(gateway.dataDir)
    t.match(audit, /assumed-role\/hearth-default\/hello/)
    t.match(audit, requestId, 'the refusal is in the trail')
  }
)

async function readAudit(dataDir: string): Promise<string> {
  const dir = path.join(dataDir, 'audit')
  for (let tries = 0; tries < 400; tries++) {
    const files = await readdir(dir).catch(() => [])
    const text = (await Promise.all(files.map((file) => readFile(path.join(dir, file), 'utf8')))).join('')
    if (text.includes('InvokeFunction')) return text
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return ''
}

async function startReceiver(t: Test) {
  const received: { headers: http.IncomingHttpHeaders; body: string; url: string }[] = []
  let answer: (res: http.ServerResponse) => void = (res) => res.end()
  const server = http.createServer((req, res) => {
    void textOf(req).then((body) => {
      received.push({ headers: req.headers, body, url: req.url! })
      answer(res)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`
  return {
    url,
    received,
    answerWith(status: number, headers: http.OutgoingHttpHeaders = {}) {
      answer = (res) => res.writeHead(status, headers).end()
    }
  }
}

t.test('a webhook gets signed records, again and again until it takes them', async (t) => {
  const clock = testClock()
  const hook = await startReceiver(t)
  const { port, eventConfigs } = await startGateway(t, { clock, webhookNetworks: ['127.0.0.0/8'] })
  eventConfigs.put(config({ onSuccess: { target: hook.url, secret: SECRET } }))
  const deliveryOf = async (requestId: string) =>
    ((await shown(port, requestId))['deliveries'] as Record<string, unknown>[] | undefined)?.[0]
  const eventuallyIs = async (requestId: string, status: string, failedAttempts: number) => {
    for (let tries = 0; tries < 400; tries++) {
      const delivery = await deliveryOf(requestId)
      if (delivery?.['status'] === status && delivery['failedAttempts'] === failedAttempts) return delivery
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error(`never was ${status}: ${JSON.stringify(await deliveryOf(requestId))}`)
  }

  hook.answerWith(500)
  const requestId = await send(port, '{"n":1}')
  t.match(await eventuallyIs(requestId, 'pending', 1), { error: 'it answered with status 500' })
  hook.answerWith(302, { location: '/elsewhere' })
  clock.pass(1_000)
  t.match(await eventuallyIs(requestId, 'pending', 2), { error: 'it answered with status 302' })
  hook.answerWith(204)
  clock.pass(1_999)
  t.equal(hook.received.length, 2, 'not before its time')
  clock.pass(1)
  const delivered = await eventuallyIs(requestId, 'delivered', 2)
  t.strictSame(
    hook.received.map(({ url }) => url),
    Array(3).fill('/hook?key=1'),
    'no redirect is followed'
  )
  const { headers, body } = hook.received[2]!
  t.match(JSON.parse(body), { requestContext: { requestId, condition: 'Success' }, requestPayload: { n: 1 } })
  t.match(headers, { 'content-type': 'application/json', 'webhook-id': delivered['id'] })
  t.match(headers, { traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/ }, 'in the trace of its event')
  t.equal(headers['webhook-timestamp'], String(Math.floor(clock.now() / 1_000)))
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const signature = createHmac('sha256', Buffer.alloc(32, 5)).update(signed).digest('base64')
  t.equal(headers['webhook-signature'], `v1,${signature}`)
  t.equal(hook.received[0]!.headers['webhook-id'], headers['webhook-id'], 'one id for all attempts')

  hook.answerWith(410)
  t.match(await eventuallyIs(await send(port, '{}'), 'failed', 1), { error: 'it answered with status 410' })

  hook.answerWith(500)
  const hopeless = await send(port, '{}')
  await eventuallyIs(hopeless, 'pending', 1)
  clock.pass(86_400_000)
  await eventuallyIs(hopeless, 'failed', 2)

  eventConfigs.remove('hello', '$LATEST')
  eventConfigs.put(config({ qualifier: '1', onSuccess: { target: hook.url, secret: SECRET } }))
  const silent = await send(port, '{}')
  await isShown(port, silent, 'succeeded')
  t.strictSame((await shown(port, silent))['deliveries'], [], 'a config is of its qualifier alone')
})

t.test('a webhook never reaches this machine or its networks unless that is allowed', async (t) => {
  const hook = await startReceiver(t)
  const clock = testClock()
  const { port, eventConfigs } = await startGateway(t, { clock, webhookNetworks: ['10.0.0.0/8'] })
  for (const url of [
    hook.url,
    hook.url.replace('127.0.0.1', 'localhost'),
    hook.url.replace('127.0.0.1', '[::ffff:7f00:1]')
  ]) {
    eventConfigs.put(config({ onSuccess: { target: url, secret: SECRET } }))
    const requestId = await send(port, '{}')
    let delivery: Record<string, unknown> | undefined
    await isShown(port, requestId, 'succeeded')
    for (let tries = 0; tries < 400 && delivery?.['failedAttempts'] !== 1; tries++) {
      delivery = ((await shown(port, requestId))['deliveries'] as Record<string, unknown>[])[0]
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    t.match(delivery, { status: 'pending', error: /its address is not public/ }, url)
  }
  t.strictSame(hook.received, [])
})

t.test('a function that calls itself is stopped after sixteen calls in one chain', async (t) => {
  const gateway = await startGateway(t, { functions: [record('hello'), record('bad')] })
  const { port, executor, eventConfigs, options } = gateway
  mayInvoke(gateway, `${ARN}:bad`)
  eventConfigs.put(config({ onFailure: to('bad') }))
  const records: string[] = []
  let calls = 0
  executor.behaviour = (invocation, { name }) => {
    if (name === 'bad') records.push(invocation.payload.toString())
    else {
      calls += 1
      // What AWS's clients do inside a function: they pass the trace header on.
      void ask(port, AWS, { body: '{}', headers: { ...EVENT, 'x-amzn-trace-id': invocation.traceId } })
    }
    return outcome('null')
  }
  await send(port, '{"loop":1}', AWS, { 'x-amzn-trace-id': TRACE })
  await until('it is stopped', () => records.length === 1)
  t.equal(calls, 16)
  const told = JSON.parse(records[0]!) as Record<string, unknown>
  t.match(told, { requestContext: { condition: 'RecursiveInvocationDetected', approximateInvokeCount: 0 } })
  t.notOk('responseContext' in told)
  t.match((await ask(port, '/metrics')).body, /hearth_async_ended_total\{condition="RecursiveInvocationDetected"\} 1/)

  let trace = ''
  executor.behaviour = (invocation) => {
    trace = invocation.traceId
    return outcome('null')
  }
  const sync = () => ask(port, AWS, { body: '{}', headers: trace === '' ? {} : { 'x-amzn-trace-id': trace } })
  for (let call = 1; call <= 16; call++) t.equal((await sync()).status, 200, String(call))
  const refused = await sync()
  t.equal(refused.status, 400)
  t.equal(refused.headers['x-amzn-errortype'], 'RecursiveInvocationException')
  options.setRecursiveLoop('hello', 'Allow')
  t.equal((await sync()).status, 200, 'unless that is allowed')
  t.match(trace, /Lineage=1:[0-9a-f]{8}:16$/)
})
