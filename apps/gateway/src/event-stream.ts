import { crc32 } from 'node:zlib'
import type { Outcome, Phases } from '@hearth/executor'
import { StreamedResponse } from './streamed-response.ts'

const CONTENT_TYPE = 'application/vnd.amazon.eventstream'
/** Lengths and their checksum before the headers, and the checksum at the end. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
/** Type of a header's value. */
const STRING = 7

const PAYLOAD_CHUNK = encodeHeaders({
  ':event-type': 'PayloadChunk',
  ':content-type': 'application/octet-stream',
  ':message-type': 'event'
})
const INVOKE_COMPLETE = encodeHeaders({
  ':event-type': 'InvokeComplete',
  ':content-type': 'application/json',
  ':message-type': 'event'
})

/** The answer to InvokeWithResponseStream: the function's bytes in AWS's event-stream framing. */
export class EventStream extends StreamedResponse {
  finish(): void {
    // Its end is told by InvokeComplete, when the function has ended.
  }

  /** The function has ended. An answer that was not streamed is here as a whole. */
  end(outcome: Outcome): void {
    const { res } = this.call
    const failed = outcome.status !== 'ok'
    if (!res.headersSent) {
      this.begin('', outcome.phases)
      if (!failed && outcome.payload.length > 0) res.write(encodeMessage(PAYLOAD_CHUNK, outcome.payload))
    }
    const complete = {
      ...(failed ? { ErrorCode: errorCode(outcome), ErrorDetails: outcome.payload.toString() } : {}),
      ...(outcome.tail === undefined ? {} : { LogResult: outcome.tail.toString('base64') })
    }
    res.end(encodeMessage(INVOKE_COMPLETE, Buffer.from(JSON.stringify(complete))))
  }

  protected begin(_contentType: string, phases: Phases): void {
    const own = this.ownHeaders(phases)
    this.call.res.writeHead(200, ['content-type', CONTENT_TYPE, 'x-amz-executed-version', this.call.version, ...own])
  }

  protected piece(bytes: Buffer, sent: () => void): void {
    this.write(encodeMessage(PAYLOAD_CHUNK, bytes), sent)
  }
}

/** The function's own type of error, or the platform's. */
function errorCode({ errorType }: Outcome): string {
  return errorType === '' ? 'Unhandled' : errorType
}

function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const head = Buffer.alloc(4 + name.length)
      head.writeUInt8(name.length)
      head.write(name, 1)
      head.writeUInt8(STRING, 1 + name.length)
      head.writeUInt16BE(value.length, 2 + name.length)
      return Buffer.concat([head, Buffer.from(value)])
    })
  )
}

/** One message. @see reference: Lambda control API §16, InvokeWithResponseStream */
function encodeMessage(headers: Buffer, payload: Buffer): Buffer {
  const length = PRELUDE_BYTES + headers.length + payload.length + CHECKSUM_BYTES
  const message = Buffer.allocUnsafe(length)
  message.writeUInt32BE(length, 0)
  message.writeUInt32BE(headers.length, 4)
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8)
  headers.copy(message, PRELUDE_BYTES)
  payload.copy(message, PRELUDE_BYTES + headers.length)
  message.writeUInt32BE(crc32(message.subarray(0, length - CHECKSUM_BYTES)), length - CHECKSUM_BYTES)
  return message
}
