import { createFrameReader } from '@hearth/executor/internal/channel/frame-reader'
import { encodeInit, encodeInvoke } from '@hearth/executor/internal/channel/frame-writer'
import {
  ERROR,
  FLAG_REST,
  HEADER_BYTES,
  INIT,
  INIT_ERROR,
  INIT_OK,
  INVOKE,
  type InitMessage,
  LOG,
  MAX_LOG_BYTES,
  MAX_RESPONSE_BYTES,
  READY,
  RESULT,
  RETURNED,
  STREAM_DATA
} from '@hearth/executor/internal/protocol'
import t from 'tap'

interface Frame {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly meta: string
  readonly payload: string
}

function collect() {
  const frames: Frame[] = []
  const violations: string[] = []
  const reader = createFrameReader({
    frame: (type, flags, seq, meta, payload) => {
      frames.push({ type, flags, seq, meta: meta.toString('latin1'), payload: payload.toString('latin1') })
    },
    violation: (reason) => violations.push(reason)
  })
  return { frames, violations, reader }
}

function encode(frame: Frame): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + frame.meta.length + frame.payload.length)
  bytes.writeUInt32LE(frame.meta.length + frame.payload.length, 0)
  bytes.writeUInt8(frame.type, 4)
  bytes.writeUInt8(frame.flags, 5)
  bytes.writeUInt16LE(frame.meta.length, 6)
  bytes.writeUInt32LE(frame.seq, 8)
  bytes.write(frame.meta, HEADER_BYTES, 'latin1')
  bytes.write(frame.payload, HEADER_BYTES + frame.meta.length, 'latin1')
  return bytes
}

function header(type: number, metaBytes: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.writeUInt32LE(metaBytes + payloadBytes, 0)
  bytes.writeUInt8(type, 4)
  bytes.writeUInt16LE(metaBytes, 6)
  return bytes
}

/** A small generator of numbers that are the same in every run (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) % below
  }
}

function someFrame(random: (below: number) => number): Frame {
  const seq = random(2 ** 32 - 1)
  const flags = random(256)
  const payload = 'p'.repeat(random(4) === 0 ? random(90_000) : random(40))
  switch (random(7)) {
    case 0:
      return { type: READY, flags, seq: 0, meta: '', payload: '' }
    case 1:
      return { type: INIT_OK, flags, seq: 0, meta: '', payload: '' }
    case 2:
      return { type: INIT_ERROR, flags, seq: 0, meta: 'Runtime.X', payload }
    case 3:
      return { type: ERROR, flags, seq, meta: '\x01\x02\x03\x04Error', payload }
    case 4:
      return { type: LOG, flags, seq, meta: '012345678', payload }
    case 5:
      return { type: RETURNED, flags, seq, meta: '', payload: '' }
    default:
      return { type: RESULT, flags, seq, meta: '\xff\x00\xfe\x01', payload }
  }
}

t.test('the frames that come out are those that went in, however the stream is cut', (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed)
    const sent = Array.from({ length: 1 + random(12) }, () => someFrame(random))
    const bytes = Buffer.concat(sent.map(encode))
    const { frames, violations, reader } = collect()
    const most = [1, 3, 13, 700, 70_000][seed % 5] ?? 1
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + 1 + random(most))
      reader.push(Buffer.from(bytes.subarray(at, to)))
      at = to
    }
    t.strictSame(violations, [])
    t.ok(JSON.stringify(frames) === JSON.stringify(sent), `seed ${seed}`)
    t.equal(reader.midFrame, false)
  }
  t.end()
})

t.test('a piece of a stream is passed on as it comes, in parts that are not tiny', (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomFrom(seed)
    const sent = Array.from({ length: 6 }, (_, n) => ({
      type: STREAM_DATA,
      flags: n % 2,
      seq: n,
      meta: '',
      payload: String.fromCharCode(97 + n).repeat(random(2) === 0 ? random(65_537) : random(1_500))
    }))
    const bytes = Buffer.concat(sent.map(encode))
    const { frames, violations, reader } = collect()
    const most = [1, 700, 3_000, 65_536][seed % 4] ?? 1
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + 1 + random(most))
      reader.push(bytes.subarray(at, to))
      at = to
    }
    t.strictSame(violations, [])
    t.equal(reader.midFrame, false)
    for (const [n, frame] of sent.entries()) {
      const parts = frames.filter(({ seq }) => seq === n)
      t.ok(parts.map(({ payload }) => payload).join('') === frame.payload, `seed ${seed}`)
      t.strictSame(
        parts.map(({ flags }) => flags),
        parts.map((_, i) => (i === 0 ? 0 : FLAG_REST) + (i === parts.length - 1 ? frame.flags : 0))
      )
      t.ok(parts.slice(0, -1).every(({ payload }) => payload.length >= 1_024))
    }
  }
  const { violations, reader } = collect()
  reader.push(encode({ type: STREAM_DATA, flags: FLAG_REST, seq: 1, meta: '', payload: 'x' }))
  t.same(violations, ['a flag that is not on the wire'])
  t.end()
})

t.test('a whole frame in a chunk is a view of it, and one that spans chunks is not', (t) => {
  const views: Buffer[] = []
  const reader = createFrameReader({
    frame: (_t, _f, _s, _m, payload) => views.push(payload),
    violation: (reason) => t.fail(reason)
  })
  const bytes = encode({ type: RESULT, flags: 0, seq: 1, meta: '0123', payload: 'abc' })
  reader.push(bytes)
  t.equal(views[0]?.buffer, bytes.buffer)
  reader.push(bytes.subarray(0, 15))
  t.equal(reader.midFrame, true)
  reader.push(bytes.subarray(15))
  t.not(views[1]?.buffer, bytes.buffer)
  t.equal(views[1]?.toString(), 'abc')
  t.end()
})

t.test('a frame that must not be is refused on its header, and nothing comes after', (t) => {
  const cases: Record<string, Buffer> = {
    'unknown type': header(99, 0, 0),
    'a type that only the gateway sends': header(INVOKE, 0, 0),
    'a result that is too large': header(RESULT, 4, MAX_RESPONSE_BYTES + 1),
    'an error that is too large': header(ERROR, 4, MAX_RESPONSE_BYTES + 1),
    'a log event that is too large': header(LOG, 9, MAX_LOG_BYTES + 1),
    'the largest length there is': Buffer.concat([Buffer.from('ffffffff', 'hex'), header(RESULT, 4, 0).subarray(4)]),
    'meta that is larger than the body': Buffer.concat([Buffer.alloc(4), header(RESULT, 4, 0).subarray(4)]),
    'a result without its time': header(RESULT, 0, 10),
    'a log event without its level': header(LOG, 8, 10),
    'an error type without end': header(ERROR, 500, 0),
    'READY with a body': header(READY, 0, 1)
  }
  for (const [name, bytes] of Object.entries(cases)) {
    for (const pieces of [[bytes], [...bytes].map((byte) => Buffer.of(byte))]) {
      const { frames, violations, reader } = collect()
      reader.push(encode({ type: READY, flags: 0, seq: 0, meta: '', payload: '' }))
      for (const piece of pieces) reader.push(piece)
      reader.push(encode({ type: READY, flags: 0, seq: 0, meta: '', payload: '' }))
      t.equal(violations.length, 1, name)
      t.equal(frames.length, 1)
    }
  }
  t.end()
})

t.test('INVOKE holds its strings and the payload', (t) => {
  const id = '00000000-0000-4000-8000-000000000001'
  const payload = Buffer.from('{"a":"ä"}')
  const frame = encodeInvoke(4_294_967_295, 1_234_567.5, id, 'Root=1', 'arn:ü', '{"k":"😀"}', payload)
  t.equal(frame.readUInt32LE(0), frame.length - HEADER_BYTES)
  t.equal(frame.readUInt8(4), INVOKE)
  t.equal(frame.readUInt32LE(8), 4_294_967_295)
  t.equal(frame.readDoubleLE(12), 1_234_567.5)
  const strings: string[] = []
  let at = 20
  for (let i = 0; i < 4; i++) {
    const to = at + 2 + frame.readUInt16LE(at)
    strings.push(frame.toString('utf8', at + 2, to))
    at = to
  }
  t.strictSame(strings, [id, 'Root=1', 'arn:ü', '{"k":"😀"}'])
  t.equal(frame.readUInt16LE(6), at - HEADER_BYTES)
  t.equal(frame.toString('utf8', at), '{"a":"ä"}')
  t.throws(() => encodeInvoke(1, 0, id, 'x'.repeat(65_536), '', '', payload), RangeError)
  t.end()
})

t.test('INIT is JSON', (t) => {
  const frame = encodeInit({ handler: 'index.handler', env: { K: 'ä' } } as unknown as InitMessage)
  t.equal(frame.readUInt8(4), INIT)
  t.strictSame(JSON.parse(frame.toString('utf8', HEADER_BYTES)), { handler: 'index.handler', env: { K: 'ä' } })
  t.end()
})
