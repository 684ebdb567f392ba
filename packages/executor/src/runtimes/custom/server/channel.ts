import type { Socket } from 'node:net'
import {
  ERROR,
  FLAG_EXITING,
  HEADER_BYTES,
  INIT_ERROR,
  INIT_OK,
  LOG,
  LOG_LEVELS,
  MAX_CONTENT_TYPE_BYTES,
  MAX_ERROR_TYPE_BYTES,
  MAX_LOG_BYTES,
  MAX_STREAM_ERROR_BYTES,
  READY,
  RESULT,
  RETURNED,
  STARTED,
  STREAM_DATA,
  STREAM_END,
  STREAM_START
} from '../../../protocol.ts'

/** One frame from the gateway, or from a runtime that runs as a child. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly seq: number
  readonly meta: Buffer
  readonly payload: Buffer
  /** The whole of it, to be passed on. */
  readonly bytes: Buffer
}

/** Cuts what comes over a stream into frames. The other end is trusted: this is inside the sandbox. */
export function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let at = 0
    while (pending.length - at >= HEADER_BYTES) {
      const body = at + HEADER_BYTES
      const end = body + pending.readUInt32LE(at)
      if (end > pending.length) break
      const payloadAt = body + pending.readUInt16LE(at + 6)
      onFrame({
        type: pending.readUInt8(at + 4),
        flags: pending.readUInt8(at + 5),
        seq: pending.readUInt32LE(at + 8),
        meta: pending.subarray(body, payloadAt),
        payload: pending.subarray(payloadAt, end),
        bytes: pending.subarray(at, end)
      })
      at = end
    }
    pending = pending.subarray(at)
  })
}

/** What this process tells the gateway. */
export class Gateway {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  ready(): void {
    this.#send(READY, 0, 0)
  }

  initOk(flags: number): void {
    this.#send(INIT_OK, flags, 0)
  }

  initError(flags: number, errorType: string, payload: Buffer): void {
    this.#send(INIT_ERROR, flags, 0, short(errorType), payload)
  }

  result(seq: number, micros: number, payload: Buffer): void {
    this.#send(RESULT, 0, seq, u32(micros), payload)
  }

  error(seq: number, micros: number, errorType: string, payload: Buffer, exiting = false): void {
    this.#send(ERROR, exiting ? FLAG_EXITING : 0, seq, Buffer.concat([u32(micros), short(errorType)]), payload)
  }

  streamStart(seq: number, contentType: string): void {
    const type = Buffer.from(contentType, 'latin1')
    this.#send(STREAM_START, 0, seq, NOTHING, type.length > MAX_CONTENT_TYPE_BYTES ? NOTHING : type)
  }

  streamData(seq: number, bytes: Buffer): void {
    this.#send(STREAM_DATA, 0, seq, NOTHING, bytes)
  }

  /** @param errorType - '' is success */
  streamEnd(seq: number, micros: number, errorType: string, payload: Buffer, exiting = false): void {
    const flags = exiting ? FLAG_EXITING : 0
    const error = payload.length > MAX_STREAM_ERROR_BYTES ? TOO_LARGE_ERROR : payload
    this.#send(STREAM_END, flags, seq, Buffer.concat([u32(micros), short(errorType)]), error)
  }

  started(seq: number): void {
    this.#send(STARTED, 0, seq)
  }

  returned(seq: number): void {
    this.#send(RETURNED, 0, seq)
  }

  log(seq: number, level: (typeof LOG_LEVELS)[number], text: string): void {
    const meta = Buffer.alloc(9)
    meta.writeDoubleLE(Date.now())
    meta.writeUInt8(LOG_LEVELS.indexOf(level), 8)
    this.#send(LOG, 0, seq, meta, Buffer.from(text).subarray(0, MAX_LOG_BYTES))
  }

  /** Passes a frame on as it is. */
  forward(frame: Frame): void {
    this.#socket.write(frame.bytes)
  }

  /** Calls back when all that was sent has left this process. */
  flush(done: () => void): void {
    this.#socket.write('', () => {
      done()
    })
  }

  #send(type: number, flags: number, seq: number, meta: Buffer = NOTHING, payload: Buffer = NOTHING): void {
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(meta.length + payload.length)
    header.writeUInt8(type, 4)
    header.writeUInt8(flags, 5)
    header.writeUInt16LE(meta.length, 6)
    header.writeUInt32LE(seq, 8)
    this.#socket.write(Buffer.concat([header, meta, payload]))
  }
}

const NOTHING = Buffer.alloc(0)
const TOO_LARGE_ERROR = Buffer.from('{"errorMessage":"The error is too large to be shown."}')

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(Math.max(0, Math.min(value, 0xffffffff)))
  return bytes
}

function short(errorType: string): Buffer {
  return Buffer.from(errorType, 'latin1').subarray(0, MAX_ERROR_TYPE_BYTES)
}
