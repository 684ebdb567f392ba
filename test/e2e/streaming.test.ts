import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda'
import t from 'tap'
import { eventually, type Hearth, startHearth } from '../helpers/hearth.ts'

const MIB = 1_048_576
const SOURCE = `
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const wish = event.rawQueryString === undefined ? event : Object.fromEntries(new URLSearchParams(event.rawQueryString))
  if (wish.do === 'http') {
    const prelude = { statusCode: 418, headers: { 'content-type': 'text/plain', 'x-own': 'yes' }, cookies: ['a=1', 'b=2'] }
    stream = awslambda.HttpResponseStream.from(stream, prelude)
  }
  if (wish.do === 'bad prelude') stream = awslambda.HttpResponseStream.from(stream, { statusCode: 'teapot' })
  if (wish.do === 'endless prelude') {
    stream.setContentType('application/vnd.awslambda.http-integration-response')
    stream.end('x'.repeat(100000))
    return
  }
  if (wish.do === 'throw') throw new TypeError('before')
  if (wish.do === 'bytes') {
    const piece = Buffer.alloc(65536, 'x')
    let left = Number(wish.bytes)
    await pipeline(Readable.from((function* () { for (; left > 0; left -= piece.length) yield piece })()), stream)
    console.log('all was written')
    return
  }
  if (wish.do === 'time') {
    await delay(50)
    stream.end(String(performance.timeOrigin + performance.now()))
    return
  }
  stream.write('first')
  await delay(100)
  if (wish.do === 'throw later') throw new TypeError('in the middle')
  if (wish.do === 'hang') await delay(60000)
  stream.end(' second')
})
`
const PLAIN = `export const handler = async (event) => ({ statusCode: 201, body: 'plain' })`

let hearth: Hearth
t.before(async () => {
  hearth = await startHearth()
  for (const [name, source, query] of [
    ['stream', SOURCE, 'invokeMode=RESPONSE_STREAM&timeout=20'],
    ['short', SOURCE, 'invokeMode=RESPONSE_STREAM&timeout=1'],
    ['both', SOURCE, 'invokeMode=RESPONSE_STREAM&timeout=30&concurrency=4'],
    ['plain', PLAIN, 'invokeMode=RESPONSE_STREAM']
  ] as const) {
    const deployed = await hearth.deploy(`${name}.mjs`, source, query)
    if (!deployed.ok) throw new Error(await deployed.text())
  }
})
t.teardown(() => hearth.stop())

/** The response as soon as its headers are there; its body is read by whoever wants it. */
async function open(path: string, body?: string): Promise<IncomingMessage> {
  const request = http.request(`${hearth.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    agent: false,
    headers: { authorization: `Bearer ${hearth.token}` }
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

async function read(response: IncomingMessage): Promise<{ text: string; isWhole: boolean }> {
  let text = ''
  response.setEncoding('latin1')
  response.on('data', (chunk: string) => {
    text += chunk
  })
  await new Promise<void>((resolve) => {
    response.once('error', () => resolve())
    response.once('close', () => resolve())
  })
  return { text, isWhole: response.complete }
}

async function logOf(name: string): Promise<string> {
  return (await hearth.request(`/v1/functions/${name}/logs`)).text()
}

const rssMiB = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${hearth.pids().gateway}/status`, 'utf8'))?.[1]) / 1024

t.test('the AWS SDK gets each piece as it comes, and how it ended', async (t) => {
  const client = new LambdaClient({
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId: hearth.accessKeyId, secretAccessKey: hearth.secretAccessKey }
  })
  t.teardown(() => client.destroy())
  const call = async (payload: object, FunctionName = 'stream', more: object = {}) => {
    const command = new InvokeWithResponseStreamCommand({ FunctionName, Payload: JSON.stringify(payload), ...more })
    const {
      StatusCode,
      ExecutedVersion,
      EventStream = []
    } = (await client.send(command)) as unknown as {
      StatusCode: number
      ExecutedVersion: string
      EventStream: AsyncIterable<{ PayloadChunk?: { Payload: Uint8Array }; InvokeComplete?: Record<string, string> }>
    }
    const pieces: { text: string; at: number }[] = []
    let complete: Record<string, string> | undefined
    for await (const { PayloadChunk, InvokeComplete } of EventStream) {
      if (PayloadChunk) pieces.push({ text: Buffer.from(PayloadChunk.Payload).toString(), at: performance.now() })
      if (InvokeComplete) complete = InvokeComplete
    }
    return { StatusCode, ExecutedVersion, pieces, complete, text: pieces.map(({ text }) => text).join('') }
  }

  const good = await call({}, 'stream', { LogType: 'Tail' })
  t.match(good, { StatusCode: 200, ExecutedVersion: '$LATEST', text: 'first second' })
  t.ok(good.pieces.at(-1)!.at - good.pieces[0]!.at > 50, 'the first came long before the last')
  t.equal(good.complete?.['ErrorCode'], undefined)
  t.match(Buffer.from(good.complete?.['LogResult'] ?? '', 'base64').toString(), /REPORT RequestId/)

  const later = await call({ do: 'throw later' })
  t.equal(later.text, 'first')
  t.equal(later.complete?.['ErrorCode'], 'TypeError')
  t.match(JSON.parse(later.complete?.['ErrorDetails'] ?? ''), { errorMessage: 'in the middle' })

  t.match((await call({ do: 'throw' })).complete, { ErrorCode: 'TypeError' })
  t.match((await call({ do: 'hang' }, 'short')).complete, { ErrorCode: 'Sandbox.Timedout' })

  const plain = await call({}, 'plain')
  t.equal(plain.text, '{"statusCode":201,"body":"plain"}')
  t.equal(plain.pieces.length, 1)

  const large = await call({ do: 'bytes', bytes: 8 * MIB })
  t.equal(large.text.length, 8 * MIB)
  t.ok(large.complete)

  await t.rejects(call({}, 'absent'), { name: 'ResourceNotFoundException' })
})

t.test('a function URL streams status, headers, cookies and body', async (t) => {
  const plain = await open('/fn/stream')
  t.match(plain.headers, { 'content-type': 'application/octet-stream', 'transfer-encoding': 'chunked' })
  t.same(await read(plain), { text: 'first second', isWhole: true })

  const response = await open('/fn/stream/?do=http')
  t.equal(response.statusCode, 418)
  t.match(response.headers, { 'content-type': 'text/plain', 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] })
  t.same(await read(response), { text: 'first second', isWhole: true })

  for (const what of ['bad prelude', 'endless prelude', 'throw']) {
    const failed = await open(`/fn/stream?do=${encodeURIComponent(what)}`)
    t.equal(failed.statusCode, 502, what)
    t.ok(failed.headers['x-hearth-function-error'], what)
    t.equal((await read(failed)).text, 'Internal Server Error', what)
  }

  const whole = await open('/fn/plain')
  t.equal(whole.statusCode, 200)
  t.equal((await read(whole)).text, '{"statusCode":201,"body":"plain"}')
})

t.test('a URL of its own streams as its InvokeMode says, with its CORS headers', async (t) => {
  const put = (invokeMode: string) =>
    hearth.request('/v1/functions/stream/url', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ authType: 'AWS_IAM', invokeMode, cors: { allowOrigins: ['https://a.example'] } })
    })
  const { url } = (await (await put('RESPONSE_STREAM')).json()) as { url: string }
  const path = `/url/${new URL(url).hostname.split('.')[0]}/`
  const streamed = await open(`${path}?do=http`)
  t.equal(streamed.statusCode, 418)
  t.equal(streamed.headers['transfer-encoding'], 'chunked')
  t.match(streamed.headers['content-security-policy'], /^sandbox/)
  t.match(streamed.headers['vary'], /origin/i)
  t.same(await read(streamed), { text: 'first second', isWhole: true })
  await put('BUFFERED')
  const buffered = await open(path)
  t.ok(buffered.headers['content-length'] !== undefined || buffered.statusCode === 502)
})

t.test('a response that cannot be completed is cut off', async (t) => {
  for (const path of ['/fn/stream?do=throw+later', '/fn/short?do=hang']) {
    const response = await open(path)
    t.equal(response.statusCode, 200)
    t.same(await read(response), { text: 'first', isWhole: false }, path)
  }
  await eventually(async () => /Status: timeout/.test(await logOf('short')))
})

t.test('invokeMode of one call, and of a function', async (t) => {
  const streamed = await open('/v1/functions/stream/invocations?invokeMode=RESPONSE_STREAM', '{}')
  t.equal(streamed.headers['content-length'], undefined)
  t.same(await read(streamed), { text: 'first second', isWhole: true })
  const buffered = await open('/v1/functions/stream/invocations', '{}')
  t.equal(buffered.headers['content-length'], '12')
  t.same(await read(buffered), { text: 'first second', isWhole: true })
  const refused = await open('/v1/functions/stream/invocations?invokeMode=sometimes', '{}')
  t.equal(refused.statusCode, 400)
  t.match((await read(refused)).text, /INVALID_REQUEST/)
  t.match(await (await hearth.request('/v1/functions/stream')).json(), { invokeMode: 'RESPONSE_STREAM' })
  const patched = await hearth.request('/v1/functions/plain', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"invokeMode":"BUFFERED"}'
  })
  t.equal(patched.status, 200, await patched.text())
  await eventually(async () => (await open('/fn/plain')).statusCode === 201)
})

t.test('the first byte leaves soon after it was written', async (t) => {
  const samples: number[] = []
  for (let i = 0; i < 20; i++) {
    const response = await open('/fn/stream?do=time')
    const { text } = await read(response)
    samples.push(performance.timeOrigin + performance.now() - Number(text))
  }
  samples.sort((a, b) => a - b)
  const median = samples[10]!
  t.comment(`first byte, median of 20: ${median.toFixed(2)} ms, longest ${samples[19]!.toFixed(2)} ms`)
  t.ok(median < 25, `${median} ms`)
})

t.test('a client that reads slowly costs no memory, and its neighbours in the instance no time', async (t) => {
  t.same((await read(await open('/fn/both'))).text, 'first second')
  const before = rssMiB()
  const slow = await Promise.all(Array.from({ length: 3 }, () => open(`/fn/both?do=bytes&bytes=${100 * MIB}`)))
  for (const response of slow) response.pause()
  const startedAt = performance.now()
  for (let i = 0; i < 5; i++) t.same((await read(await open('/fn/both'))).text, 'first second')
  t.ok(performance.now() - startedAt < 3_000, `${performance.now() - startedAt} ms`)
  t.notMatch(await logOf('both'), /all was written/)
  let peak = rssMiB()
  const watch = setInterval(() => {
    peak = Math.max(peak, rssMiB())
  }, 50)
  const bytes = await Promise.all(
    slow.map(async (response) => {
      let count = 0
      for await (const chunk of response) count += (chunk as Buffer).length
      return count
    })
  )
  clearInterval(watch)
  t.same(bytes, [100 * MIB, 100 * MIB, 100 * MIB])
  t.comment(`gateway: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most`)
  t.ok(peak - before < 80, `${peak - before} MiB more`)
})

t.test('a function goes on when its client leaves', async (t) => {
  const response = await open(`/fn/stream?do=bytes&bytes=${50 * MIB}`)
  response.once('error', () => {})
  await once(response, 'data')
  response.destroy()
  await eventually(async () => /all was written/.test(await logOf('stream')))
  t.same((await read(await open('/fn/stream'))).text, 'first second')
  const metrics = await (await hearth.request('/metrics')).text()
  t.match(metrics, /hearth_streamed_bytes_total [1-9]\d+/)
  t.match(metrics, /hearth_invocation_phase_seconds_count\{phase="first_byte"\} [1-9]/)
  t.match(metrics, /hearth_invocations_total\{function="short",status="timeout"\} [1-9]/)
})
