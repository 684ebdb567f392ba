import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import { type ArnScope, executeApiArn, type Principal, type RequestFacts, toAwsError } from '@hearth/shared'
import type { Guard, Verdict } from '../apis/guard.ts'
import type { Hallway } from '../hallway.ts'
import { peerAddress } from '../peer-address.ts'
import { judgeRefused } from '../reception.ts'
import type { SpanLink } from '../tracing/records.ts'
import { isOwnKey } from '../url-door.ts'
import type { IntegrationResult, Integrations } from './integrations.ts'
import type { ProxyAnswer } from './proxy-answer.ts'
import type { SocketLocation, SocketRoute, SocketStage } from './published-sockets.ts'
import type { HandshakeResult } from './socket-counts.ts'
import { socketError } from './socket-error.ts'
import { type SocketPeer, toConnectEvent } from './socket-event.ts'
import { newSocketId } from './socket-id.ts'
import { answerUpgrade } from './upgrades.ts'

export interface HandshakeDeps {
  readonly hallway: Pick<Hallway, 'authenticator' | 'access' | 'backoff' | 'metrics' | 'traces' | 'onBug'>
  readonly scope: ArnScope
  readonly guard: Guard
  readonly integrations: Integrations
  /** Unix time in ms. */
  readonly now: () => number
  /** The client is to be let in: answers it. */
  readonly accept: (handshake: Handshake, protocol: string | undefined, headers: readonly string[]) => void
  /** It is over. @param status - That was answered */
  readonly onEnd: (result: HandshakeResult, status: number) => void
}

/** Headers that the server says itself, or that would say something else than it does. */
const RESERVED =
  /^(connection|content-length|date|keep-alive|proxy-.*|sec-websocket-.*|te|trailer|transfer-encoding|upgrade|x-amzn-requestid)$/
const JSON_TYPE = 'application/json'

/** A client that asks for a connection, until it is let in or turned away. */
export class Handshake {
  readonly req: IncomingMessage
  readonly socket: Socket
  readonly head: Buffer
  readonly stage: SocketStage
  readonly #deps: HandshakeDeps
  readonly #location: SocketLocation
  readonly #uuid: string
  readonly #requestId = newSocketId()
  readonly #connectionId = newSocketId()
  readonly #connectedAt: number
  readonly #traceId: string
  #link: SpanLink | undefined
  #principal: Principal | undefined
  #authorizer: Readonly<Record<string, unknown>> | undefined

  constructor(
    deps: HandshakeDeps,
    uuid: string,
    request: { readonly req: IncomingMessage; readonly socket: Socket; readonly head: Buffer },
    location: SocketLocation,
    stage: SocketStage
  ) {
    this.req = request.req
    this.socket = request.socket
    this.head = request.head
    this.stage = stage
    this.#deps = deps
    this.#location = location
    this.#uuid = uuid
    this.#connectedAt = deps.now()
    this.#traceId = deps.hallway.traces.ofVisitor(uuid, request.req.headers)
  }

  start(): void {
    const { guard, hallway } = this.#deps
    const { stage, req } = this
    const route = stage.routes.get('$connect')
    if (route === undefined) {
      this.#accept([], undefined)
      return
    }
    if (route.throttle?.take(this.#connectedAt) === false) {
      this.#refuse('refused', 429, 'Too Many Requests', [])
      return
    }
    try {
      if (route.route.authorization === 'AWS_IAM') this.#principal = this.#authenticate()
      guard.check(
        {
          req,
          requestId: this.#uuid,
          traceId: this.#traceId,
          api: stage.api,
          stage: stage.stage,
          route: route.route,
          authorizer: route.authorizer,
          path: this.#location.rest === '' ? '/' : this.#location.rest,
          rawQuery: this.#rawQuery,
          pathParameters: undefined,
          domainName: this.#location.domainName,
          sourceIp: peerAddress(req) ?? '',
          connectionId: this.#connectionId
        },
        (verdict) => {
          this.#onVerdict(route, verdict)
        }
      )
    } catch (err) {
      const { status, type, body } = toAwsError(judgeRefused(hallway, err, peerAddress(req), this.#uuid, this.#traceId))
      const message = body['message'] ?? body['Message'] ?? ''
      this.#refuse(status >= 500 ? 'failed' : 'refused', status, message, ['x-amzn-errortype', type])
    }
  }

  /** What events say of the connection. */
  get peer(): SocketPeer {
    const { api, stage } = this.stage
    return {
      connectionId: this.#connectionId,
      connectedAt: this.#connectedAt,
      apiId: api.id,
      stage: stage.name,
      domainName: this.#location.domainName,
      sourceIp: peerAddress(this.req) ?? '',
      userAgent: this.req.headers['user-agent'],
      principal: this.#principal,
      link: this.#link,
      authorizer: this.#authorizer
    }
  }

  /** It was let in, or its client is gone. */
  end(result: HandshakeResult, status: number): void {
    this.#deps.onEnd(result, status)
  }

  /** The server cannot take it after all. */
  refuseStopping(): void {
    this.#refuse('failed', 503, 'Service Unavailable', ['retry-after', '1'])
  }

  #authenticate(): Principal {
    const { hallway, scope } = this.#deps
    const { req, stage } = this
    const { url: rawUrl = '', headers, rawHeaders } = req
    const request = { method: 'GET', rawUrl, headers, rawHeaders, body: undefined }
    const principal = hallway.authenticator.authenticate(request, { services: ['execute-api'] })
    const facts: RequestFacts = {
      requestId: this.#uuid,
      sourceIp: peerAddress(req),
      userAgent: headers['user-agent'],
      secure: false
    }
    const resource = executeApiArn(scope, stage.api.id, stage.stage.name, '$connect')
    hallway.access.require(principal, { action: 'execute-api:Invoke', resource }, facts)
    return principal
  }

  #onVerdict(route: SocketRoute, verdict: Verdict): void {
    if (!verdict.isAllowed) {
      const result = verdict.status === 500 ? 'failed' : 'refused'
      this.#refuse(result, verdict.status, verdict.message, verdict.headers ?? [])
      return
    }
    const { authorizer } = verdict
    if (authorizer?.kind === 'lambda') {
      const { principalId, context } = authorizer
      this.#authorizer = { ...(principalId === undefined ? {} : { principalId }), ...context }
    } else if (authorizer?.kind === 'iam') this.#principal = authorizer.principal
    if (route.integration === undefined) {
      this.#accept([], undefined)
      return
    }
    const { hallway, integrations } = this.#deps
    const { req } = this
    const { traces } = hallway
    const traceId = this.#traceId
    this.#link = traces.linkTo(traceId)
    const { authorization } = req.headers
    const event = toConnectEvent(
      this.peer,
      { requestId: this.#requestId, at: this.#connectedAt, stageVariables: this.stage.stage.variables },
      {
        rawHeaders: req.rawHeaders,
        rawQuery: this.#rawQuery,
        traceId,
        w3c: traces.w3c(traceId, req.headers),
        port: req.socket.localPort ?? 0,
        apiKeyRequired: route.route.apiKeyRequired,
        authorization: route.route.authorization !== 'AWS_IAM' && !isOwnKey(hallway, authorization)
      }
    )
    integrations.run(route, event, { header: traceId, ...traces.originOf(req.headers) }, (result) => {
      this.#onResult(result)
    })
  }

  #onResult(result: IntegrationResult): void {
    if (!result.ok) this.#refuse('failed', result.status, result.message, [])
    else if (result.answer.statusCode < 300) {
      const { 'sec-websocket-protocol': protocol } = result.answer.headers
      this.#accept(headersOf(result.answer), protocol)
    } else this.#answer('refused', result.answer.statusCode, headersOf(result.answer), result.answer.body ?? '')
  }

  #accept(headers: readonly string[], protocol: string | undefined): void {
    this.#deps.accept(this, protocol, headers)
  }

  #refuse(result: HandshakeResult, status: number, message: string, headers: readonly string[]): void {
    const body = socketError(message, this.#connectionId, this.#requestId)
    this.#answer(result, status, ['content-type', JSON_TYPE, ...headers], body)
  }

  #answer(result: HandshakeResult, status: number, headers: readonly string[], body: string | Buffer): void {
    answerUpgrade(this.socket, status, [...headers, 'x-amzn-requestid', this.#uuid], body)
    this.#deps.onEnd(result, status)
  }

  get #rawQuery(): string {
    const { url = '' } = this.req
    const mark = url.indexOf('?')
    return mark === -1 ? '' : url.slice(mark + 1)
  }
}

/** Those of a function that can be sent: the others are left out, as what they say is the function's fault alone. */
function headersOf({ headers }: ProxyAnswer): string[] {
  const flat: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (!RESERVED.test(name) && isHeader(name, value)) flat.push(name, value)
  }
  return flat
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
