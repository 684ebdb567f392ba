import { isUtf8 } from 'node:buffer'
import type { Principal } from '@hearth/shared'
import { isClientsTrace } from './tracing/client-trace.ts'
import type { W3cContext } from './tracing/traces.ts'

/** What of an HTTP request goes into a function-URL event. */
export interface UrlRequest {
  readonly method: string
  /** Percent-escapes as they came, without the part that names the function. */
  readonly rawPath: string
  /** Undecoded, without the question mark. */
  readonly rawQuery: string
  readonly httpVersion: string
  /** As they came: name, value, name, value. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly sourceIp: string
  /** Port that the client connected to. */
  readonly port: number
  readonly requestId: string
  readonly traceId: string
  /** In place of the client's own; undefined: the client's own is passed on. */
  readonly w3c?: W3cContext | undefined
  readonly apiId: string
  /** The host that was called, without port. */
  readonly domainName: string
  readonly domainPrefix: string
  /** Whether the function gets the Authorization header: it proves something to the function, not to the server. */
  readonly authorization: boolean
  /** Undefined: nobody was asked. */
  readonly principal: Principal | undefined
  /** Unix ms. */
  readonly at: number
}

/**
 * Headers that the platform says and a client may not; and what proves the caller, which is the server's business:
 * a Bearer key in an event would hand the caller's rights to the function's code.
 */
export const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-amz-security-token',
  'cookie',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-amzn-tls-version',
  'x-amzn-tls-cipher-suite',
  'x-amzn-trace-id'
])

export type Bag = Record<string, string>

/**
 * A function URL's event, payload format 2.0, as JSON text.
 *
 * @see reference: event payloads §7.2
 */
export function toUrlEvent(request: UrlRequest): string {
  const headers = bag()
  const cookies: string[] = []
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const value = rawHeaders[i + 1]!
    if (name === 'cookie') cookies.push(...splitCookies(value))
    else if (isClientsTrace(name, request.w3c)) continue
    else if (!DROPPED_HEADERS.has(name) || (name === 'authorization' && request.authorization))
      addJoined(headers, name, value)
  }
  if (request.w3c !== undefined) headers['traceparent'] = request.w3c.traceparent
  headers['x-amzn-trace-id'] = request.traceId
  headers['x-forwarded-for'] = request.sourceIp
  headers['x-forwarded-port'] = String(request.port)
  headers['x-forwarded-proto'] = 'http'
  const { body, principal } = request
  const isText = isTextBody(headers['content-type'], headers['content-encoding'], body)
  return JSON.stringify({
    version: '2.0',
    routeKey: '$default',
    rawPath: request.rawPath,
    rawQueryString: request.rawQuery,
    cookies: cookies.length === 0 ? undefined : cookies,
    headers,
    queryStringParameters: request.rawQuery === '' ? undefined : queryOf(request.rawQuery),
    requestContext: {
      accountId: principal?.accountId ?? 'anonymous',
      apiId: request.apiId,
      authorizer: principal && authorizerOf(principal),
      domainName: request.domainName,
      domainPrefix: request.domainPrefix,
      http: {
        method: request.method,
        path: decodePath(request.rawPath),
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? ''
      },
      requestId: request.requestId,
      routeKey: '$default',
      stage: '$default',
      time: clfTime(request.at),
      timeEpoch: request.at
    },
    body: body.length === 0 ? undefined : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !isText
  })
}

export function authorizerOf(principal: Principal) {
  return {
    iam: {
      accessKey: principal.keyId,
      accountId: principal.accountId,
      callerId: principal.userId,
      cognitoIdentity: null,
      principalOrgId: null,
      userArn: principal.arn,
      userId: principal.userId
    }
  }
}

/** Without a prototype: `__proto__` is a header name like any other. */
export function bag(): Bag {
  return Object.create(null) as Bag
}

export function addJoined(to: Bag, name: string, value: string): void {
  const before = to[name]
  to[name] = before === undefined ? value : `${before},${value}`
}

export function splitCookies(header: string): string[] {
  return header
    .split(';')
    .map((cookie) => cookie.trim())
    .filter((cookie) => cookie !== '')
}

export function queryOf(rawQuery: string): Bag | undefined {
  const query = bag()
  let any = false
  for (const [name, value] of new URLSearchParams(rawQuery)) {
    addJoined(query, name, value)
    any = true
  }
  return any ? query : undefined
}

const TEXT_TYPE = /^(text\/[^;]*|application\/(?:json|xml|javascript|[^;]*\+(?:json|xml)))\s*(?:;|$)/i
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i

/**
 * Whether a body goes into the event as it is, not as base64. Bytes that are no UTF-8 never do, whatever their type
 * claims: a JSON string could not give them back.
 *
 * One exception to Lambda's rule, where forms arrive as base64: `curl -d '{"name":"Ada"}'` claims to send a form, and
 * whoever types that means JSON. No form begins with a brace (browsers escape it), so the two can't be mistaken.
 */
export function isTextBody(
  contentType: string | undefined,
  contentEncoding: string | undefined,
  body: Buffer
): boolean {
  if (contentType === undefined || body.length === 0) return false
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') return false
  if (TEXT_TYPE.test(contentType)) return isUtf8(body)
  return FORM_TYPE.test(contentType) && (body[0] === 0x7b || body[0] === 0x5b) && isUtf8(body) && isJson(body)
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString())
    return true
  } catch {
    return false
  }
}

function decodePath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath)
  } catch {
    return rawPath
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `24/Nov/2025:23:11:05 +0000` */
export function clfTime(at: number): string {
  const iso = new Date(at).toISOString()
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
}
