import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers with JSON. */
export function answer(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

/** Answers with an error of these APIs. */
export function refuse(res: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  answer(res, status, { errorMessage, errorType })
}

export function accepted(res: ServerResponse): void {
  answer(res, 202, { status: 'OK' })
}

/** A header's one value, or ''. */
export function header(req: IncomingMessage, name: string): string {
  const value = req.headers[name]
  return Array.isArray(value) ? (value[0] ?? '') : (value ?? '')
}

/** What came of reading a body. */
export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** More than was allowed; the rest was read and dropped. */
  | { readonly kind: 'too-large' }
  /** The connection broke before its end. */
  | { readonly kind: 'truncated' }

/** Reads a request's body. @param limit - Bytes that are kept at most */
export function readBody(req: IncomingMessage, limit: number, done: (body: Body) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  let settled = false
  const settle = (body: Body): void => {
    if (settled) return
    settled = true
    done(body)
  }
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= limit) chunks.push(chunk)
    else chunks.length = 0
  })
  req.once('end', () => {
    settle(bytes > limit ? { kind: 'too-large' } : { kind: 'whole', bytes: Buffer.concat(chunks) })
  })
  req.once('close', () => {
    settle({ kind: 'truncated' })
  })
  req.once('error', () => {
    settle({ kind: 'truncated' })
  })
}
