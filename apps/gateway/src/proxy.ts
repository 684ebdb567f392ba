import http, { type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { GATEWAY_PROOF_HEADER, HearthError } from '@hearth/shared'
import type { Expectations } from './expectations.ts'
import { peerAddress } from './peer-address.ts'
import { dialectOf, toRefusal } from './refusal.ts'
import { hasBody, linger, refuse } from './respond.ts'

export interface ProxyOptions {
  /** The control plane's address. */
  readonly host: string
  readonly port: number
  readonly expectations: Expectations
  /** What this process proves itself to the control plane with; undefined while it is not known. */
  readonly proof: () => string | undefined
  readonly onError: (err: unknown, requestId: string) => void
  /** How long the control plane may take to send `100 Continue` before the body is sent without it. */
  readonly continueMs?: number
}

export interface Proxy {
  forward(req: IncomingMessage, res: ServerResponse, requestId: string): void
  close(): void
}

/** Between two neighbours only; a sender may name more in `connection`. Source: RFC 9110 §7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])
/** Said by this proxy; whatever a client claims of itself is dropped. */
const FORWARDED = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  GATEWAY_PROOF_HEADER
])

/**
 * Passes everything that is no invocation to the control plane, both ways as a stream. The URL and the Host header
 * stay as they came: they are signed, and the control plane makes URLs of them. It also decides who may do what, and
 * takes this proxy's word for nothing but the address of the client.
 */
export function createProxy({ host, port, expectations, proof, onError, continueMs = 1_000 }: ProxyOptions): Proxy {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 16 })

  function forward(req: IncomingMessage, res: ServerResponse, requestId: string, attempt: Attempt = 'first'): void {
    const upstream = http.request({
      host,
      port,
      agent,
      method: req.method,
      path: req.url,
      headers: requestHeaders(req, attempt === 'head' || expectations.has(req), proof()),
      setHost: false
    })
    const abort = (): void => {
      upstream.destroy()
    }
    res.on('close', abort)

    let relayed: IncomingMessage | undefined
    upstream.on('response', (answer) => {
      if (attempt === 'head' && !isRefusal(answer)) {
        upstream.destroy(new Error('no refusal'))
        return
      }
      relayed = answer
      relay(answer, req, res)
    })
    upstream.on('error', (err: NodeJS.ErrnoException) => {
      res.off('close', abort)
      req.unpipe(upstream)
      if (res.destroyed || res.headersSent) {
        // Too late for another answer: a body cut short must look like one.
        if (relayed?.complete !== true) res.destroy()
        return
      }
      const next = nextAttempt(attempt, req, upstream, err)
      if (next !== undefined) {
        forward(req, res, requestId, next)
        return
      }
      onError(err, requestId)
      const unavailable = new HearthError(
        'CONTROL_PLANE_UNAVAILABLE',
        'The control plane does not answer. Deployed functions go on being served; try again in a moment.',
        { cause: err }
      )
      refuse(req, res, toRefusal(unavailable, dialectOf(req.url ?? ''), requestId))
    })
    if (attempt === 'head') awaitRefusal(upstream)
    else sendBody(req, res, upstream)
  }

  function awaitRefusal(upstream: ClientRequest): void {
    const timer = setTimeout(() => {
      upstream.destroy(new Error('no answer to the request without its body'))
    }, continueMs)
    for (const event of ['response', 'close']) {
      upstream.once(event, () => {
        clearTimeout(timer)
      })
    }
    upstream.flushHeaders()
  }

  function sendBody(req: IncomingMessage, res: ServerResponse, upstream: ClientRequest): void {
    if (!hasBody(req)) {
      upstream.end()
      return
    }
    if (!expectations.has(req)) {
      req.pipe(upstream)
      return
    }
    // The client waits for the control plane's word before it sends a body that may be refused.
    let told = false
    const goOn = (): void => {
      if (told) return
      told = true
      clearTimeout(timer)
      expectations.meet(req, res)
      req.pipe(upstream)
    }
    const timer = setTimeout(goOn, continueMs)
    upstream.on('continue', goOn)
    upstream.once('close', () => {
      clearTimeout(timer)
    })
    upstream.on('response', () => {
      told = true
      clearTimeout(timer)
    })
    upstream.flushHeaders()
  }

  return {
    forward: (req, res, requestId) => {
      forward(req, res, requestId)
    },
    close() {
      agent.destroy()
    }
  }
}

/** `again`: the same once more. `head`: all but the body, to hear why it was not wanted. */
type Attempt = 'first' | 'again' | 'head'

/** @returns undefined when there is nothing left to try */
function nextAttempt(
  attempt: Attempt,
  req: IncomingMessage,
  upstream: ClientRequest,
  err: NodeJS.ErrnoException
): Attempt | undefined {
  if (attempt !== 'first') return undefined
  // An idle connection that the control plane closed at this very moment; nothing was done yet.
  if (!hasBody(req)) return upstream.reusedSocket && isSafe(req.method) ? 'again' : undefined
  // A server that answers early and closes resets the connection under its own answer, which is then lost. It had not
  // seen the whole body, so nothing was done, and without one nothing will be.
  return !req.complete && (err.code === 'EPIPE' || err.code === 'ECONNRESET') ? 'head' : undefined
}

function relay(answer: IncomingMessage, req: IncomingMessage, res: ServerResponse): void {
  if (res.destroyed) {
    answer.destroy()
    return
  }
  const headers = withoutHops(answer.rawHeaders, answer.headers.connection)
  // An answer to a body that is not wholly here: the rest of it is not read, so the connection can't be used again.
  const isEarly = !req.complete && hasBody(req)
  if (isEarly) headers.push('connection', 'close')
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers)
  answer.on('error', () => {
    res.destroy()
  })
  answer.pipe(res, { end: false })
  answer.on('end', () => {
    if (isEarly && !req.complete) linger(req, res)
    else res.end()
  })
}

function requestHeaders(req: IncomingMessage, waits: boolean, proof: string | undefined): string[] {
  const kept = withoutHops(req.rawHeaders, req.headers.connection)
  const headers: string[] = []
  for (let i = 0; i < kept.length; i += 2) {
    const name = kept[i]!.toLowerCase()
    if (FORWARDED.has(name) || (name === 'expect' && !waits)) continue
    headers.push(kept[i]!, kept[i + 1]!)
  }
  headers.push('x-forwarded-for', peerAddress(req) ?? '', 'x-forwarded-proto', 'http')
  if (proof !== undefined) headers.push(GATEWAY_PROOF_HEADER, proof)
  // Node frames a body of unknown length anew; it must be told that there is one.
  if (req.headers['transfer-encoding'] !== undefined) headers.push('transfer-encoding', 'chunked')
  headers.push('connection', 'keep-alive')
  return headers
}

function withoutHops(rawHeaders: readonly string[], connection: string | undefined): string[] {
  const named = connection?.toLowerCase().split(',') ?? []
  const extra = named.map((name) => name.trim())
  const kept: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (HOP_BY_HOP.has(name)) continue
    // Host and the length can't be named away: the message would mean something else.
    if (extra.includes(name) && name !== 'host' && name !== 'content-length') continue
    kept.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  }
  return kept
}

function isRefusal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 400 && statusCode < 500
}

function isSafe(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD'
}
