import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Outcome } from '@hearth/executor'
import { type ApiStaticFiles, executeApiArn, HearthError, LIMITS, type Principal } from '@hearth/shared'
import type { Entry } from '../function-routes.ts'
import { HttpCall } from '../http-call.ts'
import { judgeRefused } from '../reception.ts'
import { hasBody, refuse, respond } from '../respond.ts'
import { mayServiceInvoke } from '../service-access.ts'
import type { Trigger } from '../tracing/records.ts'
import { isOwnKey } from '../url-door.ts'
import type { ApiFailure } from './api-counts.ts'
import { type ApiRequest, toApiEvent, toApiEventV1 } from './api-event.ts'
import type { ApiHallway } from './api-hallway.ts'
import { toApiRefusal, toApiResponse } from './api-response.ts'
import type { ApiAddress, ApiEntry, ApiPlace, StageRoute } from './api-table.ts'
import type { AuthorizerContext, Verdict } from './guard.ts'
import { decodePath } from './request-path.ts'
import { type CompiledRoute, isOpenDefault } from './route-table.ts'

/** Source: API Gateway quotas, HTTP APIs. */
const BODY_BYTES = 10_485_760
/** Request line and headers. Source: as above. */
const HEAD_BYTES = 10_240
const SERVICE = 'apigateway.amazonaws.com'
const SIGNED_FOR = { services: ['execute-api'] }
const JSON_TYPE = 'application/json'

/** One request for an HTTP API, from its path to its answer. */
export class ApiCall extends HttpCall {
  readonly #apis: ApiHallway
  readonly #address: ApiAddress
  /** How much of the path leads to the API. */
  readonly #skip: number
  /** Headers of all answers. */
  readonly #beside: readonly string[]
  #api: ApiEntry | undefined
  #place: ApiPlace | undefined
  #found: CompiledRoute | undefined
  #route: StageRoute | undefined
  #rawQuery = ''
  #parameters: Record<string, string> | undefined
  #principal: Principal | undefined
  #authorizer: AuthorizerContext | undefined
  #apiKeyId: string | undefined
  #isPreflight = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    apis: ApiHallway,
    address: ApiAddress,
    skip: number,
    beside: readonly string[],
    req: IncomingMessage,
    res: ServerResponse,
    id: string
  ) {
    super(apis.base, req, res, id)
    this.#apis = apis
    this.#address = address
    this.#skip = skip
    this.#beside = beside
  }

  protected get route(): number {
    return this.#apis.route
  }

  protected get trigger(): Trigger {
    return 'http'
  }

  protected get maxBodyBytes(): number {
    return BODY_BYTES
  }

  /** Takes the request as far as its head allows, then reads its body. */
  start(): void {
    const { hallway } = this
    if (hallway.draining()) {
      this.#refuse(503, 'Service Unavailable')
      return
    }
    try {
      hallway.directory.refresh()
      this.#findRoute()
    } catch (err) {
      this.#fail(err)
    }
  }

  #findRoute(): void {
    const { req } = this
    const url = req.url!
    const mark = url.indexOf('?')
    const end = mark === -1 ? url.length : mark
    const path = decodePath(this.#skip >= end ? '/' : url.slice(this.#skip, end))
    // `OPTIONS *`, or a whole URL as proxies are sent.
    if (path === undefined || path[0] !== '/') {
      this.#refuse(400, 'Bad Request')
      return
    }
    const place = this.#address.select(path)
    if (typeof place === 'number') {
      this.#refuse(place, place === 403 ? 'Forbidden' : 'Not Found')
      return
    }
    const { stage } = place
    this.#rawQuery = mark === -1 ? '' : url.slice(mark + 1)
    this.#place = place
    this.#api = stage.entry
    stage.entry.counts.requests += 1
    if (headBytes(req) > HEAD_BYTES) {
      this.#refuse(431, 'Request Header Fields Too Large')
      return
    }
    const method = req.method!
    const found = stage.routes.find(method, place.path)
    this.#isPreflight = stage.entry.cors?.isPreflight(req) === true
    if (this.#isPreflight && (found === undefined || !found.isForAny || found.route.authorization === 'NONE')) {
      // What takes every method takes this one too, with its authorizer, as on AWS.
      this.#answerPreflight()
      return
    }
    const { static: files } = stage.entry.api
    const mayBeFile = files !== undefined && (method === 'GET' || method === 'HEAD')
    if (found === undefined) {
      if (mayBeFile) this.#serveFile(place, files, undefined)
      else this.#refuse(404, 'Not Found')
    } else if (mayBeFile && isOpenDefault(found)) {
      // What there is no file for is the route's.
      this.#serveFile(place, { ...files, notFound: undefined }, found)
    } else this.#takeRoute(place, found)
  }

  #takeRoute({ stage, path }: ApiPlace, found: CompiledRoute): void {
    const { req } = this
    this.#found = found
    this.#parameters = stage.routes.parameters(found, path)
    const route = stage.routeOf(found)
    this.#route = route
    if (route.throttle?.take(this.startedAt) === false) {
      this.#refuse(429, 'Too Many Requests')
      return
    }
    const declared = req.headers['content-length']
    if (declared !== undefined && Number(declared) > BODY_BYTES) {
      this.#refuse(413, 'Request Entity Too Large')
      return
    }
    this.traceId = this.hallway.traces.ofVisitor(this.requestId, req.headers)
    const { authorization, apiKeyRequired } = found.route
    // Before the body: a stranger is not asked to send it.
    if (authorization === 'AWS_IAM')
      this.#principal = this.hallway.authenticator.authenticateHead(this.head(undefined), SIGNED_FOR)
    if (authorization === 'JWT' || authorization === 'CUSTOM' || apiKeyRequired) this.#askGuard(found)
    else this.readBody()
  }

  #askGuard({ route, authorizer }: CompiledRoute): void {
    const { stage, path } = this.#place!
    this.#apis.guard.check(
      {
        req: this.req,
        requestId: this.requestId,
        traceId: this.traceId,
        api: this.#api!.api,
        stage: stage.stage,
        route,
        authorizer,
        path,
        rawQuery: this.#rawQuery,
        pathParameters: this.#parameters,
        domainName: this.#address.domainName,
        sourceIp: this.sourceIp ?? '',
        connectionId: undefined
      },
      (verdict) => {
        this.#onVerdict(verdict)
      }
    )
  }

  #onVerdict(verdict: Verdict): void {
    if (this.res.destroyed) return
    if (verdict.isAllowed) {
      this.#authorizer = verdict.authorizer
      this.#apiKeyId = verdict.apiKeyId
      this.readBody()
      return
    }
    const { status, message, headers } = verdict
    if (status === 500) this.#noteFailure('authorizer')
    this.#refuse(status, message, headers)
  }

  #answerPreflight(): void {
    const headers = [...this.#ownHeaders(), ...this.#api!.cors!.preflightHeaders(this.req)]
    if (this.req.complete || !hasBody(this.req)) respond(this.res, 204, headers, '')
    else refuse(this.req, this.res, { status: 204, headers, body: '' })
  }

  /** @param otherwise - Gets the request where there is no file; undefined: 404 */
  #serveFile(place: ApiPlace, files: ApiStaticFiles, otherwise: CompiledRoute | undefined): void {
    const { cors } = place.stage.entry
    const send = (status: number, headers: string[], body: string): void => {
      respond(this.res, status, this.#withCors(headers), body)
    }
    this.#apis.files
      .serve(this.req, this.res, files, place.path, (headers) => [
        ...(cors === undefined ? headers : cors.apply(this.req, headers)),
        ...this.#ownHeaders()
      ])
      .then((isServed) => {
        if (isServed || this.res.destroyed) return
        if (otherwise !== undefined) this.#takeRoute(place, otherwise)
        else {
          this.#api!.counts.refused += 1
          send(404, [...this.#ownHeaders(), 'content-type', JSON_TYPE], '{"message":"Not Found"}')
        }
      })
      .catch((err: unknown) => {
        this.#fail(err)
      })
  }

  protected onPiece(): void {
    // Functions get a body of any kind.
  }

  protected refuseBody(): void {
    this.#refuse(413, 'Request Entity Too Large')
  }

  protected enter(body: Buffer): void {
    try {
      if (this.#found!.route.authorization === 'AWS_IAM') this.#requireCaller(body)
      if (this.#isPreflight) this.#answerPreflight()
      else this.#callFunction(body)
    } catch (err) {
      this.#fail(err)
    }
  }

  /** @throws HearthError when nobody is behind it, or somebody who may not */
  #requireCaller(body: Buffer): void {
    const { authenticator, access } = this.hallway
    const principal = this.#principal ?? authenticator.authenticate(this.head(body), SIGNED_FOR)
    const { stage, path } = this.#place!
    const resource = executeApiArn(this.#apis.scope, stage.entry.api.id, stage.stage.name, this.req.method! + path)
    access.require(principal, { action: 'execute-api:Invoke', resource }, this)
    this.#authorizer = { kind: 'iam', principal }
  }

  #callFunction(body: Buffer): void {
    const { integration } = this.#found!
    const { target } = this.#route!
    const entry = target && this.hallway.directory.find(target.functionName, target.qualifier)
    if (integration === undefined || entry === undefined || entry.record.state === 'Failed') {
      this.#failInternally('no_function')
      return
    }
    if (!this.#mayInvoke(entry, integration.credentialsArn)) {
      this.#failInternally('permission')
      return
    }
    const event = Buffer.from(
      integration.payloadFormat === '2.0' ? toApiEvent(this.#request(body)) : toApiEventV1(this.#request(body))
    )
    if (event.length > LIMITS.syncPayloadBytes) {
      this.#refuse(413, 'Request Entity Too Large')
      return
    }
    const traceId = entry.lineage.enter(this.traceId)
    if (traceId === undefined) {
      this.#failInternally('function_error')
      return
    }
    this.traceId = traceId
    this.payload = event
    this.invokedArn = entry.invokedArn
    this.entry = entry
    this.#timer = setTimeout(onTimeout, integration.timeoutMs, this)
    this.invoke(entry)
  }

  #mayInvoke(entry: Entry, roleArn: string | undefined): boolean {
    const keys = this.#route!.keysFor(this.req.method!)
    try {
      return mayServiceInvoke(
        this.hallway.access,
        { service: SERVICE, roleArn, requestId: this.requestId, keys },
        entry
      )
    } catch (err) {
      // A policy that cannot be read allows nothing; while the database cannot be read nobody knows.
      if (err instanceof HearthError && err.code === 'MALFORMED_POLICY') return false
      throw err
    }
  }

  #request(body: Buffer): ApiRequest {
    const { req } = this
    const { route, path } = this.#found!
    const { stage, rawPath, clientPath } = this.#place!
    const { authorization } = req.headers
    return {
      method: req.method!,
      routeKey: route.key,
      routePath: path,
      rawPath,
      clientPath,
      rawQuery: this.#rawQuery,
      httpVersion: req.httpVersion,
      rawHeaders: req.rawHeaders,
      body,
      sourceIp: this.sourceIp ?? '',
      port: req.socket.localPort ?? 0,
      requestId: this.requestId,
      traceId: this.traceId,
      w3c: this.hallway.traces.w3c(this.traceId, req.headers),
      accountId: this.#apis.scope.accountId,
      apiId: this.#api!.api.id,
      stage: stage.stage.name,
      stageVariables: stage.stage.variables,
      pathParameters: this.#parameters,
      domainName: this.#address.domainName,
      domainPrefix: this.#address.domainPrefix,
      authorizer: this.#authorizer,
      apiKeyRequired: route.apiKeyRequired,
      apiKeyId: this.#apiKeyId,
      // A key of this server is none of the function's business.
      authorization:
        authorization !== undefined && route.authorization !== 'AWS_IAM' && !isOwnKey(this.hallway, authorization),
      at: this.#apis.nowMs()
    }
  }

  /** The executor's: exactly once. */
  settle(outcome: Outcome): void {
    clearTimeout(this.#timer)
    this.account(outcome)
    // The client has left, or was told that it took too long.
    if (this.res.destroyed || this.res.headersSent) return
    try {
      this.#answer(outcome)
    } catch (err) {
      this.#fail(err)
    }
  }

  #answer({ status, payload }: Outcome): void {
    if (status === 'throttled' || status === 'unavailable') {
      this.#noteFailure('capacity')
      this.#refuse(503, 'Service Unavailable')
      return
    }
    if (status !== 'ok') {
      this.#failInternally('function_error')
      return
    }
    const response = toApiResponse(payload, this.#found!.integration!.payloadFormat)
    if (response === undefined) {
      this.#failInternally('invalid_response')
      return
    }
    const headers = this.#withCors(response.headers)
    headers.push('apigw-requestid', this.requestId, ...this.#beside)
    respond(this.res, response.status, headers, response.body)
  }

  /** For the timer: the function goes on. */
  onTimeout(): void {
    this.#noteFailure('timeout')
    this.#refuse(503, 'Service Unavailable')
  }

  protected onClosed(): void {
    clearTimeout(this.#timer)
  }

  #fail(thrown: unknown): void {
    const told = judgeRefused(this.hallway, thrown, this.sourceIp, this.requestId, this.traceId)
    const { status, message, headers } = toApiRefusal(told)
    this.#refuse(status, message, headers)
  }

  #failInternally(reason: ApiFailure): void {
    this.#noteFailure(reason)
    this.#refuse(500, 'Internal Server Error')
  }

  #noteFailure(reason: ApiFailure): void {
    this.#apis.onFailed(this.#api!, this.#place!.stage.stage.name, this.#found!.route.key, reason, this)
  }

  #refuse(status: number, message: string, extra: readonly string[] = []): void {
    if (status < 500 && this.#api !== undefined) this.#api.counts.refused += 1
    const headers = this.#withCors(['content-type', JSON_TYPE, ...extra])
    headers.push(...this.#ownHeaders())
    refuse(this.req, this.res, { status, headers, body: JSON.stringify({ message }) })
  }

  #ownHeaders(): string[] {
    return ['apigw-requestid', this.requestId, ...this.#beside]
  }

  #withCors(headers: string[]): string[] {
    const cors = this.#api?.cors
    return cors === undefined ? headers : cors.apply(this.req, headers)
  }
}

/** Of the request line and the headers, as they were on the wire. */
function headBytes({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  let bytes = method.length + url.length + 12
  // Each pair has a colon, a space and a line end.
  for (const part of rawHeaders) bytes += part.length + 2
  return bytes
}

function onTimeout(call: ApiCall): void {
  call.onTimeout()
}
