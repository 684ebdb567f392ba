import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AuthBackoff, type Authenticator, HearthError, type Principal, type RequestFacts } from '@hearth/shared'
import type { Directory } from './directory.ts'
import type { Expectations } from './expectations.ts'
import type { Metrics } from './metrics.ts'
import { peerAddress } from './peer-address.ts'
import { readBody } from './read-body.ts'

/** Somebody who has proved a key, with what was sent. */
export interface Received {
  readonly principal: Principal
  readonly facts: RequestFacts
  /** Empty where the route takes none. */
  readonly body: Buffer
}

export interface ReceptionRules {
  /** How much of a body the route takes; undefined: none. */
  readonly bodyBytes?: number | undefined
  /** Signing names that the key may be used under. Default: the server's own. */
  readonly services?: readonly string[]
}

/** What is asked, and told, about requests that were refused. */
interface Judge {
  readonly backoff: AuthBackoff
  readonly metrics: Pick<Metrics, 'authFailed' | 'throttled'>
  /** Something that is no HearthError: a fault of this server. */
  readonly onBug: (err: unknown, requestId: string, traceId?: string) => void
}

/** Values of `reason` in hearth_auth_failures_total. */
const AUTH_FAILURES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'missing',
  INVALID_CREDENTIALS: 'unknown_key',
  EXPIRED_CREDENTIALS: 'expired',
  INVALID_SIGNATURE: 'bad_signature',
  INCOMPLETE_SIGNATURE: 'bad_signature',
  INVALID_WEBHOOK_SIGNATURE: 'bad_webhook_signature',
  ACCESS_DENIED: 'denied'
}
const EMPTY = Buffer.alloc(0)

/**
 * Who sends a request to a route that is no invocation; its body is read once it is known that somebody may be behind it.
 *
 * @throws HearthError when nobody is, or the body is too large
 */
export async function receive(
  {
    directory,
    authenticator
  }: { readonly directory: Pick<Directory, 'refresh'>; readonly authenticator: Authenticator },
  expectations: Expectations,
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  { bodyBytes, services }: ReceptionRules
): Promise<Received> {
  directory.refresh()
  const { method = '', url: rawUrl = '', headers, rawHeaders } = req
  const head = { method, rawUrl, headers, rawHeaders }
  const facts = { requestId, sourceIp: peerAddress(req), userAgent: headers['user-agent'], secure: false }
  if (bodyBytes === undefined) {
    return { principal: authenticator.authenticate({ ...head, body: undefined }, { services }), facts, body: EMPTY }
  }
  // Before the body: a stranger is not asked to send it.
  const early = authenticator.authenticateHead(head, { services })
  expectations.meet(req, res)
  const body = await readBody(req, bodyBytes)
  return { principal: early ?? authenticator.authenticate({ ...head, body }, { services }), facts, body }
}

/**
 * What to tell somebody whose request was refused. Counts it, and slows down who tries keys.
 *
 * @param address - Of the sender, as far as the server knows it by itself.
 * @param traceId - Trace header of the call, or ''
 */
export function judgeRefused(
  { backoff, metrics, onBug }: Judge,
  thrown: unknown,
  address: string | undefined,
  requestId: string,
  traceId = ''
): unknown {
  if (!(thrown instanceof HearthError)) {
    onBug(thrown, requestId, traceId)
    return thrown
  }
  const reason = AUTH_FAILURES[thrown.code]
  if (reason !== undefined) metrics.authFailed(reason)
  else if (thrown.code === 'RATE_EXCEEDED') metrics.throttled('rate')
  const told = backoff.judge(thrown, address)
  if (told !== thrown) metrics.throttled('authentication')
  return told
}
