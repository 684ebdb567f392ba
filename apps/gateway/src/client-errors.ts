import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HearthError } from '@hearth/shared'
import { toRefusal } from './refusal.ts'

/** Node's own record of the response that is under way on a connection. */
interface HttpSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null
}

/** Answers what never became a request: bytes that are no HTTP, and clients that are too slow. Then hangs up. */
export function answerClientError(err: Error & { code?: string }, socket: HttpSocket): void {
  const answered = socket._httpMessage?.headersSent === true
  if (err.code === 'ECONNRESET' || !socket.writable || answered) {
    socket.destroy()
    return
  }
  const { status, headers, body } = toRefusal(toHearthError(err.code), 'problem', randomUUID())
  let head = `HTTP/1.1 ${status} ${status === 408 ? 'Request Timeout' : 'Bad Request'}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
  socket.destroySoon()
}

function toHearthError(code: string | undefined): HearthError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HearthError('REQUEST_TIMEOUT', 'The request did not arrive in time.')
  if (code === 'HPE_HEADER_OVERFLOW') return new HearthError('INVALID_REQUEST', 'The request headers are too large.')
  return new HearthError('INVALID_REQUEST', 'This is not a valid HTTP request.')
}
