// Idempotency-Key on invocations: done once, answered again, whatever the door.
import t, { type Test } from 'tap'
import { eventually } from '../helpers/hearth.ts'
import { ask, outcome, record, startGateway, until } from './harness.ts'

const V1 = '/v1/functions/hello/invocations'
const AWS = '/2015-03-31/functions/hello/invocations'
const STREAM = '/2021-11-15/functions/hello/response-streaming-invocations'

async function start(t: Test, options: Parameters<typeof startGateway>[1] = {}) {
  const gateway = await startGateway(t, { functions: [record('hello'), record('other')], ...options })
  let runs = 0
  const count = (): void => {
    runs = 0
    gateway.executor.behaviour = () => outcome(`{"run":${++runs}}`)
  }
  count()
  const send = (url: string, key: string | undefined, body: string, headers: Record<string, string> = {}) =>
    ask(gateway.port, url, { body, headers: { ...(key === undefined ? {} : { 'idempotency-key': key }), ...headers } })
  return { ...gateway, send, count, runs: () => runs }
}

const server = await start(t)

t.test('the same request under the same key is answered again, and runs nothing', async (t) => {
  const { send, runs } = server
  for (const [n, url] of [V1, AWS, '/fn/hello/path?q=1'].entries()) {
    const first = await send(url, `key-${n}`, '{"a":1}')
    t.match(first, { status: 200, body: `{"run":${n + 1}}` }, url)
    t.equal(first.headers['idempotency-replayed'], undefined)
    const again = await send(url, `"key-${n}"`, '{"a":1}')
    t.match(again, { status: 200, body: first.body, headers: { 'idempotency-replayed': 'true' } })
    for (const name of ['content-type', 'content-length', 'x-amzn-requestid', 'x-amz-executed-version'])
      t.equal(again.headers[name], first.headers[name], `${url}: ${name}`)
    t.match(await send(url, `key-${n}`, '{"a":2}'), { status: 422 }, 'another body')
    t.match(await send(`${url}${url.includes('?') ? '&' : '?'}x=1`, `key-${n}`, '{"a":1}'), { status: 422 }, 'a query')
  }
  t.equal(runs(), 3)
  const reused = await send('/v1/functions/other/invocations', 'key-0', '{"a":1}')
  t.match(JSON.parse(reused.body), { status: 422, code: 'IDEMPOTENCY_KEY_REUSED' })
  const aws = await send(AWS, 'key-0', '{"a":1}')
  t.match(aws, { status: 422, headers: { 'x-amzn-errortype': 'InvalidParameterValueException' } })
  await send(V1, undefined, '{"a":1}')
  await send(V1, 'another', '{"a":1}')
  t.equal(runs(), 5, 'without a key, or with another, it is done')
})

t.test('what failed in the function stays failed; what the platform refused is tried again', async (t) => {
  const { send, executor } = server
  const answers = [
    outcome('{"errorType":"E"}', { status: 'error', errorType: 'E' }),
    outcome('', { status: 'throttled' }),
    outcome('"done"')
  ]
  executor.behaviour = () => answers.shift()!
  for (const time of ['once', 'again'])
    t.match(await send(V1, 'failed', '{}'), { status: 502, body: '{"errorType":"E"}' }, time)
  t.match(await send(V1, 'busy', '{}'), { status: 429 })
  t.match(await send(V1, 'busy', '{}'), { status: 200, body: '"done"' }, 'the key was given back')
  for (const time of ['once', 'again'])
    t.match(await send('/v1/functions/none/invocations', 'none', '{}'), { status: 404 }, time)
  t.match(await send(V1, 'none', '{}{'), { status: 400 })
  t.equal(answers.length, 0)
})

t.test('while it is under way, and when its caller leaves', async (t) => {
  const { port, send, executor } = server
  executor.behaviour = () => undefined
  const first = send(V1, 'slow', '{}')
  await until('it runs', () => executor.waiting.size === 1)
  t.match(JSON.parse((await send(V1, 'slow', '{}')).body), { status: 409, code: 'IDEMPOTENCY_KEY_IN_FLIGHT' })
  t.match(await send(V1, 'slow', '{"other":1}'), { status: 422 })
  for (const waiting of executor.waiting) waiting.settle(outcome('1'))
  t.match(await first, { status: 200, body: '1' })
  executor.waiting.clear()

  // The double gives a waiting event back, as a pool does in which it has no instance yet: nothing was done.
  const leaving = new AbortController()
  const gone = fetch(`http://127.0.0.1:${port}${V1}`, {
    method: 'POST',
    body: '{}',
    headers: { authorization: 'Bearer token-of-the-administrator', 'idempotency-key': 'left' },
    signal: leaving.signal
  }).catch(() => undefined)
  await until('it waits', () => executor.waiting.size === 1)
  leaving.abort()
  await gone
  await until('it is given back', () => executor.cancelled.length === 1)
  executor.behaviour = () => outcome('2')
  await eventually(async () => (await send(V1, 'left', '{}')).body === '2')
})

t.test('an event is accepted once, and its 202 is the same', async (t) => {
  const { send, runs, port, count } = server
  count()
  const later = { prefer: 'respond-async' }
  for (const [n, [url, headers]] of (
    [
      [V1, later],
      ['/fn/hello', later],
      [AWS, { 'x-amz-invocation-type': 'Event' }]
    ] as const
  ).entries()) {
    const first = await send(url, `event-${n}`, '{}', headers)
    const again = await send(url, `event-${n}`, '{}', headers)
    t.match(again, { status: 202, body: first.body, headers: { 'idempotency-replayed': 'true' } }, url)
    t.equal(again.headers['x-amzn-requestid'], first.headers['x-amzn-requestid'])
    t.match(await send(url, `event-${n}`, '{}'), { status: 422 }, 'to be run at once is another request')
    const id = String(first.headers['x-amzn-requestid'])
    await eventually(async () => /"succeeded"/.test((await ask(port, `/v1/invocations/${id}`)).body))
  }
  t.equal(runs(), 3)
})

t.test('what the gateway does besides is done once too', async (t) => {
  const { send } = server
  const url = '/v1/functions/hello/dead-letters/redrive'
  const first = await send(url, 'redrive', '')
  t.match(first, { status: 202, body: '{"redriven":0}' })
  t.match(await send(url, 'redrive', ''), { ...first, headers: { 'idempotency-replayed': 'true' } })
  t.match(await send('/v1/functions/other/dead-letters/redrive', 'redrive', ''), { status: 422 })
  t.match(await send(url, 'a b', ''), { status: 400 })
})

t.test('answers that are not kept are not given, and nothing is run for them', async (t) => {
  const { send, executor } = server
  let runs = 0
  executor.behaviour = (invocation) => {
    runs++
    const { stream } = invocation
    if (stream === undefined) return outcome(JSON.stringify('x'.repeat(1_048_576)))
    const phases = { queueMs: 0, sandboxMs: 0, initMs: 0, executeMs: 1 }
    stream.start('text/plain', phases, { consumed: () => undefined, bytes: 0, firstByteMs: 0 } as never)
    stream.data(Buffer.from('piece'), 5)
    stream.finish()
    return outcome('', { streamed: { bytes: 5, firstByteMs: 1 } })
  }
  for (const [n, url] of [V1, `${V1}?invokeMode=RESPONSE_STREAM`, STREAM].entries()) {
    t.match(await send(url, `big-${n}`, '{}'), { status: 200 })
    // The end of a stream is with its client a moment before it is on disk.
    const again = await eventually(async () => {
      const answer = await send(url, `big-${n}`, '{}')
      return /IN_FLIGHT|under way/.test(answer.body) ? undefined : answer
    })
    t.match(again, { status: 409, body: /streamed, or is too large/ }, url)
  }
  t.equal(runs, 3)
})

t.test('a malformed key is refused, and a key is forgotten after a day', async (t) => {
  const clock = { ms: Date.UTC(2026, 0, 2) }
  const { send, runs } = await start(t, {
    clock: { now: () => clock.ms, after: () => () => undefined }
  })
  const long = 'k'.repeat(255)
  for (const key of ['', 'a b', '""', '"a', `${long}k`, 'a\tb', '"a" "b"', 'ü', '"a\\b"']) {
    const res = await send(V1, Buffer.from(key).toString('latin1'), '{}')
    t.match(JSON.parse(res.body), { status: 400, code: 'INVALID_IDEMPOTENCY_KEY' }, JSON.stringify(key))
  }
  t.equal(runs(), 0)
  for (const key of [long, '"with \\" and \\\\"'.replaceAll(' ', '_'), 'a,b;c']) {
    t.match(await send(V1, key, '{}'), { status: 200 }, key)
    t.match(await send(V1, key, '{}'), { headers: { 'idempotency-replayed': 'true' } }, key)
  }
  t.equal(runs(), 3)
  clock.ms += 86_400_000
  t.match(await send(V1, 'a,b;c', '{"another":1}'), { status: 200 })
  t.equal(runs(), 4)
})
