import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Refusal } from './refusal.ts'

/** A body up to this size goes out in one string with its headers: one write instead of a vector of two. */
const ONE_WRITE_BYTES = 8_192
/** How much of a body that nobody will read is thrown away before the connection is given up, and how long. */
const LINGER_BYTES = 8 * 1_048_576
const LINGER_MS = 2_000
const SHORT_BYTES = 65_536

/**
 * Writes a whole answer. Raw and flat on purpose: every call of every function passes here.
 *
 * @param headers - Flat: name, value, …; `content-length` is added.
 */
export function respond(res: ServerResponse, status: number, headers: string[], body: Buffer | string): void {
  // Nobody is there to read it, or (a bug) it was answered already.
  if (res.destroyed || res.headersSent) return
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (status !== 204 && status !== 304) headers.push('content-length', String(length))
  res.writeHead(status, headers)
  if (typeof body === 'string' || length > ONE_WRITE_BYTES || !endInOneWrite(res, body)) res.end(body)
}

/**
 * `res.end(body)` writes twice, the second time an empty string to learn when the first is out, which makes a vector of
 * the two. With the body behind the headers, where Node keeps those until they are sent, it is one plain write: a tenth
 * of what a short call costs here.
 *
 * @returns false when this response does not keep its headers that way, or sends no body; nothing was done then
 */
function endInOneWrite(res: ServerResponse, body: Buffer): boolean {
  const held = res as unknown as { _header: unknown; _hasBody: unknown }
  if (typeof held._header !== 'string' || held._hasBody !== true) return false
  // Latin-1 maps bytes to characters one to one and back, so this is a copy, not a change of encoding.
  held._header += body.toString('latin1')
  res.end()
  return true
}

/** Writes a refusal, also while the request's body is still on its way: that body is not kept. */
export function refuse(req: IncomingMessage, res: ServerResponse, { status, headers, body }: Refusal): void {
  if (res.destroyed || res.headersSent) return
  if (req.complete || !hasBody(req) || isShort(req)) {
    // What is left of a short body is read and forgotten by Node, and the connection goes on.
    respond(res, status, headers, body)
    return
  }
  // The rest of the body would be taken for the next request, so this connection ends here.
  headers.push('content-length', String(Buffer.byteLength(body)), 'connection', 'close')
  res.writeHead(status, headers)
  res.write(body)
  linger(req, res)
}

/**
 * Ends a response whose request is still being sent: throws away what comes for a while, then ends. Closing at once
 * would reset the connection, and the client might never see what was written.
 */
export function linger(req: IncomingMessage, res: ServerResponse): void {
  let discarded = 0
  const end = (): void => {
    clearTimeout(timer)
    res.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  req.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > LINGER_BYTES) end()
  })
  req.once('end', end)
  // A pipe that was taken off leaves it paused; unread, it would not even tell that the client is gone.
  req.resume()
  res.once('close', () => {
    clearTimeout(timer)
  })
}

/** Whether the rest of the body is sure to come and soon over: a client that waits for `100 Continue` never sends it. */
function isShort({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return length !== undefined && Number(length) <= SHORT_BYTES && headers.expect === undefined
}

export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length']
  return (length !== undefined && length !== '0') || req.headers['transfer-encoding'] !== undefined
}
