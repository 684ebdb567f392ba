import type { ArnScope } from '@hearth/shared'
import { clfTime, DROPPED_HEADERS, splitCookies } from '../../url-event.ts'
import type { GuardedRequest } from '../guard.ts'
import { queryOf } from './request-values.ts'

export interface AuthorizerEventParts {
  readonly request: GuardedRequest
  readonly scope: ArnScope
  /** Of the route that is asked for. */
  readonly routeArn: string
  /** Values of the identity sources. */
  readonly identity: readonly string[]
  /** Whose API key it came with, where the route asks for one. */
  readonly apiKeyId: string | undefined
  /** Headers that are none of the function's business, in lower case. */
  readonly withheld: ReadonlySet<string>
  /** Unix time in ms. */
  readonly at: number
}

type Bag = Record<string, string>

/**
 * What an authorizer's function is asked with, as JSON text: a `REQUEST` event in the authorizer's payload format, or a
 * WebSocket API's.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export function toAuthorizerEvent(parts: AuthorizerEventParts): string {
  const { api, authorizer } = parts.request
  if (api.protocol === 'WEBSOCKET') return JSON.stringify(connectEvent(parts))
  return JSON.stringify(authorizer?.payloadFormat === '2.0' ? secondFormat(parts) : firstFormat(parts))
}

function secondFormat({ request, scope, routeArn, identity, withheld, at }: AuthorizerEventParts) {
  const { req, route, stage, path, rawQuery, domainName, sourceIp, traceId } = request
  const headers = new Map<string, string[]>()
  const cookies: string[] = []
  for (const [name, value] of headersOf(request, withheld)) {
    const lower = name.toLowerCase()
    if (lower === 'cookie') cookies.push(...splitCookies(value))
    else add(headers, lower, value)
  }
  add(headers, 'x-amzn-trace-id', traceId)
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn,
    identitySource: identity.length === 0 ? null : identity,
    routeKey: route.key,
    rawPath: path,
    rawQueryString: rawQuery,
    cookies: cookies.length === 0 ? undefined : cookies,
    headers: joined(headers),
    queryStringParameters: rawQuery === '' ? undefined : joined(queryOf(rawQuery)),
    requestContext: {
      accountId: scope.accountId,
      apiId: request.api.id,
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: req.method,
        path,
        protocol: `HTTP/${req.httpVersion}`,
        sourceIp,
        userAgent: req.headers['user-agent'] ?? ''
      },
      requestId: request.requestId,
      routeKey: route.key,
      stage: stage.name,
      time: clfTime(at),
      timeEpoch: at
    },
    pathParameters: request.pathParameters,
    stageVariables: noneIfEmpty(stage.variables)
  }
}

function firstFormat({ request, scope, routeArn, identity, apiKeyId, withheld, at }: AuthorizerEventParts) {
  const { req, route, stage, path, rawQuery, domainName } = request
  const sources = identity.length === 0 ? null : identity.join(',')
  const resource = route.key === '$default' ? '$default' : route.key.slice(route.key.indexOf(' ') + 1)
  return {
    version: '1.0',
    type: 'REQUEST',
    methodArn: routeArn,
    identitySource: sources,
    authorizationToken: sources,
    resource,
    path,
    httpMethod: req.method,
    headers: joined(byName(headersOf(request, withheld))),
    queryStringParameters: rawQuery === '' ? {} : lasts(queryOf(rawQuery)),
    pathParameters: request.pathParameters ?? {},
    stageVariables: stage.variables,
    requestContext: {
      accountId: scope.accountId,
      apiId: request.api.id,
      domainName,
      domainPrefix: domainName.split('.')[0],
      extendedRequestId: request.requestId,
      httpMethod: req.method,
      identity: { ...identityMembers(request), apiKeyId },
      path,
      protocol: `HTTP/${req.httpVersion}`,
      requestId: request.requestId,
      requestTime: clfTime(at),
      requestTimeEpoch: at,
      resourceId: route.key,
      resourcePath: resource,
      stage: stage.name
    }
  }
}

function connectEvent({ request, routeArn, apiKeyId, withheld, at }: AuthorizerEventParts) {
  const { stage, rawQuery, domainName, connectionId } = request
  const headers = byName(headersOf(request, withheld))
  const query = queryOf(rawQuery)
  return {
    type: 'REQUEST',
    methodArn: routeArn,
    headers: lasts(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: lasts(query),
    multiValueQueryStringParameters: Object.fromEntries(query),
    stageVariables: stage.variables,
    requestContext: {
      routeKey: request.route.key,
      eventType: 'CONNECT',
      extendedRequestId: request.requestId,
      requestTime: clfTime(at),
      messageDirection: 'IN',
      stage: stage.name,
      connectedAt: at,
      requestTimeEpoch: at,
      identity: { ...identityMembers(request), apiKeyId },
      requestId: request.requestId,
      domainName,
      connectionId,
      apiId: request.api.id
    }
  }
}

function identityMembers({ req, sourceIp }: GuardedRequest) {
  return { sourceIp, userAgent: req.headers['user-agent'] ?? '' }
}

/** What the client sent, and the platform's own: those a client may not say. */
function* headersOf(
  { req: { rawHeaders, socket }, sourceIp }: GuardedRequest,
  withheld: ReadonlySet<string>
): Generator<readonly [name: string, value: string]> {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (withheld.has(name)) continue
    if (!DROPPED_HEADERS.has(name) || name === 'authorization' || name === 'cookie')
      yield [rawHeaders[i]!, rawHeaders[i + 1]!]
  }
  yield ['x-forwarded-for', sourceIp]
  yield ['x-forwarded-port', String(socket.localPort ?? 0)]
  yield ['x-forwarded-proto', 'http']
}

/** Names in any case are one, written as the first was. */
function byName(headers: Iterable<readonly [string, string]>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string>()
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    if (!names.has(lower)) names.set(lower, name)
    add(values, names.get(lower)!, value)
  }
  return values
}

function add(to: Map<string, string[]>, name: string, value: string): void {
  const known = to.get(name)
  if (known === undefined) to.set(name, [value])
  else known.push(value)
}

function joined(values: ReadonlyMap<string, readonly string[]>): Bag {
  return Object.fromEntries([...values].map(([name, list]) => [name, list.join(',')]))
}

function lasts(values: ReadonlyMap<string, readonly string[]>): Bag {
  return Object.fromEntries([...values].map(([name, list]) => [name, list.at(-1)!]))
}

function noneIfEmpty(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  for (const _ in record) return record
  return undefined
}
