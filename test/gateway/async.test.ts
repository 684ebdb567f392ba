import { randomBytes } from 'node:crypto'
import t from 'tap'
import { isShown, shown, testClock } from './events.ts'
import { ask, outcome, record, startGateway, until } from './harness.ts'

const AWS = '/2015-03-31/functions/hello/invocations'
const EVENT = { 'x-amz-invocation-type': 'Event' }
const MINUTE = 60_000
const FAILURE = outcome('{"errorType":"Error","errorMessage":"no luck"}', { status: 'error', errorType: 'Error' })

t.test('every door takes events, and the function sees the id of the answer', async (t) => {
  const { port, executor } = await startGateway(t)
  const seen: string[] = []
  executor.behaviour = ({ requestId, payload }) => {
    seen.push(`${requestId} ${payload.toString().slice(0, 7)}`)
    return outcome('null')
  }
  const aws = await ask(port, AWS, { body: '{"a":1}', headers: EVENT })
  t.match(aws, { status: 202, body: '' })
  const v1 = await ask(port, '/v1/functions/hello/invocations', {
    body: '{"a":2}',
    headers: { prefer: 'respond-async' }
  })
  t.equal(v1.status, 202)
  t.equal(v1.headers['preference-applied'], 'respond-async')
  const requestId = String(v1.headers['x-amzn-requestid'])
  t.strictSame(JSON.parse(v1.body), { requestId, status: 'queued' })
  const fn = await ask(port, '/fn/hello/x', { body: 'text', headers: { prefer: 'wait=3, Respond-Async' } })
  t.equal(fn.status, 202)
  await isShown(port, String(fn.headers['x-amzn-requestid']), 'succeeded')
  t.match(await isShown(port, requestId, 'succeeded'), { attempts: 1, condition: 'Success', functionName: 'hello' })
  await isShown(port, String(aws.headers['x-amzn-requestid']), 'succeeded')
  t.ok(seen.includes(`${String(aws.headers['x-amzn-requestid'])} {"a":1}`))
  t.ok(seen.includes(`${requestId} {"a":2}`))
})

t.test('what cannot be run is not accepted', async (t) => {
  const { port } = await startGateway(t)
  const big = JSON.stringify('x'.repeat(1_048_576))
  for (const [body, url, status, text] of [
    ['{"a":', AWS, 400, 'Could not parse request body into json'],
    [big, AWS, 413, '1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)'],
    ['{}', AWS.replace('hello', 'nobody'), 404, 'Function not found'],
    ['{}', `${AWS}?Qualifier=7`, 404, 'Function not found']
  ] as const) {
    const answer = await ask(port, url, { body, headers: EVENT })
    t.equal(answer.status, status, text)
    t.match(answer.body, text)
  }
  const list = await ask(port, '/v1/functions/hello/invocations')
  t.strictSame(JSON.parse(list.body), { invocations: [], nextCursor: null }, 'nothing is left behind')
  t.equal((await ask(port, '/v1/functions/hello/invocations?status=odd')).status, 400)
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=bm8']) {
    t.equal((await ask(port, `/v1/functions/hello/invocations?${query}`)).status, 400, query)
  }
  t.match(await ask(port, '/v1/functions/nobody/invocations'), { status: 404, body: 'FUNCTION_NOT_FOUND' })
  t.match(await ask(port, '/v1/functions/nobody/dead-letters/redrive', { method: 'POST' }), { status: 404 })
  t.equal((await ask(port, '/v1/invocations/nonsense')).status, 404)
  t.equal((await ask(port, '/v1/invocations/nonsense', { auth: false })).status, 401)
})

t.test('a failing function is tried again after one minute and after two, then can be redriven', async (t) => {
  const clock = testClock()
  const { port, executor } = await startGateway(t, { clock })
  const ids: string[] = []
  executor.behaviour = ({ requestId }) => {
    ids.push(requestId)
    return FAILURE
  }
  const answer = await ask(port, AWS, { body: '{}', headers: EVENT })
  const requestId = String(answer.headers['x-amzn-requestid'])
  for (const [attempts, wait] of [
    [1, MINUTE],
    [2, 2 * MINUTE]
  ] as const) {
    await until('the retry is planned', () => clock.nextIn() === wait)
    t.match(await shown(port, requestId), { status: 'queued', attempts, error: { type: 'Error', message: 'no luck' } })
    clock.pass(wait - 1)
    t.equal(ids.length, attempts, 'not before its time')
    clock.pass(1)
    await until('it runs again', () => ids.length === attempts + 1)
  }
  t.match(await isShown(port, requestId, 'failed'), { attempts: 3, condition: 'RetriesExhausted' })
  t.strictSame(new Set(ids), new Set([requestId]), 'one id for all attempts')

  executor.behaviour = () => outcome('null')
  const redriven = await ask(port, '/v1/functions/hello/dead-letters/redrive', { method: 'POST' })
  t.match(redriven, { status: 202, body: '{"redriven":1}' })
  t.match(await isShown(port, requestId, 'succeeded'), { attempts: 1 })
})

t.test('throttles double their wait, use up no attempt, and end with the age of the event', async (t) => {
  const clock = testClock()
  const { port, executor } = await startGateway(t, { clock })
  let tries = 0
  executor.behaviour = () => {
    tries += 1
    return outcome('', { status: 'throttled' })
  }
  const answer = await ask(port, AWS, { body: '{}', headers: EVENT })
  const requestId = String(answer.headers['x-amzn-requestid'])
  const waits: number[] = []
  for (;;) {
    while (!Number.isFinite(clock.nextIn()) && (await shown(port, requestId))['status'] !== 'failed') {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const wait = clock.nextIn()
    if (!Number.isFinite(wait)) break
    const before = tries
    waits.push(wait / 1_000)
    clock.pass(wait)
    await until('tried again', () => tries > before)
  }
  t.strictSame(waits.slice(0, 11), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  t.match(await isShown(port, requestId, 'failed'), { attempts: 0, condition: 'EventAgeExceeded' })
})

t.test('a backlog of one function does not keep another waiting', async (t) => {
  const { port, executor } = await startGateway(t, { functions: [record('hello'), record('other')], eventsAtOnce: 4 })
  const started: string[] = []
  executor.behaviour = (_invocation, { name }) => {
    started.push(name)
    return undefined
  }
  for (let i = 0; i < 60; i++) await ask(port, AWS, { body: '{}', headers: EVENT })
  await until('it has its share', () => started.length === 2)
  await ask(port, AWS.replace('hello', 'other'), { body: '{}', headers: EVENT })
  await until('the other runs', () => started.at(-1) === 'other')
  t.equal(started.length, 3, 'before any of the first function’s has ended')
  executor.behaviour = (_invocation, { name }) => {
    started.push(name)
    return outcome('null')
  }
  for (const invocation of [...executor.waiting]) {
    executor.waiting.delete(invocation)
    invocation.settle(outcome('null'))
  }
  await until('all ran', () => started.length === 61)
})

t.test('a backlog gets more instances step by step, and is listed in pages and measured', async (t) => {
  const clock = testClock()
  const { port, executor } = await startGateway(t, { clock })
  executor.behaviour = () => undefined
  for (let i = 0; i < 40; i++) await ask(port, AWS, { body: '{}', headers: EVENT })
  await until('a few begin', () => executor.waiting.size === 4)
  clock.pass(999)
  t.equal(executor.waiting.size, 4)
  clock.pass(1)
  await until('twice as many', () => executor.waiting.size === 8)
  const ids = async (query: string) => {
    const answer = await ask(port, `/v1/functions/hello/invocations?${query}`)
    const { invocations, nextCursor } = JSON.parse(answer.body) as {
      invocations: { requestId: string; status: string }[]
      nextCursor: string | null
    }
    return { ids: invocations.map(({ requestId }) => requestId), nextCursor }
  }
  t.equal((await ids('status=running')).ids.length, 8)
  const first = await ids('status=queued&limit=30')
  const rest = await ids(`status=queued&limit=30&cursor=${first.nextCursor!}`)
  t.equal(new Set([...first.ids, ...rest.ids]).size, 32)
  t.equal(rest.nextCursor, null)
  for (const query of ['limit=30', 'status=running']) {
    const other = await ask(port, `/v1/functions/hello/invocations?${query}&cursor=${first.nextCursor!}`)
    t.match(other, { status: 400, body: 'not one that this server gave out for this query' }, query)
  }
  const elsewhere = await ask(port, `/v1/functions/nobody/invocations?status=queued&cursor=${first.nextCursor!}`)
  t.match(elsewhere, { status: 400, body: 'INVALID_REQUEST' })
  clock.pass(0)
  const metrics = (await ask(port, '/metrics')).body
  t.match(metrics, /hearth_async_waiting_events\{function="hello"\} 32\n/)
  t.match(metrics, /hearth_async_pending_deliveries 0/)
  t.match(metrics, 'hearth_queue_depth{queue="events"} 32\n')
  t.match(metrics, 'hearth_queue_oldest_age_seconds{queue="events"} 1\n')
  t.match(metrics, 'hearth_queue_oldest_age_seconds{queue="deliveries"} 0\n')
  executor.behaviour = () => outcome('null')
  for (const invocation of [...executor.waiting]) {
    executor.waiting.delete(invocation)
    invocation.settle(outcome('null'))
  }
  for (let tries = 0; tries < 500 && (await ids('status=succeeded')).ids.length < 40; tries++) clock.pass(1_000)
  t.equal((await ids('status=succeeded')).ids.length, 40)
})

t.test('a full disk refuses events and takes them again when there is room', async (t) => {
  const { port, executor } = await startGateway(t, { queuePages: 120 })
  executor.behaviour = () => undefined
  const body = JSON.stringify(randomBytes(60_000).toString('base64'))
  const accepted: string[] = []
  let refused
  for (let i = 0; i < 20 && refused === undefined; i++) {
    const answer = await ask(port, AWS, { body, headers: EVENT })
    if (answer.status === 202) accepted.push(String(answer.headers['x-amzn-requestid']))
    else refused = answer
  }
  t.equal(refused?.status, 503)
  t.match(refused?.body, 'The event was not accepted')
  const list = JSON.parse((await ask(port, '/v1/functions/hello/invocations')).body) as { invocations: unknown[] }
  t.equal(list.invocations.length, accepted.length, 'nothing is half there')
  executor.behaviour = () => outcome('null')
  for (const invocation of [...executor.waiting]) {
    executor.waiting.delete(invocation)
    invocation.settle(outcome('null'))
  }
  for (const requestId of accepted) await isShown(port, requestId, 'succeeded')
  t.equal((await ask(port, AWS, { body, headers: EVENT })).status, 202)
})
