import { isUtf8 } from 'node:buffer'
import { isClientsTrace } from '../../tracing/client-trace.ts'
import type { W3cContext } from '../../tracing/traces.ts'

/** What of an HTTP request goes into a load balancer's event. */
export interface AlbRequest {
  readonly method: string
  /** As it was sent, without its query. */
  readonly path: string
  /** Undecoded, without the question mark. */
  readonly query: string
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly sourceIp: string
  /** Port that the client connected to. */
  readonly port: number
  /** `Root=…` */
  readonly traceId: string
  /** In place of the client's own; undefined: the client's own is passed on. */
  readonly w3c?: W3cContext | undefined
  readonly targetGroupArn: string
  readonly multiValueHeaders: boolean
  /** Whether the function gets the Authorization header. */
  readonly authorization: boolean
}

/** Of the connection alone, and what the load balancer says itself. */
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'x-forwarded-for',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-amzn-trace-id'
])
/** A client's own, with more that it wants to pass on. */
const ROOT = /(?:^|;)Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;|$)/
const TEXT_TYPE = /^(?:text\/[^;]*|application\/(?:json|javascript|xml))\s*(?:;|$)/i

type Bag<T> = Record<string, T>

/**
 * The event that a function gets from an Application Load Balancer, as JSON text.
 *
 * @see reference: event payloads §7.3
 */
export function toAlbEvent(request: AlbRequest): string {
  const { rawHeaders, body } = request
  const headers = bag<string[]>()
  let forwarded = ''
  let trace = ''
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const value = rawHeaders[i + 1]!
    if (isClientsTrace(name, request.w3c)) continue
    if (!DROPPED.has(name)) {
      if (name !== 'authorization' || request.authorization) put(headers, name, value)
    } else if (name === 'x-forwarded-for') forwarded += `${value}, `
    else if (name === 'x-amzn-trace-id') trace = value
  }
  put(headers, 'x-amzn-trace-id', traceOf(trace, request.traceId))
  if (request.w3c !== undefined) put(headers, 'traceparent', request.w3c.traceparent)
  put(headers, 'x-forwarded-for', forwarded + request.sourceIp)
  put(headers, 'x-forwarded-port', String(request.port))
  put(headers, 'x-forwarded-proto', 'http')
  const isText = isTextBody(headers, body)
  const rest = {
    body: body.length === 0 ? '' : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !isText
  }
  const query = queryOf(request.query)
  const head = {
    requestContext: { elb: { targetGroupArn: request.targetGroupArn } },
    httpMethod: request.method,
    path: request.path
  }
  return JSON.stringify(
    request.multiValueHeaders
      ? { ...head, multiValueQueryStringParameters: query, multiValueHeaders: headers, ...rest }
      : { ...head, queryStringParameters: lastOf(query), headers: lastOf(headers), ...rest }
  )
}

/** Says where the request came in, and leaves a client's own trace as it is. */
function traceOf(sent: string, own: string): string {
  const root = own.split(';', 1)[0]!
  return ROOT.test(sent) ? `Self=${root.slice('Root='.length)};${sent}` : root
}

function isTextBody(headers: Bag<string[]>, body: Buffer): boolean {
  const type = headers['content-type']?.at(-1)
  // Bytes that are no UTF-8 a JSON string could not give back, whatever their type claims.
  return type !== undefined && headers['content-encoding'] === undefined && TEXT_TYPE.test(type) && isUtf8(body)
}

/** Names and values as they were sent: nothing is decoded. */
function queryOf(query: string): Bag<string[]> {
  const found = bag<string[]>()
  for (const pair of query === '' ? [] : query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals === -1) put(found, pair, '')
    else put(found, pair.slice(0, equals), pair.slice(equals + 1))
  }
  return found
}

function lastOf(all: Bag<string[]>): Bag<string> {
  const last = bag<string>()
  for (const name in all) last[name] = all[name]!.at(-1)!
  return last
}

/** Without a prototype: `__proto__` is a name like any other. */
function bag<T>(): Bag<T> {
  return Object.create(null) as Bag<T>
}

function put(into: Bag<string[]>, name: string, value: string): void {
  const before = into[name]
  if (before === undefined) into[name] = [value]
  else before.push(value)
}
