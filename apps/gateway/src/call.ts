import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Outcome, ResponseSink } from '@hearth/executor'
import {
  type ContextKeys,
  describeJsonFault,
  HearthError,
  JsonCheck,
  LIMITS,
  type Policy,
  type Principal
} from '@hearth/shared'
import type { Entry } from './function-routes.ts'
import type { Hallway } from './hallway.ts'
import { HttpCall } from './http-call.ts'
import type { KeyedCall } from './idempotency.ts'
import { judgeRefused } from './reception.ts'
import { type Dialect, payloadTooLarge, recursionStopped, toRefusal } from './refusal.ts'
import { refuse, respond } from './respond.ts'
import { functionFacts, type Trigger } from './tracing/records.ts'
import type { UrlTarget } from './url-table.ts'

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
  /** What starts the function, as traces say it. */
  readonly trigger: Trigger
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

/** One request for one invocation, from its headers to its answer: who sends it, its body, the function, the outcome. */
export class Call extends HttpCall {
  /** The function reference as it stands in the path, percent-decoded. */
  readonly reference: string
  /** Set by the door when the answer is to be sent as it comes. */
  stream: CallStream | undefined
  principal: Principal | undefined
  /** Set when a function's URL is called: it says who may. */
  url: UrlTarget | undefined
  /** Set when it came with an Idempotency-Key. */
  keyed: KeyedCall | undefined
  readonly #door: Door
  /** Of a body that comes in pieces. */
  #check: JsonCheck | undefined
  #invalidAt = -1

  constructor(hallway: Hallway, door: Door, req: IncomingMessage, res: ServerResponse, id: string, reference: string) {
    super(hallway, req, res, id)
    this.reference = reference
    this.#door = door
  }

  protected get route(): number {
    return this.#door.route
  }

  protected get trigger(): Trigger {
    return this.#door.trigger
  }

  protected get maxBodyBytes(): number {
    return LIMITS.syncPayloadBytes
  }

  /** Takes the request as far as its headers allow, then reads its body. */
  start(): void {
    const { req } = this
    try {
      if (this.hallway.draining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
      this.hallway.directory.refresh()
      // Before the body: a stranger is not asked to send it.
      if (this.#isAsked) this.principal = this.hallway.authenticator.authenticateHead(this.head(undefined))
      const declared = req.headers['content-length']
      if (declared !== undefined && Number(declared) > LIMITS.syncPayloadBytes) {
        throw payloadTooLarge(Number(declared), LIMITS.syncPayloadBytes)
      }
    } catch (err) {
      this.refuse(err)
      return
    }
    this.readBody()
  }

  /** Hands the event to the function. @throws HearthError RECURSION_STOPPED */
  run(entry: Entry, payload: Buffer, invokedArn: string): void {
    const traceId = entry.lineage.enter(this.traceId)
    if (traceId === undefined) {
      this.hallway.metrics.recursionStopped(entry.record.name)
      throw recursionStopped(entry.record.name)
    }
    this.traceId = traceId
    this.payload = payload
    this.invokedArn = invokedArn
    this.entry = entry
    if (this.keyed === undefined) this.invoke(entry)
    else this.#reserveAndInvoke(entry, this.keyed)
  }

  #reserveAndInvoke(entry: Entry, keyed: KeyedCall): void {
    keyed
      .reserve()
      .then(() => {
        if (this.res.destroyed) keyed.forget(nothing)
        else this.invoke(entry)
      })
      .catch((err: unknown) => {
        this.refuse(err)
      })
  }

  /** The executor's: exactly once. */
  settle(outcome: Outcome): void {
    this.account(outcome)
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

  /** Its event is on disk, and will be run. */
  sent(entry: Entry): void {
    const { traces } = this.hallway
    if (!traces.isOn) return
    traces.sent({
      header: this.traceId,
      ...traces.originOf(this.req.headers),
      requestId: this.requestId,
      invokedArn: entry.invokedArn,
      function: functionFacts(entry),
      startedAt: this.startedAt
    })
  }

  /**
   * @param policy - Of what is asked for.
   * @throws HearthError ACCESS_DENIED
   */
  requireAccess(action: string, resource: string, policy: Policy | undefined, keys?: ContextKeys): void {
    this.hallway.access.require(this.principal, { action, resource, resourcePolicy: policy, keys }, this)
  }

  /** As {@link requireAccess}, for what is refused only where a policy says so. @throws HearthError ACCESS_DENIED */
  refuseDenied(action: string, resource: string, policy: Policy | undefined, keys?: ContextKeys): void {
    this.hallway.access.refuseDenied(this.principal, { action, resource, resourcePolicy: policy, keys }, this)
  }

  /** Of the function, as far as it is known. */
  get version(): string {
    return this.entry?.record.version ?? ''
  }

  refuse(thrown: unknown): void {
    if (this.keyed === undefined) this.#refuse(thrown)
    else this.keyed.forget(() => this.#refuse(thrown))
  }

  #refuse(thrown: unknown): void {
    const told = judgeRefused(this.hallway, thrown, this.sourceIp, this.requestId, this.traceId)
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

  /** Long ones are checked as they come, a chunk at a time. */
  protected onPiece(chunk: Buffer): void {
    if (!this.#door.jsonOnly) return
    this.#check ??= new JsonCheck()
    if (this.#invalidAt === -1) this.#invalidAt = this.#check.push(chunk)
  }

  protected refuseBody(bytes: number): void {
    this.refuse(payloadTooLarge(bytes, LIMITS.syncPayloadBytes))
  }

  override onClose(): void {
    this.stream?.close()
    super.onClose()
  }

  protected override onCancelled(): void {
    this.keyed?.forget(nothing)
  }

  protected onClosed(code: number, ms: number): void {
    if (this.url !== undefined) this.hallway.metrics.urlAnswered(this.url.url.functionName, code, ms)
  }

  /** Whether the caller must say who it is. */
  get #isAsked(): boolean {
    return this.#door.isOpen !== true && this.url?.url.authType !== 'NONE'
  }

  protected enter(body: Buffer): void {
    try {
      if (this.#isAsked) this.principal ??= this.hallway.authenticator.authenticate(this.head(body))
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
    this.hallway.idempotency.begin(this, key, body, () => this.#door.enter(this, body))
  }

  /** AWS refuses what is not JSON before the function runs. */
  #requireJson(body: Buffer): void {
    const { jsonCheck } = this.hallway
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
}

function nothing(): void {
  // The client has its answer, or is gone.
}
