import {
  ERROR,
  FLAG_LAST,
  FLAG_STREAM,
  HEADER_BYTES,
  INIT_ERROR,
  INIT_OK,
  INVOKE_FIXED_BYTES,
  LOG,
  MAX_CONTENT_TYPE_BYTES,
  MAX_ERROR_TYPE_BYTES,
  MAX_LOG_BYTES,
  READY,
  RESULT,
  RETURNED,
  STREAM_DATA,
  STREAM_END,
  STREAM_START
} from '../../protocol.ts'
import {
  allocate,
  byteLength,
  copyWithin,
  latin1Slice,
  latin1Write,
  setBytes,
  subarray,
  utf8Slice,
  utf8Write
} from './primordials.ts'

const USUAL_BYTES = 65_536
/** Up to this length a text gets room for the worst case (3 bytes each) instead of being measured first. */
const UNMEASURED_CHARS = 8_192

/** One event as it came over the channel. */
export interface InvokeEvent {
  readonly seq: number
  /** Unix time. */
  readonly deadlineMs: number
  readonly requestId: string
  readonly traceId: string
  readonly invokedArn: string
  /** JSON or ''. */
  readonly clientContext: string
  /** JSON or ''. */
  readonly payload: string
  /** The caller takes the answer as it comes. */
  readonly streamed: boolean
}

const f64 = new Float64Array(1)
const f64Bytes = new Uint8Array(f64.buffer)

/**
 * What the gateway has sent and nobody has taken yet. The gateway is trusted: nothing is checked.
 * Numbers are read byte by byte, because every method of Buffer can be patched by the function.
 */
export class Inbox {
  #bytes: Buffer = allocate(USUAL_BYTES)
  #start = 0
  #end = 0

  /** Whether a whole frame is there; `type`, `seq` and the readers speak of the first one. */
  ready(): boolean {
    const have = this.#end - this.#start
    return have >= HEADER_BYTES && have >= HEADER_BYTES + readU32(this.#bytes, this.#start)
  }

  get type(): number {
    return this.#bytes[this.#start + 4] ?? 0
  }

  get seq(): number {
    return readU32(this.#bytes, this.#start + 8)
  }

  /** Drops the first frame. */
  skip(): void {
    this.#start += HEADER_BYTES + readU32(this.#bytes, this.#start)
  }

  /** Takes the first frame's payload as text. */
  takeText(): string {
    const { from, to } = this.#payload()
    this.#start = to
    return utf8Slice(this.#bytes, from, to)
  }

  /** Takes the first frame, which must be an INVOKE. */
  takeInvoke(): InvokeEvent {
    const bytes = this.#bytes
    const seq = this.seq
    const streamed = ((bytes[this.#start + 5] ?? 0) & FLAG_STREAM) !== 0
    const { from, to } = this.#payload()
    let at = this.#start + HEADER_BYTES
    for (let i = 0; i < 8; i++) f64Bytes[i] = bytes[at + i] ?? 0
    const deadlineMs = f64[0] ?? 0
    at += INVOKE_FIXED_BYTES
    const idEnd = at + 2 + readU16(bytes, at)
    const requestId = latin1Slice(bytes, at + 2, idEnd)
    const traceEnd = idEnd + 2 + readU16(bytes, idEnd)
    const arnEnd = traceEnd + 2 + readU16(bytes, traceEnd)
    this.#start = to
    return {
      seq,
      deadlineMs,
      requestId,
      traceId: text(bytes, idEnd + 2, traceEnd),
      invokedArn: text(bytes, traceEnd + 2, arnEnd),
      clientContext: text(bytes, arnEnd + 2, from),
      payload: text(bytes, from, to),
      streamed
    }
  }

  /** Takes the first frame, which must be a WINDOW. @returns the cost that is given back */
  takeWindow(): number {
    const cost = readU32(this.#bytes, this.#start + HEADER_BYTES)
    this.skip()
    return cost
  }

  /** Lets `read` put bytes behind what is there. @returns what `read` returned: the number of bytes, 0 at the end */
  fill(read: (into: Buffer, at: number, bytes: number) => number): number {
    this.#makeRoom(1)
    const count = read(this.#bytes, this.#end, this.#bytes.length - this.#end)
    this.#end += count
    return count
  }

  /** Puts the first `count` bytes of `from` behind what is there. */
  append(from: Uint8Array, count: number): void {
    this.#makeRoom(count)
    setBytes(this.#bytes, subarray(from, 0, count), this.#end)
    this.#end += count
  }

  /** Makes room for at least `count` more bytes, and for the rest of the frame that has begun. */
  #makeRoom(count: number): void {
    const have = this.#end - this.#start
    if (have === 0) {
      this.#start = this.#end = 0
      if (this.#bytes.length > USUAL_BYTES) this.#bytes = allocate(USUAL_BYTES)
    }
    const frame = have >= HEADER_BYTES ? HEADER_BYTES + readU32(this.#bytes, this.#start) : HEADER_BYTES
    const need = frame > have + count ? frame : have + count
    if (need <= this.#bytes.length - this.#start) return
    if (need <= this.#bytes.length) {
      copyWithin(this.#bytes, 0, this.#start, this.#end)
    } else {
      const bigger = allocate(need)
      setBytes(bigger, subarray(this.#bytes, this.#start, this.#end), 0)
      this.#bytes = bigger
    }
    this.#start = 0
    this.#end = have
  }

  #payload(): { from: number; to: number } {
    const body = this.#start + HEADER_BYTES
    return { from: body + readU16(this.#bytes, this.#start + 6), to: body + readU32(this.#bytes, this.#start) }
  }
}

/** Frames for the gateway, one behind the other in one piece of memory, until they are sent in one write. */
export class Outbox {
  #bytes: Buffer = allocate(USUAL_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  ready(): void {
    this.#frame(READY, 0, 0, '')
  }

  initOk(): void {
    this.#frame(INIT_OK, 0, 0, '')
  }

  initError(errorType: string, body: string): void {
    this.#frame(INIT_ERROR, 0, shorter(errorType), body)
    this.#lastMetaText(0, errorType)
  }

  result(seq: number, micros: number, body: string): void {
    this.#frame(RESULT, seq, 4, body)
    writeU32(this.#bytes, this.#at + HEADER_BYTES, micros)
  }

  error(seq: number, micros: number, errorType: string, body: string): void {
    this.#frame(ERROR, seq, 4 + shorter(errorType), body)
    writeU32(this.#bytes, this.#at + HEADER_BYTES, micros)
    this.#lastMetaText(4, errorType)
  }

  /** A result that is no text. */
  resultBytes(seq: number, micros: number, body: Uint8Array): void {
    this.#frame(RESULT, seq, 4, '')
    this.#append(body, 0, body.length)
    writeU32(this.#bytes, this.#at + HEADER_BYTES, micros)
  }

  streamStart(seq: number, contentType: string): void {
    const shown = contentType.length > MAX_CONTENT_TYPE_BYTES ? '' : contentType
    this.#frame(STREAM_START, seq, 0, '')
    this.#makeRoom(shown.length)
    latin1Write(this.#bytes, shown, this.#length, shown.length)
    this.#length += shown.length
    writeU32(this.#bytes, this.#at, shown.length)
  }

  /** The bytes of `chunk` from `from` to `to`. */
  streamData(seq: number, chunk: Uint8Array, from: number, to: number, isLast: boolean): void {
    this.#frame(STREAM_DATA, seq, 0, '')
    if (isLast) this.#bytes[this.#at + 5] = FLAG_LAST
    this.#append(chunk, from, to)
  }

  streamEnd(seq: number, micros: number, errorType: string, body: string): void {
    this.#frame(STREAM_END, seq, 4 + shorter(errorType), body)
    writeU32(this.#bytes, this.#at + HEADER_BYTES, micros)
    this.#lastMetaText(4, errorType)
  }

  returned(seq: number): void {
    this.#frame(RETURNED, seq, 0, '')
  }

  /** One log event; a longer one than the protocol carries goes out in pieces that end between characters. */
  log(seq: number, atMs: number, level: number, line: string): void {
    if (line.length * 3 > MAX_LOG_BYTES && byteLength(line) > MAX_LOG_BYTES) {
      const chars = MAX_LOG_BYTES / 4
      let from = 0
      while (from < line.length) {
        let to = from + chars
        const last = line.charCodeAt(to - 1)
        if (last >= 0xd800 && last < 0xdc00) to--
        this.log(seq, atMs, level, line.slice(from, to))
        from = to
      }
      return
    }
    this.#frame(LOG, seq, 9, line)
    const meta = this.#at + HEADER_BYTES
    f64[0] = atMs
    for (let i = 0; i < 8; i++) this.#bytes[meta + i] = f64Bytes[i] ?? 0
    this.#bytes[meta + 8] = level
  }

  /** Takes the bytes from `from` to `to` out again. */
  cut(from: number, to: number): void {
    copyWithin(this.#bytes, from, to, this.#length)
    this.#length -= to - from
  }

  /** Hands everything to `write` and is empty then. */
  drain(write: (from: Buffer, at: number, bytes: number) => number): void {
    const bytes = this.#bytes
    const length = this.#length
    this.#length = 0
    if (bytes.length > USUAL_BYTES * 4) this.#bytes = allocate(USUAL_BYTES)
    for (let at = 0; at < length; ) at += write(bytes, at, length - at)
  }

  /** Where the last frame begins. */
  #at = 0

  #frame(type: number, seq: number, metaBytes: number, payload: string): void {
    const from = this.#length
    const head = HEADER_BYTES + metaBytes
    const most = payload.length <= UNMEASURED_CHARS ? payload.length * 3 : byteLength(payload)
    this.#makeRoom(head + most)
    const bytes = this.#bytes
    const count = payload === '' ? 0 : utf8Write(bytes, payload, from + head, most)
    writeU32(bytes, from, metaBytes + count)
    bytes[from + 4] = type
    bytes[from + 5] = 0
    bytes[from + 6] = metaBytes & 0xff
    bytes[from + 7] = metaBytes >>> 8
    writeU32(bytes, from + 8, seq)
    this.#at = from
    this.#length = from + head + count
  }

  /** Puts bytes behind the payload of the last frame. */
  #append(from: Uint8Array, start: number, end: number): void {
    this.#makeRoom(end - start)
    setBytes(this.#bytes, subarray(from, start, end), this.#length)
    this.#length += end - start
    writeU32(this.#bytes, this.#at, this.#length - this.#at - HEADER_BYTES)
  }

  #lastMetaText(metaAt: number, value: string): void {
    latin1Write(this.#bytes, value, this.#at + HEADER_BYTES + metaAt, shorter(value))
  }

  #makeRoom(count: number): void {
    const need = this.#length + count
    if (need <= this.#bytes.length) return
    const bigger = allocate(need > this.#bytes.length * 2 ? need : this.#bytes.length * 2)
    setBytes(bigger, subarray(this.#bytes, 0, this.#length), 0)
    this.#bytes = bigger
  }
}

function shorter(errorType: string): number {
  return errorType.length < MAX_ERROR_TYPE_BYTES ? errorType.length : MAX_ERROR_TYPE_BYTES
}

function text(bytes: Buffer, from: number, to: number): string {
  return from === to ? '' : utf8Slice(bytes, from, to)
}

function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
}

function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff
  bytes[at + 1] = (value >>> 8) & 0xff
  bytes[at + 2] = (value >>> 16) & 0xff
  bytes[at + 3] = value >>> 24
}
