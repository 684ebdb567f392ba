import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Invocation, Outcome, ResponseSink } from '@hearth/executor'
import {
  type AuthBackoff,
  type Authenticator,
  type Authorizer,
  type ContextKeys,
  describeJsonFault,
  HearthError,
  JsonCheck,
  LIMITS,
  type Policy,
  type Principal,
  type RequestFacts
} from '@hearth/shared'
import type { Dispatcher } from './async/dispatcher.ts'
import type { Directory } from './directory.ts'
import type { Expectations } from './expectations.ts'
import type { Entry } from './function-routes.ts'
import type { Idempotency, KeyedCall } from './idempotency.ts'
import type { Metrics } from './metrics.ts'
import { peerAddress } from './peer-address.ts'
import { judgeRefused } from './reception.ts'
import { type Dialect, payloadTooLarge, recursionStopped, toRefusal } from './refusal.ts'
import { hasBody, refuse, respond } from './respond.ts'
import type { UrlTarget } from './url-table.ts'

/** What every call needs, whichever door it came through. */
export interface Hallway {
  readonly authenticator: Authenticator
  readonly access: Authorizer
  /** Asked about those who were not accepted. */
  readonly backoff: AuthBackoff
  readonly directory: Directory
  /** Takes events that are run later. */
  readonly dispatcher: Dispatcher
  /** Calls that are done once. */
  readonly idempotency: Idempotency
  readonly metrics: Metrics
  readonly expectations: Expectations
  /** Shared by all calls whose body is there at once. */
  readonly jsonCheck: JsonCheck
  /** Whether the server is on its way down. */
  readonly draining: () => boolean
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** A bug of ours: told to the operator, never to the caller. */
  readonly onBug: (err: unknown, requestId: string) => void
}

/** One way in: how a request becomes an invocation, and an outcome becomes a response. */
export interface Door {
  readonly dialect: Dialect
  /** Number of the route in the metrics. */
  readonly route: number
  /** Whether the body must be JSON. */
  readonly jsonOnly: boolean
  /** Whether Idempotency-Key is the server's business here; on a public URL it is the function's. */
  readonly takesKeys: boolean
  /** Whether nobody is asked who they are. */
  readonly isOpen?: boolean
  /** Of doors that take keys: asked before an answer is given again. @throws HearthError ACCESS_DENIED */
  mayEnter?(call: Call): void
  /** Finds the function and calls {@link Call.run}, or answers. @throws HearthError */
  enter(call: Call, body: Buffer): void
  answer(call: Call, outcome: Outcome): void
}

/** Where an answer goes that is sent as it comes. */
export interface CallStream extends ResponseSink {
  /** The client is gone. */
  close(): void
}

const EMPTY: Buffer = Buffer.alloc(0)
const kCall = Symbol('call')

interface CallRequest extends IncomingMessage {
  [kCall]?: Call
}
interface CallResponse extends ServerResponse {
  [kCall]?: Call
}

/**
 * One request for one invocation, from its headers to its answer: who sends it, its body, the function, the outcome.
 * A class with shared listeners instead of closures and promises, because this is the hot path.
 */
export class Call implements Invocation, RequestFacts {
  readonly requestId: string
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The function reference as it stands in the path, percent-decoded. */
  readonly reference: string
  payload = EMPTY
  invokedArn = ''
  traceId = ''
  clientContext = ''
  tail = false
  /** Set by the door when the answer is to be sent as it comes. */
  stream: CallStream | undefined
  principal: Principal | undefined
  /** Set when a function's URL is called: it says who may. */
  url: UrlTarget | undefined
  /** Set when it came with an Idempotency-Key. */
  keyed: KeyedCall | undefined
  readonly #door: Door
  readonly #hallway: Hallway
  readonly #startedAt: number
  #settledAt = 0
  #entry: Entry | undefined
  /** Row in the function's metrics while it waits or runs, else -1. */
  #row = -1
  #bodyBytes = 0
  #first: Buffer | undefined
  #chunks: Buffer[] | undefined
  #check: JsonCheck | undefined
  #invalidAt = -1

  constructor(hallway: Hallway, door: Door, req: IncomingMessage, res: ServerResponse, id: string, reference: string) {
    this.requestId = id
    this.req = req
    this.res = res
    this.reference = reference
    this.#door = door
    this.#hallway = hallway
    this.#startedAt = hallway.now()
    ;(res as CallResponse)[kCall] = this
    res.on('close', onResponseClose)
  }

  /** Takes the request as far as its headers allow, then reads its body. */
  start(): void {
    const { req } = this
    try {
      if (this.#hallway.draining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
      this.#hallway.directory.refresh()
      // Before the body: a stranger is not asked to send it.
      if (this.#isAsked) this.principal = this.#hallway.authenticator.authenticateHead(this.#head(undefined))
      const declared = req.headers['content-length']
      if (declared !== undefined && Number(declared) > LIMITS.syncPayloadBytes) {
        throw payloadTooLarge(Number(declared), LIMITS.syncPayloadBytes)
      }
    } catch (err) {
      this.refuse(err)
      return
    }
    if (!hasBody(req)) {
      this.#enter(EMPTY)
      return
    }
    this.#hallway.expectations.meet(req, this.res)
    ;(req as CallRequest)[kCall] = this
    req.on('data', onRequestData)
    req.on('end', onRequestEnd)
  }

  /** Hands the event to the function. @throws HearthError RECURSION_STOPPED */
  run(entry: Entry, payload: Buffer, invokedArn: string): void {
    const traceId = entry.lineage.enter(this.traceId)
    if (traceId === undefined) {
      this.#hallway.metrics.recursionStopped(entry.record.name)
      throw recursionStopped(entry.record.name)
    }
    this.traceId = traceId
    this.payload = payload
    this.invokedArn = invokedArn
    this.#entry = entry
    if (this.keyed === undefined) this.#invoke(entry)
    else this.#reserveAndInvoke(entry, this.keyed)
  }

  #invoke(entry: Entry): void {
    this.#row = this.#hallway.metrics.functions.started(entry.record.name)
    entry.pool.invoke(this)
  }

  #reserveAndInvoke(entry: Entry, keyed: KeyedCall): void {
    keyed
      .reserve()
      .then(() => {
        if (this.res.destroyed) keyed.forget(nothing)
        else this.#invoke(entry)
      })
      .catch((err: unknown) => {
        this.refuse(err)
      })
  }

  /** The executor's: exactly once. */
  settle(outcome: Outcome): void {
    const row = this.#row
    this.#row = -1
    this.#settledAt = this.#hallway.now()
    this.#hallway.metrics.settled(row, this.#entry!, outcome)
    // An answer under a key is kept also when its caller has left: that one comes back for it.
    if (this.res.destroyed && this.keyed === undefined) return
    try {
      this.#door.answer(this, outcome)
    } catch (err) {
      this.refuse(err)
    }
    // It was streamed.
    this.keyed?.conclude(undefined, nothing)
  }

  /**
   * @param policy - Of what is asked for.
   * @throws HearthError ACCESS_DENIED
   */
  requireAccess(action: string, resource: string, policy: Policy | undefined, keys?: ContextKeys): void {
    this.#hallway.access.require(this.principal, { action, resource, resourcePolicy: policy, keys }, this)
  }

  /** As {@link requireAccess}, for what is refused only where a policy says so. @throws HearthError ACCESS_DENIED */
  refuseDenied(action: string, resource: string, policy: Policy | undefined, keys?: ContextKeys): void {
    this.#hallway.access.refuseDenied(this.principal, { action, resource, resourcePolicy: policy, keys }, this)
  }

  get sourceIp(): string | undefined {
    return peerAddress(this.req)
  }

  get userAgent(): string | undefined {
    return this.req.headers['user-agent']
  }

  /** What ends TLS stands before this server, and is not asked. */
  get secure(): boolean {
    return false
  }

  /** Of the function, as far as it is known. */
  get version(): string {
    return this.#entry?.record.version ?? ''
  }

  refuse(thrown: unknown): void {
    if (this.keyed === undefined) this.#refuse(thrown)
    else this.keyed.forget(() => this.#refuse(thrown))
  }

  #refuse(thrown: unknown): void {
    const told = judgeRefused(this.#hallway, thrown, this.sourceIp, this.requestId)
    const refusal = toRefusal(told, this.#door.dialect, this.requestId)
    const cors = this.url?.cors
    // A page of an allowed origin may read why.
    refuse(this.req, this.res, cors ? { ...refusal, headers: cors.apply(this.req, refusal.headers) } : refusal)
  }

  respond(status: number, headers: string[], body: Buffer | string): void {
    if (this.keyed === undefined) respond(this.res, status, headers, body)
    else {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body
      this.keyed.conclude({ status, headers: [...headers], body: bytes }, () => {
        respond(this.res, status, headers, body)
      })
    }
  }

  /** For listeners. */
  onData(chunk: Buffer): void {
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > LIMITS.syncPayloadBytes) {
      this.#stopReading()
      this.refuse(payloadTooLarge(this.#bodyBytes, LIMITS.syncPayloadBytes))
      return
    }
    // Most bodies are one chunk: it is handed on as it is. Long ones are checked as they come, a chunk at a time.
    if (this.#first === undefined) {
      this.#first = chunk
      return
    }
    if (this.#chunks === undefined) {
      this.#chunks = [this.#first]
      if (this.#door.jsonOnly) {
        this.#check = new JsonCheck()
        this.#invalidAt = this.#check.push(this.#first)
      }
    }
    this.#chunks.push(chunk)
    if (this.#check !== undefined && this.#invalidAt === -1) this.#invalidAt = this.#check.push(chunk)
  }

  /** For listeners. */
  onEnd(): void {
    const body = this.#chunks === undefined ? (this.#first ?? EMPTY) : Buffer.concat(this.#chunks, this.#bodyBytes)
    this.#chunks = undefined
    this.#enter(body)
  }

  /** For listeners: the response was sent, or the client went away. */
  onClose(): void {
    this.stream?.close()
    const { metrics, now } = this.#hallway
    if (this.#row !== -1 && this.#entry?.pool.cancel(this) === true) {
      metrics.functions.cancelled(this.#row)
      this.#row = -1
      this.keyed?.forget(nothing)
    }
    const endedAt = now()
    if (this.#settledAt !== 0) metrics.responded((endedAt - this.#settledAt) / 1_000)
    // 499 is what proxies call a client that did not wait for the answer.
    const code = this.res.headersSent ? this.res.statusCode : 499
    metrics.answered(this.#door.route, this.req.method ?? '', code, (endedAt - this.#startedAt) / 1_000)
    if (this.url !== undefined) {
      metrics.urlAnswered(this.url.url.functionName, code, endedAt - this.#startedAt)
    }
  }

  /** Whether the caller must say who it is. */
  get #isAsked(): boolean {
    return this.#door.isOpen !== true && this.url?.url.authType !== 'NONE'
  }

  #enter(body: Buffer): void {
    try {
      if (this.#isAsked) this.principal ??= this.#hallway.authenticator.authenticate(this.#head(body))
      if (this.#door.jsonOnly && body.length > 0) this.#requireJson(body)
      const key = this.req.headers['idempotency-key']
      if (key === undefined || !this.#door.takesKeys || this.req.method !== 'POST') this.#door.enter(this, body)
      else this.#enterWithKey(String(key), body)
    } catch (err) {
      this.refuse(err)
    }
  }

  #enterWithKey(key: string, body: Buffer): void {
    this.#door.mayEnter?.(this)
    this.#hallway.idempotency.begin(this, key, body, () => this.#door.enter(this, body))
  }

  /** AWS refuses what is not JSON before the function runs. */
  #requireJson(body: Buffer): void {
    const { jsonCheck } = this.#hallway
    let at = this.#invalidAt
    if (at === -1) {
      const check = this.#check ?? jsonCheck
      if (this.#check === undefined) {
        check.reset()
        at = check.push(body)
      }
      if (at === -1) at = check.end()
    }
    if (at === -1 && isUtf8(body)) return
    const fault = at === -1 ? 'Invalid UTF-8' : describeJsonFault(body, at)
    throw new HearthError(
      'INVALID_PAYLOAD',
      `Could not parse request body into json: Could not parse payload into json: ${fault}`
    )
  }

  #head(body: Buffer | undefined) {
    const { req } = this
    return { method: req.method ?? '', rawUrl: req.url ?? '', headers: req.headers, rawHeaders: req.rawHeaders, body }
  }

  #stopReading(): void {
    this.req.off('data', onRequestData)
    this.req.off('end', onRequestEnd)
    this.#first = undefined
    this.#chunks = undefined
  }
}

function nothing(): void {
  // The client has its answer, or is gone.
}

function onRequestData(this: CallRequest, chunk: Buffer): void {
  this[kCall]!.onData(chunk)
}

function onRequestEnd(this: CallRequest): void {
  this[kCall]!.onEnd()
}

function onResponseClose(this: CallResponse): void {
  this[kCall]!.onClose()
}
