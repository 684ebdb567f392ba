import {
  ERROR,
  FLAG_LAST,
  FLAG_REST,
  HEADER_BYTES,
  INIT_ERROR,
  INIT_OK,
  LOG,
  MAX_CONTENT_TYPE_BYTES,
  MAX_ERROR_TYPE_BYTES,
  MAX_LOG_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_STREAM_CHUNK_BYTES,
  MAX_STREAM_ERROR_BYTES,
  READY,
  RESULT,
  RETURNED,
  SMALL_STREAM_CHUNK_BYTES,
  STARTED,
  STREAM_DATA,
  STREAM_END,
  STREAM_START
} from '../protocol.ts'

/** What a frame reader calls; callbacks and not events, because this is the hot path. */
export interface FrameSink {
  /**
   * One whole frame; a large STREAM_DATA frame may come in parts of 1 KiB at least, those after the first with FLAG_REST,
   * FLAG_LAST on the last of them only. `meta` and `payload` are views: of the chunk that was pushed or of memory of their own. They stay
   * valid, but keep that chunk alive.
   */
  frame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void
  /** The other end broke the protocol; nothing is delivered afterwards. `reason` holds none of its bytes. */
  violation(reason: string): void
}

export interface FrameReader {
  /** Takes the next bytes of the stream; calls the sink zero or more times before it returns. */
  push(chunk: Buffer): void
  /** Whether part of a frame has come and the rest has not. */
  readonly midFrame: boolean
}

interface Rule {
  readonly minMeta: number
  readonly maxMeta: number
  readonly maxPayload: number
}

const BARE: Rule = { minMeta: 0, maxMeta: 0, maxPayload: 0 }

/** What an instance may send, by frame type: checked on the header, before the body is buffered. */
const RULES: readonly (Rule | undefined)[] = (() => {
  const rules: (Rule | undefined)[] = new Array<Rule | undefined>(256).fill(undefined)
  rules[READY] = BARE
  rules[INIT_OK] = BARE
  rules[RETURNED] = BARE
  rules[STARTED] = BARE
  rules[INIT_ERROR] = { minMeta: 0, maxMeta: MAX_ERROR_TYPE_BYTES, maxPayload: MAX_RESPONSE_BYTES }
  rules[RESULT] = { minMeta: 4, maxMeta: 4, maxPayload: MAX_RESPONSE_BYTES }
  rules[ERROR] = { minMeta: 4, maxMeta: 4 + MAX_ERROR_TYPE_BYTES, maxPayload: MAX_RESPONSE_BYTES }
  rules[LOG] = { minMeta: 9, maxMeta: 9, maxPayload: MAX_LOG_BYTES }
  rules[STREAM_START] = { minMeta: 0, maxMeta: 0, maxPayload: MAX_CONTENT_TYPE_BYTES }
  rules[STREAM_DATA] = { minMeta: 0, maxMeta: 0, maxPayload: MAX_STREAM_CHUNK_BYTES }
  rules[STREAM_END] = { minMeta: 4, maxMeta: 4 + MAX_ERROR_TYPE_BYTES, maxPayload: MAX_STREAM_ERROR_BYTES }
  return rules
})()

const NOTHING = Buffer.alloc(0)

/**
 * Cuts what an instance sends into frames, whatever the chunks are. Meta has the length that its type prescribes, so
 * that the sink may read its numbers without looking.
 */
export function createFrameReader(sink: FrameSink): FrameReader {
  return new Reader(sink)
}

class Reader implements FrameReader {
  readonly #sink: FrameSink
  readonly #header = Buffer.alloc(HEADER_BYTES)
  /** Bytes in #header of a frame whose header is not whole yet. */
  #headerBytes = 0
  /** Body of a frame that spans chunks. */
  #body: Buffer | undefined
  #bodyBytes = 0
  /** What is missing of a frame that is passed on as it comes; its header is in #header. */
  #rest = 0
  #broken = false

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  get midFrame(): boolean {
    return this.#headerBytes > 0 || this.#rest > 0 || this.#body !== undefined
  }

  push(chunk: Buffer): void {
    let at = this.midFrame ? this.#continue(chunk) : 0
    const end = chunk.length
    while (!this.#broken && end - at >= HEADER_BYTES) {
      const bodyBytes = this.#check(chunk, at)
      if (bodyBytes < 0) return
      const from = at + HEADER_BYTES
      if (end - from < bodyBytes) {
        chunk.copy(this.#header, 0, at, from)
        if (this.#header[4] === STREAM_DATA && end - from >= SMALL_STREAM_CHUNK_BYTES) {
          this.#rest = bodyBytes
          this.#passOn(chunk, from, end)
          return
        }
        this.#body = Buffer.allocUnsafeSlow(bodyBytes)
        this.#bodyBytes = chunk.copy(this.#body, 0, from, end)
        return
      }
      at = from + bodyBytes
      this.#deliver(chunk, from - HEADER_BYTES, chunk, from, at, chunk[from - HEADER_BYTES + 5]!)
    }
    if (!this.#broken && at < end) this.#headerBytes = chunk.copy(this.#header, 0, at, end)
  }

  /** Completes the frame under way from `chunk`. @returns where the next one begins */
  #continue(chunk: Buffer): number {
    let at = 0
    if (this.#rest > 0) {
      const part = Math.min(this.#rest, chunk.length)
      if (part === this.#rest || part >= SMALL_STREAM_CHUNK_BYTES) {
        this.#passOn(chunk, 0, part)
        return part
      }
      // Tiny parts are collected: each that is passed on takes memory of its own.
      this.#body = Buffer.allocUnsafeSlow(this.#rest)
      this.#bodyBytes = 0
      this.#rest = 0
    } else if (this.#body === undefined) {
      at = chunk.copy(this.#header, this.#headerBytes, 0, HEADER_BYTES - this.#headerBytes)
      this.#headerBytes += at
      if (this.#headerBytes < HEADER_BYTES) return at
      const bodyBytes = this.#check(this.#header, 0)
      if (bodyBytes < 0) return at
      this.#headerBytes = 0
      this.#body = Buffer.allocUnsafeSlow(bodyBytes)
      this.#bodyBytes = 0
    }
    const body = this.#body
    const taken = chunk.copy(body, this.#bodyBytes, at)
    this.#bodyBytes += taken
    if (this.#bodyBytes < body.length) return at + taken
    this.#body = undefined
    this.#deliver(this.#header, 0, body, 0, body.length, this.#header[5]!)
    return at + taken
  }

  /** Delivers a part of the frame whose header is kept. */
  #passOn(chunk: Buffer, from: number, to: number): void {
    this.#rest -= to - from
    const flags = this.#header[5]!
    this.#deliver(this.#header, 0, chunk, from, to, this.#rest === 0 ? flags : flags & ~FLAG_LAST)
    this.#header[5] = flags | FLAG_REST
  }

  /** @returns the length of the body, or -1 if the frame must not be */
  #check(bytes: Buffer, at: number): number {
    const bodyBytes = bytes.readUInt32LE(at)
    const type = bytes.readUInt8(at + 4)
    const metaBytes = bytes.readUInt16LE(at + 6)
    const rule = RULES[type]
    if (rule === undefined) return this.#fail(`frame of unknown type ${type}`)
    if (metaBytes < rule.minMeta || metaBytes > rule.maxMeta || metaBytes > bodyBytes) {
      return this.#fail(`meta of ${metaBytes} bytes in a frame of type ${type}`)
    }
    if (type === STREAM_DATA && (bytes.readUInt8(at + 5) & FLAG_REST) !== 0) {
      return this.#fail('a flag that is not on the wire')
    }
    if (bodyBytes - metaBytes > rule.maxPayload) {
      return this.#fail(`payload of ${bodyBytes - metaBytes} bytes in a frame of type ${type}`)
    }
    return bodyBytes
  }

  #fail(reason: string): -1 {
    this.#broken = true
    this.#headerBytes = 0
    this.#sink.violation(reason)
    return -1
  }

  #deliver(header: Buffer, headerAt: number, body: Buffer, from: number, to: number, flags: number): void {
    const payloadAt = from + header.readUInt16LE(headerAt + 6)
    this.#sink.frame(
      header.readUInt8(headerAt + 4),
      flags,
      header.readUInt32LE(headerAt + 8),
      payloadAt === from ? NOTHING : body.subarray(from, payloadAt),
      payloadAt === to ? NOTHING : body.subarray(payloadAt, to)
    )
  }
}
