import { Writable } from 'node:stream'
import {
  MAX_RESPONSE_BYTES,
  MAX_STREAM_BYTES,
  MAX_STREAM_CHUNK_BYTES,
  STREAM_FRAME_COST,
  STREAM_WINDOW
} from '../../protocol.ts'
import { RuntimeError } from './errors.ts'
import { later, stringify } from './primordials.ts'

/** Where the pieces of streamed answers go. */
export interface StreamPort {
  start(seq: number, contentType: string): void
  /** Sends the bytes of `chunk` from `from` to `to` at once. */
  data(seq: number, chunk: Uint8Array, from: number, to: number, isLast: boolean): void
  /** Whether a stream waits for room: that is work too, though the event loop does not see it. */
  hold(on: boolean): void
}

/** As in AWS's runtime. */
const HIGH_WATER_MARK = 65_536
/** A piece smaller than this is not cut off a larger one: it is worth waiting for more room. */
const LEAST_CUT = 4_096
/** After a write of so many bytes at once nothing small is worth waiting for. */
const LARGE_WRITE = 16_384
const EMPTY = new Uint8Array(0)

type Done = (error?: Error | null) => void

/**
 * What a streaming handler writes its answer to. With a port, pieces leave as they are written, as far as the gateway
 * gives room; without one they are collected.
 */
export class ResponseStream extends Writable {
  /** Set by HttpResponseStream.from, as AWS's runtime has it: called with a `write` before the first byte. */
  _onBeforeFirstWrite: ((write: (chunk: string | Uint8Array) => void) => void) | undefined
  readonly #seq: number
  readonly #port: StreamPort | undefined
  readonly #onOverflow: () => void
  readonly #limit: number
  #contentType = ''
  #begun = false
  #started = false
  #left = STREAM_WINDOW
  #bytes = 0
  #queue: Uint8Array[] = []
  /** Where in the first of the queue. */
  #at = 0
  #done: Done | undefined
  /** The write that is under way. */
  #isLarge = false
  #isHolding = false
  #isDetached = false
  #onFinished: (() => void) | undefined

  /** @param onOverflow - Called once when more is written than an answer may have; what follows is dropped */
  constructor(seq: number, port: StreamPort | undefined, highWaterMark: number | undefined, onOverflow: () => void) {
    super({ highWaterMark: highWaterMark ?? HIGH_WATER_MARK })
    this.#seq = seq
    this.#port = port
    this.#limit = port === undefined ? MAX_RESPONSE_BYTES : MAX_STREAM_BYTES
    this.#onOverflow = onOverflow
    // Who destroys it without listening for the error gets it as the handler's, not as one that ends the process.
    this.on('error', ignore)
  }

  /** Whether the gateway knows of this stream. */
  get started(): boolean {
    return this.#started
  }

  /** What was written without a port. */
  get collected(): Uint8Array {
    return Buffer.concat(this.#queue)
  }

  /** @throws RuntimeError once something was written */
  setContentType(contentType: string): void {
    if (this.#begun) throw new RuntimeError('InvalidStreamingOperation', 'Cannot set content-type, too late.')
    this.#contentType = String(contentType)
  }

  /** Calls back once everything is on its way. */
  whenFinished(done: () => void): void {
    if (this.writableFinished) done()
    else this.#onFinished = done
  }

  /** The gateway has taken as much. */
  credit(cost: number): void {
    this.#left += cost
    this.#pump()
  }

  /** The event is over: what is still written goes nowhere. */
  detach(): void {
    this.#isDetached = true
    if (this.#port !== undefined) this.#queue = []
    this.#hold(false)
    this.#finishWrite()
  }

  override write(chunk: unknown, encoding?: unknown, done?: unknown): boolean {
    return super.write(jsonUnlessBytes(chunk), encoding as BufferEncoding, done as Done)
  }

  override end(chunk?: unknown, encoding?: unknown, done?: unknown): this {
    const isData = chunk !== undefined && chunk !== null && typeof chunk !== 'function'
    return super.end(isData ? jsonUnlessBytes(chunk) : chunk, encoding as BufferEncoding, done as Done)
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#begin()
    this.#isLarge = chunk.length >= LARGE_WRITE
    this.#take([chunk], chunk.length, done)
  }

  override _writev(writes: { chunk: Uint8Array }[], done: Done): void {
    this.#begin()
    const chunks = writes.map(({ chunk }) => chunk)
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.#isLarge = bytes >= LARGE_WRITE
    this.#take(joined(chunks), bytes, done)
  }

  override _final(done: Done): void {
    this.#begin()
    done()
    if (!this.#isDetached) this.#port?.data(this.#seq, EMPTY, 0, 0, true)
    // Those who wait for `finish` go first.
    later(() => this.#onFinished?.())
  }

  /** Says that an answer begins, and puts what has to come first before it. */
  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    const first: Uint8Array[] = []
    this._onBeforeFirstWrite?.((chunk) => first.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
    if (this.#port !== undefined && !this.#isDetached) {
      this.#started = true
      this.#port.start(this.#seq, this.#contentType)
    }
    if (first.length === 0) return
    const prelude = Buffer.concat(first)
    this.#take([prelude], prelude.length, undefined)
  }

  #take(chunks: readonly Uint8Array[], bytes: number, done: Done | undefined): void {
    this.#done = done
    if (this.#isDetached) {
      this.#finishWrite()
      return
    }
    this.#bytes += bytes
    if (this.#bytes > this.#limit) {
      this.#onOverflow()
      this.#finishWrite()
      return
    }
    for (const chunk of chunks) if (chunk.length > 0) this.#queue.push(chunk)
    if (this.#port === undefined) this.#finishWrite()
    else this.#pump()
  }

  #pump(): void {
    const port = this.#port
    for (let chunk = this.#queue[0]; chunk !== undefined && port !== undefined; chunk = this.#queue[0]) {
      const rest = chunk.length - this.#at
      const room = Math.min(this.#left - STREAM_FRAME_COST, MAX_STREAM_CHUNK_BYTES)
      if (room < Math.min(rest, LEAST_CUT)) {
        this.#hold(true)
        return
      }
      const to = this.#at + Math.min(rest, room)
      this.#left -= to - this.#at + STREAM_FRAME_COST
      port.data(this.#seq, chunk, this.#at, to, false)
      this.#at = to
      if (to === chunk.length) {
        this.#queue.shift()
        this.#at = 0
      }
    }
    this.#hold(false)
    this.#finishWrite()
  }

  /** After small writes a turn later, so that what is written meanwhile is taken together. */
  #finishWrite(): void {
    const done = this.#done
    if (done === undefined) return
    this.#done = undefined
    if (this.#isLarge) done()
    else later(() => done())
  }

  #hold(on: boolean): void {
    if (this.#isHolding === on) return
    this.#isHolding = on
    this.#port?.hold(on)
  }
}

function ignore(): void {
  // See the constructor.
}

/** Small chunks that were written while another was under way leave together. */
function joined(chunks: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let group: Uint8Array[] = []
  let bytes = 0
  const close = (): void => {
    if (group.length > 0) pieces.push(group.length === 1 ? group[0]! : Buffer.concat(group, bytes))
    group = []
    bytes = 0
  }
  for (const chunk of chunks) {
    if (bytes + chunk.length > MAX_STREAM_CHUNK_BYTES) close()
    group.push(chunk)
    bytes += chunk.length
  }
  close()
  return pieces
}

/** As AWS's runtime does: what is neither text nor bytes is written as JSON. */
function jsonUnlessBytes(chunk: unknown): unknown {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : stringify(chunk)
}
