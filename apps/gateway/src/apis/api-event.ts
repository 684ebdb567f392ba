import type { Principal } from '@hearth/shared'
import { isClientsTrace } from '../tracing/client-trace.ts'
import type { W3cContext } from '../tracing/traces.ts'
import {
  addJoined,
  authorizerOf,
  type Bag,
  bag,
  clfTime,
  DROPPED_HEADERS,
  isTextBody,
  queryOf,
  splitCookies
} from '../url-event.ts'
import type { AuthorizerContext } from './guard.ts'

/** What of an HTTP request goes into the event of an API. */
export interface ApiRequest {
  readonly method: string
  readonly routeKey: string
  /** Path of the route's key; undefined: `$default`. */
  readonly routePath: string | undefined
  /** Decoded, with the stage unless it is `$default`. */
  readonly rawPath: string
  /** Decoded, as the client sees it: with what leads to the stage. */
  readonly clientPath: string
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
  readonly accountId: string
  readonly apiId: string
  readonly stage: string
  readonly stageVariables: Readonly<Record<string, string>>
  readonly pathParameters: Readonly<Record<string, string>> | undefined
  readonly domainName: string
  readonly domainPrefix: string
  readonly authorizer: AuthorizerContext | undefined
  /** Whether the route wanted an API key, which the function does not get. */
  readonly apiKeyRequired: boolean
  /** Which one it was. */
  readonly apiKeyId: string | undefined
  /** Whether the function gets the Authorization header. */
  readonly authorization: boolean
  /** Unix ms. */
  readonly at: number
}

/**
 * An HTTP API's event, payload format 2.0, as JSON text.
 *
 * @see reference: event payloads §7.2
 */
export function toApiEvent(request: ApiRequest): string {
  const headers = bag()
  const cookies: string[] = []
  const { rawHeaders, body } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const value = rawHeaders[i + 1]!
    if (name === 'cookie') cookies.push(...splitCookies(value))
    else if (isPassedOn(request, name)) addJoined(headers, name, value)
  }
  headers['x-amzn-trace-id'] = request.traceId
  if (request.w3c !== undefined) headers['traceparent'] = request.w3c.traceparent
  headers['x-forwarded-for'] = request.sourceIp
  headers['x-forwarded-port'] = String(request.port)
  headers['x-forwarded-proto'] = 'http'
  const isText = isTextBody(headers['content-type'], headers['content-encoding'], body)
  return JSON.stringify({
    version: '2.0',
    routeKey: request.routeKey,
    rawPath: request.rawPath,
    rawQueryString: request.rawQuery,
    cookies: cookies.length === 0 ? undefined : cookies,
    headers,
    queryStringParameters: request.rawQuery === '' ? undefined : queryOf(request.rawQuery),
    requestContext: {
      accountId: request.accountId,
      apiId: request.apiId,
      // Hearth's own: AWS's HTTP APIs have no keys.
      apiKeyId: request.apiKeyId,
      authorizer: request.authorizer && authorizerMember(request.authorizer),
      domainName: request.domainName,
      domainPrefix: request.domainPrefix,
      http: {
        method: request.method,
        path: request.rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? ''
      },
      requestId: request.requestId,
      routeKey: request.routeKey,
      stage: request.stage,
      time: clfTime(request.at),
      timeEpoch: request.at
    },
    pathParameters: request.pathParameters,
    stageVariables: isEmpty(request.stageVariables) ? undefined : request.stageVariables,
    body: body.length === 0 ? undefined : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !isText
  })
}

/**
 * The same in format 1.0, as HTTP APIs have it: REST's, with a `version`.
 *
 * @see reference: event payloads §7.1
 */
export function toApiEventV1(request: ApiRequest): string {
  const headers = bag()
  const multiValueHeaders = lists()
  /** Names in the spelling that came first, by their lower case. */
  const spelled = new Map<string, string>()
  const { rawHeaders, body, routePath = '$default' } = request
  const put = (name: string, value: string): void => {
    const lower = name.toLowerCase()
    const known = spelled.get(lower)
    if (known === undefined) spelled.set(lower, name)
    addTo(headers, multiValueHeaders, known ?? name, value)
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const lower = name.toLowerCase()
    if (lower === 'cookie' || isPassedOn(request, lower)) put(name, rawHeaders[i + 1]!)
  }
  put('X-Amzn-Trace-Id', request.traceId)
  if (request.w3c !== undefined) put('traceparent', request.w3c.traceparent)
  put('X-Forwarded-For', request.sourceIp)
  put('X-Forwarded-Port', String(request.port))
  put('X-Forwarded-Proto', 'http')
  const valueOf = (lower: string): string | undefined => headers[spelled.get(lower) ?? '']
  const query = bag()
  const multiValueQuery = lists()
  for (const [name, value] of new URLSearchParams(request.rawQuery)) addTo(query, multiValueQuery, name, value)
  const hasQuery = !isEmpty(query)
  const isText = isTextBody(valueOf('content-type'), valueOf('content-encoding'), body)
  const { authorizer } = request
  return JSON.stringify({
    version: '1.0',
    resource: routePath,
    path: request.clientPath,
    httpMethod: request.method,
    headers,
    multiValueHeaders,
    queryStringParameters: hasQuery ? query : null,
    multiValueQueryStringParameters: hasQuery ? multiValueQuery : null,
    requestContext: {
      accountId: request.accountId,
      apiId: request.apiId,
      authorizer: authorizer && authorizerMemberV1(authorizer),
      domainName: request.domainName,
      domainPrefix: request.domainPrefix,
      extendedRequestId: request.requestId,
      httpMethod: request.method,
      identity: identityOf(authorizer?.kind === 'iam' ? authorizer.principal : undefined, request, valueOf),
      path: request.clientPath,
      protocol: `HTTP/${request.httpVersion}`,
      requestId: request.requestId,
      requestTime: clfTime(request.at),
      requestTimeEpoch: request.at,
      resourceId: request.routeKey,
      resourcePath: routePath,
      stage: request.stage
    },
    pathParameters: request.pathParameters ?? null,
    stageVariables: isEmpty(request.stageVariables) ? null : request.stageVariables,
    body: body.length === 0 ? null : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !isText
  })
}

function isPassedOn(request: ApiRequest, name: string): boolean {
  if (name === 'x-api-key') return !request.apiKeyRequired
  if (isClientsTrace(name, request.w3c)) return false
  return !DROPPED_HEADERS.has(name) || (name === 'authorization' && request.authorization)
}

function authorizerMember(authorizer: AuthorizerContext): object {
  switch (authorizer.kind) {
    case 'jwt':
      return { jwt: { claims: authorizer.claims, scopes: authorizer.scopes } }
    case 'lambda':
      return { lambda: authorizer.context }
    case 'iam':
      return authorizerOf(authorizer.principal)
  }
}

function authorizerMemberV1(authorizer: AuthorizerContext): object | undefined {
  switch (authorizer.kind) {
    case 'jwt':
      return { claims: authorizer.claims, scopes: authorizer.scopes }
    case 'lambda':
      return { ...authorizer.context, principalId: authorizer.principalId }
    case 'iam':
      return undefined
  }
}

function identityOf(
  principal: Principal | undefined,
  { sourceIp, apiKeyId }: ApiRequest,
  headerOf: (lower: string) => string | undefined
): object {
  return {
    accessKey: principal?.keyId ?? null,
    accountId: principal?.accountId ?? null,
    apiKeyId,
    caller: principal?.userId ?? null,
    cognitoAuthenticationProvider: null,
    cognitoAuthenticationType: null,
    cognitoIdentityId: null,
    cognitoIdentityPoolId: null,
    principalOrgId: null,
    sourceIp,
    user: principal?.userId ?? null,
    userAgent: headerOf('user-agent') ?? '',
    userArn: principal?.arn ?? null
  }
}

type Lists = Record<string, string[]>

function lists(): Lists {
  return Object.create(null) as Lists
}

/** The last one counts as the value. */
function addTo(values: Bag, all: Lists, name: string, value: string): void {
  values[name] = value
  const list = all[name]
  if (list === undefined) all[name] = [value]
  else list.push(value)
}

function isEmpty(values: Readonly<Record<string, unknown>>): boolean {
  for (const _name in values) return false
  return true
}
