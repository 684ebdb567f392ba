import type { Principal } from '@hearth/shared'
import { isClientsTrace } from '../tracing/client-trace.ts'
import type { SpanLink } from '../tracing/records.ts'
import type { W3cContext } from '../tracing/traces.ts'
import { clfTime, DROPPED_HEADERS } from '../url-event.ts'

/** What every event of a connection says of it. */
export interface SocketPeer {
  readonly connectionId: string
  /** Unix time in ms. */
  readonly connectedAt: number
  readonly apiId: string
  readonly stage: string
  readonly domainName: string
  readonly sourceIp: string
  readonly userAgent: string | undefined
  /** Who was let in by a signature or a key. */
  readonly principal: Principal | undefined
  /** What of its handshake the spans of its messages link to. */
  readonly link?: SpanLink | undefined
  /** What the authorizer said, if there was one. */
  readonly authorizer: Readonly<Record<string, unknown>> | undefined
}

/** What of an upgrade request goes into its event. */
export interface SocketHandshake {
  /** As they came: name, value, name, value. */
  readonly rawHeaders: readonly string[]
  /** Undecoded, without the question mark. */
  readonly rawQuery: string
  readonly traceId: string
  /** In place of the client's own; undefined: the client's own is passed on. */
  readonly w3c?: W3cContext | undefined
  /** Port that the client connected to. */
  readonly port: number
  /** Whether the function gets the Authorization header: it proves something to the function, not to the server. */
  readonly authorization: boolean
  /** Whether the route wanted an API key, which the function does not get. */
  readonly apiKeyRequired: boolean
}

interface Moment {
  readonly requestId: string
  /** Unix ms. */
  readonly at: number
  readonly stageVariables: Readonly<Record<string, string>>
}

/** Of a signed link: whoever sees them can connect as the signer. */
const SIGNATURE = new Set(['x-amz-signature', 'x-amz-security-token'])

/**
 * The event of a connection that is asked for, as JSON text.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
 */
export function toConnectEvent(peer: SocketPeer, moment: Moment, handshake: SocketHandshake): string {
  const headers = new Lists()
  const { rawHeaders } = handshake
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const lower = name.toLowerCase()
    if (lower === 'x-api-key' && handshake.apiKeyRequired) continue
    if (isClientsTrace(lower, handshake.w3c)) continue
    // Cookies stay among the headers: these events have no other place for them.
    const isKept = lower === 'cookie' || (lower === 'authorization' && handshake.authorization)
    if (isKept || !DROPPED_HEADERS.has(lower)) {
      headers.add(name, rawHeaders[i + 1]!)
    }
  }
  headers.add('X-Amzn-Trace-Id', handshake.traceId)
  if (handshake.w3c !== undefined) headers.add('traceparent', handshake.w3c.traceparent)
  headers.add('X-Forwarded-For', peer.sourceIp)
  headers.add('X-Forwarded-Port', String(handshake.port))
  headers.add('X-Forwarded-Proto', 'http')
  const query = new Lists()
  for (const [name, value] of new URLSearchParams(handshake.rawQuery)) {
    if (!SIGNATURE.has(name.toLowerCase())) query.add(name, value)
  }
  return JSON.stringify({
    headers: headers.last(),
    multiValueHeaders: headers.all(),
    ...(query.isEmpty ? {} : { queryStringParameters: query.last(), multiValueQueryStringParameters: query.all() }),
    ...variablesOf(moment),
    requestContext: { routeKey: '$connect', eventType: 'CONNECT', ...contextOf(peer, moment) },
    isBase64Encoded: false
  })
}

/** @param body - Base64 when it came as binary */
export function toMessageEvent(
  peer: SocketPeer,
  moment: Moment,
  message: { readonly routeKey: string; readonly messageId: string; readonly body: string; readonly isBinary: boolean }
): string {
  const { routeKey, messageId, body, isBinary } = message
  return JSON.stringify({
    ...variablesOf(moment),
    requestContext: { routeKey, messageId, eventType: 'MESSAGE', ...contextOf(peer, moment) },
    body,
    isBase64Encoded: isBinary
  })
}

/** @param code - 1005: the client's close frame had none; 1006: there was no close frame */
export function toDisconnectEvent(peer: SocketPeer, moment: Moment, code: number, reason: string): string {
  const headers = { Host: peer.domainName, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' }
  return JSON.stringify({
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    ...variablesOf(moment),
    requestContext: {
      routeKey: '$disconnect',
      disconnectStatusCode: code,
      eventType: 'DISCONNECT',
      disconnectReason: reason === '' ? (REASONS[code] ?? '') : reason,
      ...contextOf(peer, moment)
    },
    isBase64Encoded: false
  })
}

const REASONS: Readonly<Record<number, string>> = {
  1001: 'Going away',
  1005: 'Client-side close frame status not set',
  1006: 'Connection closed abnormally',
  1009: 'Message too long'
}

function contextOf(peer: SocketPeer, { requestId, at }: Moment) {
  const { principal, authorizer } = peer
  return {
    extendedRequestId: requestId,
    requestTime: clfTime(at),
    messageDirection: 'IN',
    stage: peer.stage,
    connectedAt: peer.connectedAt,
    requestTimeEpoch: at,
    identity: {
      ...(principal === undefined
        ? {}
        : {
            accountId: principal.accountId,
            caller: principal.userId,
            accessKey: principal.keyId,
            user: principal.userId,
            userArn: principal.arn
          }),
      ...(peer.userAgent === undefined ? {} : { userAgent: peer.userAgent }),
      sourceIp: peer.sourceIp
    },
    requestId,
    domainName: peer.domainName,
    connectionId: peer.connectionId,
    apiId: peer.apiId,
    ...(authorizer === undefined ? {} : { authorizer })
  }
}

function variablesOf({ stageVariables }: Moment) {
  for (const _ in stageVariables) return { stageVariables }
  return {}
}

/** Names with one or more values each. */
class Lists {
  readonly #values = new Map<string, string[]>()

  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  add(name: string, value: string): void {
    const known = this.#values.get(name)
    if (known === undefined) this.#values.set(name, [value])
    else known.push(value)
  }

  all(): Record<string, string[]> {
    return Object.fromEntries(this.#values)
  }

  last(): Record<string, string> {
    return Object.fromEntries(Array.from(this.#values, ([name, values]) => [name, values.at(-1)!]))
  }
}
