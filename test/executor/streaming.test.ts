import { randomUUID } from 'node:crypto'
import type { FunctionSpec } from '@hearth/executor'
import t from 'tap'
import { StreamCaller, startExecutor, valueOf } from '../helpers/executor.ts'
import { eventually } from '../helpers/hearth.ts'

const MIB = 1_048_576
/** What the protocol lets be under way of one stream. */
const WINDOW = 524_288

const BACKENDS: readonly { name: string; spec: Partial<FunctionSpec> }[] = [
  { name: 'process', spec: {} },
  { name: 'concurrent on the main thread', spec: { concurrency: 4 } },
  { name: 'threads', spec: { backend: 'threads', concurrency: 4 } }
]

const SOURCE = `
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
const plain = async (event) => ({ plain: event })
const streaming = awslambda.streamifyResponse(async (event, stream, context) => {
  switch (event.do) {
    case 'type': stream.setContentType('text/plain'); break
    case 'late type': stream.write('x'); stream.setContentType('text/plain'); break
    case 'http':
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } })
      break
    case 'empty': stream.end(); return
    case 'object': stream.write({ a: 1 }); stream.end(); return
    case 'throw': throw new TypeError('before')
    case 'throw later': stream.write('half'); await delay(20); throw new TypeError('in the middle')
    case 'unfinished': stream.write('half'); return
    case 'hang': stream.write('half'); await delay(60000); return
    case 'exit': stream.write('half'); await delay(50); process.exit(3)
    case 'pipe': Readable.from(['p', 'i', 'p', 'e']).pipe(stream); return
    case 'after': stream.write('all'); stream.end(); await delay(300); console.log('after the end'); return
    case 'numbers':
      for (let i = 0; i < event.count; i++) stream.write(i + ',')
      stream.end()
      return
    case 'bytes': {
      const piece = Buffer.alloc(event.piece ?? 65536, 'x')
      let sent = 0
      await pipeline(Readable.from((function* () {
        for (; sent < event.bytes; sent += piece.length) yield piece
      })()), stream)
      return
    }
  }
  stream.write('hello ')
  await delay(event.ms ?? 0)
  stream.end('world')
})
export const handler = streaming
export const buffered = plain
export const sync = awslambda.streamifyResponse((event, stream) => { stream.end('x') })
`

for (const { name, spec } of BACKENDS) {
  t.test(`streamed answers: ${name}`, async (t) => {
    const codeDir = t.testdir({ 'index.mjs': SOURCE })
    const { pool: open, invoke, lines, exits } = await startExecutor(t)
    const pool = open({ ...spec, codeDir, timeoutMs: 5_000 })
    const call = async (payload: object, caller = new StreamCaller(), to = pool) => ({
      caller,
      outcome: await invoke(to, payload, { stream: caller })
    })

    t.test('pieces come while the handler runs', async (t) => {
      const caller = new StreamCaller()
      let settled = false
      const first = new Promise<string>((resolve) => {
        caller.onPiece = (piece) => resolve(`${piece.toString()}, settled: ${settled}`)
      })
      const done = invoke(pool, { ms: 100 }, { stream: caller })
      void done.then(() => {
        settled = true
      })
      t.equal(await first, 'hello , settled: false')
      const outcome = await done
      t.match(outcome, { status: 'ok', errorType: '', streamed: { bytes: 11 } })
      t.ok(outcome.streamed!.firstByteMs < outcome.phases.executeMs - 50, 'the first byte is long before the end')
      t.equal(caller.text, 'hello world')
      t.equal(caller.contentType, '')
    })

    t.test('content type, prelude, objects, and answers without a byte', async (t) => {
      t.equal((await call({ do: 'type' })).caller.contentType, 'text/plain')
      const { caller } = await call({ do: 'http' })
      t.equal(caller.contentType, 'application/vnd.awslambda.http-integration-response')
      t.equal(caller.text, `{"statusCode":201,"headers":{"a":"b"}}${'\0'.repeat(8)}hello world`)
      t.equal((await call({ do: 'object' })).caller.text, '{"a":1}')
      const empty = await call({ do: 'empty' })
      t.match(empty.outcome, { status: 'ok', streamed: { bytes: 0 } })
      t.match((await call({ do: 'late type' })).outcome, {
        status: 'error',
        errorType: 'Runtime.InvalidStreamingOperation'
      })
    })

    t.test('a caller that does not stream gets the answer as a whole', async (t) => {
      const outcome = await invoke(pool, {})
      t.match(outcome, { status: 'ok', streamed: undefined })
      t.equal(outcome.payload.toString(), 'hello world')
      t.match(await invoke(pool, { do: 'bytes', bytes: 7 * MIB }), {
        status: 'error',
        errorType: 'Function.ResponseSizeTooLarge',
        streamed: undefined
      })
      t.match(await invoke(pool, { do: 'throw later' }), { status: 'error', errorType: 'TypeError' })
    })

    t.test('a handler that does not stream answers a streaming caller as ever', async (t) => {
      const plain = open({ ...spec, codeDir, handler: 'index.buffered' })
      const { caller, outcome } = await call({ a: 1 }, undefined, plain)
      t.match(outcome, { status: 'ok', streamed: undefined })
      t.same(valueOf(outcome), { plain: { a: 1 } })
      t.equal(caller.contentType, undefined)
      const sync = open({ ...spec, codeDir, handler: 'index.sync' })
      const refused = (await call({}, undefined, sync)).outcome
      t.match(valueOf(refused), { errorMessage: 'Streaming does not support non-async handlers.' })
    })

    t.test('errors before and after the first byte', async (t) => {
      const before = await call({ do: 'throw' })
      t.match(before.outcome, { status: 'error', errorType: 'TypeError', streamed: undefined })
      const later = await call({ do: 'throw later' })
      t.match(later.outcome, { status: 'error', errorType: 'TypeError', streamed: { bytes: 4 } })
      t.match(valueOf(later.outcome), { errorMessage: 'in the middle' })
      t.equal(later.caller.text, 'half')
      const { outcome } = await call({})
      t.match(outcome, { status: 'ok', cold: false }, 'the instance lives on')
    })

    t.test('a stream is over when it is ended, whoever ends it', async (t) => {
      t.equal((await call({ do: 'pipe' })).caller.text, 'pipe')
      const { caller, outcome } = await call({ do: 'unfinished' })
      t.match(outcome, { status: 'error', streamed: { bytes: 4 } })
      t.match(valueOf(outcome), { errorMessage: 'Response stream is not finished.' })
      t.equal(caller.text, 'half')
    })

    t.test('the caller learns that all has come though the handler goes on', async (t) => {
      const caller = new StreamCaller()
      const requestId = randomUUID()
      const done = invoke(pool, { do: 'after' }, { stream: caller, requestId })
      let isSettled = false
      void done.then(() => {
        isSettled = true
      })
      await eventually(() => caller.isFinished)
      t.equal(isSettled, false)
      t.equal(caller.text, 'all')
      t.ok((await done).phases.executeMs >= 290)
      t.ok(lines.some((line) => line.requestId === requestId && line.text.includes('after the end')))
    })

    t.test('many small writes arrive in order', async (t) => {
      const { caller } = await call({ do: 'numbers', count: 20_000 })
      t.equal(caller.text, Array.from({ length: 20_000 }, (_, i) => `${i},`).join(''))
      t.ok(caller.pieces.length < 1_000, `in ${caller.pieces.length} pieces`)
    })

    t.test('a slow caller stops its function, and nobody else', async (t) => {
      const slow = new StreamCaller({ slow: true, keep: false })
      const done = invoke(pool, { do: 'bytes', bytes: 4 * MIB, piece: 10_000 }, { stream: slow })
      await eventually(() => slow.held > WINDOW - 70_000)
      for (let i = 0; i < 8; i++) t.equal((await call({ n: i })).caller.text, 'hello world')
      t.ok(slow.held <= WINDOW, `${slow.held} of it were under way`)
      const drain = setInterval(() => slow.drain(), 1)
      const outcome = await done
      clearInterval(drain)
      t.match(outcome, { status: 'ok' })
      t.ok(slow.bytes >= 4 * MIB)
      t.ok(slow.peak <= WINDOW)
    })

    t.test('more than 200 MB is refused as Lambda refuses it, and the instance lives on', async (t) => {
      const before = exits.length
      const { caller, outcome } = await call({ do: 'bytes', bytes: 201 * MIB }, new StreamCaller({ keep: false }))
      t.match(outcome, { status: 'error', errorType: 'Function.ResponseSizeTooLarge' })
      t.equal(caller.bytes, 200 * MIB)
      t.equal(exits.length, before)
      t.match((await call({})).outcome, { status: 'ok', cold: false })
    })

    t.test('a crash or a timeout in mid-stream is told as ever', async (t) => {
      const crash = await call({ do: 'exit' })
      t.match(crash.outcome, { status: 'crash', errorType: 'Runtime.ExitError', streamed: { bytes: 4 } })
      t.equal(crash.caller.text, 'half')
      const requestId = randomUUID()
      const short = open({ ...spec, codeDir, timeoutMs: 1_000 })
      const outcome = await invoke(short, { do: 'hang' }, { stream: new StreamCaller(), requestId })
      t.match(outcome, { status: 'timeout', errorType: 'Sandbox.Timedout', streamed: { bytes: 4 } })
      await eventually(() =>
        lines.some((line) => line.requestId === requestId && /REPORT.*Status: timeout/.test(line.text))
      )
      const stalled = new StreamCaller({ slow: true, keep: false })
      const late = await invoke(short, { do: 'bytes', bytes: 4 * MIB }, { stream: stalled })
      t.match(late, { status: 'timeout' }, 'waiting for its caller counts as the function’s time')
      t.ok(stalled.peak <= WINDOW)
    })
  })
}

/** A function that speaks to the gateway behind its runtime's back. */
const FORGER = `
const fs = require('node:fs')
const frame = (type, seq, meta, payload, flags = 0) => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32LE(meta.length + payload.length)
  bytes[4] = type
  bytes[5] = flags
  bytes.writeUInt16LE(meta.length, 6)
  bytes.writeUInt32LE(seq, 8)
  return Buffer.concat([bytes, meta, payload])
}
const none = Buffer.alloc(0)
const START = frame(23, 1, none, none)
const data = (bytes, flags) => frame(24, 1, none, Buffer.alloc(bytes), flags)
const END = frame(25, 1, Buffer.alloc(4), none)
const FORGERIES = {
  'a piece before the start': [data(10)],
  'an end before the start': [END],
  'two starts': [START, START],
  'a start for an event that is not in flight': [frame(23, 7, none, none)],
  'a piece beyond the window': [START, ...Array(9).fill(data(65536))],
  'a flood of tiny pieces': [START, ...Array(4000).fill(data(1))],
  'empty pieces without end': [START, ...Array(4000).fill(data(0))],
  'pieces that are the rest of none': [START, data(1, 128)],
  'a piece that is too long': [START, data(65537)],
  'a piece after the last': [START, data(1, 1), data(1)],
  'a result of an event that streams': [START, frame(19, 1, Buffer.alloc(4), Buffer.from('1'))],
  'an end twice': [START, END, END],
  'a content type that is too long': [frame(23, 1, none, Buffer.alloc(1025))],
  'an error that is too long': [START, frame(25, 1, Buffer.alloc(4), Buffer.alloc(262145))]
}
exports.handler = async (event) => {
  if (event.forge === undefined) return 'fine'
  const bytes = Buffer.concat(FORGERIES[event.forge])
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(3, bytes, at)
  await new Promise((resolve) => setTimeout(resolve, 60000))
}
`

t.test('an instance that breaks the rules of streams is ended, and only it', async (t) => {
  const codeDir = t.testdir({ 'index.js': FORGER })
  const { pool: open, invoke, exits } = await startExecutor(t)
  for (const forge of [
    'a piece before the start',
    'an end before the start',
    'two starts',
    'a start for an event that is not in flight',
    'a piece beyond the window',
    'a flood of tiny pieces',
    'empty pieces without end',
    'pieces that are the rest of none',
    'a piece that is too long',
    'a piece after the last',
    'a result of an event that streams',
    'an end twice',
    'a content type that is too long',
    'an error that is too long'
  ]) {
    const pool = open({ codeDir, timeoutMs: 10_000 })
    const ended = () => exits.filter((reason) => reason === 'protocol').length
    const before = ended()
    const caller = new StreamCaller({ slow: true })
    const outcome = await invoke(pool, { forge }, { stream: caller })
    if (forge !== 'an end twice') {
      t.match(outcome, { status: 'crash', errorType: 'Runtime.ExitError' }, forge)
      t.match(valueOf(outcome), { errorMessage: /Runtime sent an invalid message/ }, forge)
    }
    await eventually(() => ended() > before)
    t.ok(caller.peak <= WINDOW, forge)
    t.match(await invoke(pool, {}), { status: 'ok' }, `${forge}: the next event is served`)
    pool.retire()
  }
  const pool = open({ codeDir })
  t.match(await invoke(pool, { forge: 'a piece before the start' }), { status: 'crash' }, 'nobody asked for a stream')
})
