import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HearthError, toProblem } from '@hearth/shared'

/** What Node's HTTP parser says when time ran out, headers were too large, or the bytes were no HTTP. */
const CODES: Readonly<Record<string, readonly [status: number, error: HearthError]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, new HearthError('REQUEST_TIMEOUT', 'The request did not arrive in time.')],
  HPE_HEADER_OVERFLOW: [431, new HearthError('INVALID_REQUEST', 'The headers of the request are too large.')]
}
const NOT_HTTP = [400, new HearthError('INVALID_REQUEST', 'The request is not valid HTTP.')] as const
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large'
}

/** Answers what never became a request, and closes. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  // An answer that has begun can't be followed by another.
  const { _httpMessage: message } = socket as Socket & { _httpMessage?: ServerResponse }
  if (message?.headersSent === true) {
    socket.destroy()
    return
  }
  const [status, problem] = CODES[error.code ?? ''] ?? NOT_HTTP
  const body = JSON.stringify({ ...toProblem(problem), status })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXTS[status] ?? ''}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  )
}
