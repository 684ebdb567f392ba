import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Invocation, Outcome } from '@hearth/executor'
import type { RequestFacts } from '@hearth/shared'
import type { Entry } from './function-routes.ts'
import type { Hallway } from './hallway.ts'
import { peerAddress } from './peer-address.ts'
import { hasBody } from './respond.ts'
import { factsOf, type Trigger } from './tracing/records.ts'

const EMPTY: Buffer = Buffer.alloc(0)
const kCall = Symbol('call')

interface CallRequest extends IncomingMessage {
  [kCall]?: HttpCall
}
interface CallResponse extends ServerResponse {
  [kCall]?: HttpCall
}

/**
 * A request that is an invocation itself: its body as it comes, its turn at the executor, and what is counted and traced
 * of it until its connection has closed. A class with shared listeners instead of closures and promises, because this is
 * the hot path.
 */
export abstract class HttpCall implements Invocation, RequestFacts {
  readonly requestId: string
  readonly req: IncomingMessage
  readonly res: ServerResponse
  payload = EMPTY
  invokedArn = ''
  traceId = ''
  clientContext = ''
  tail = false
  protected readonly hallway: Hallway
  /** Milliseconds, monotonic. */
  protected readonly startedAt: number
  /** Once it is known. */
  protected entry: Entry | undefined
  /** Row in the function's metrics while it waits or runs, else -1. */
  #row = -1
  #settledAt = 0
  #bodyBytes = 0
  #first: Buffer | undefined
  #chunks: Buffer[] | undefined

  constructor(hallway: Hallway, req: IncomingMessage, res: ServerResponse, id: string) {
    this.requestId = id
    this.req = req
    this.res = res
    this.hallway = hallway
    this.startedAt = hallway.now()
    ;(res as CallResponse)[kCall] = this
    res.on('close', onResponseClose)
  }

  /** Number of the route in the metrics. */
  protected abstract readonly route: number
  /** What starts the function, as traces say it. */
  protected abstract readonly trigger: Trigger
  /** How large its body may be. */
  protected abstract readonly maxBodyBytes: number
  /** A piece of a body that comes in several, in their order. */
  protected abstract onPiece(chunk: Buffer): void
  /** Its body is there. Never throws. */
  protected abstract enter(body: Buffer): void
  /** Its body is larger than it may be, and is not read any more. */
  protected abstract refuseBody(bytes: number): void
  /** The executor's: exactly once. */
  abstract settle(outcome: Outcome): void

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

  protected readBody(): void {
    const { req } = this
    if (!hasBody(req)) {
      this.enter(EMPTY)
      return
    }
    this.hallway.expectations.meet(req, this.res)
    ;(req as CallRequest)[kCall] = this
    req.on('data', onRequestData)
    req.on('end', onRequestEnd)
  }

  /** For listeners. */
  onData(chunk: Buffer): void {
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > this.maxBodyBytes) {
      this.#stopReading()
      this.refuseBody(this.#bodyBytes)
      return
    }
    // Most bodies are one chunk: it is handed on as it is.
    if (this.#first === undefined) {
      this.#first = chunk
      return
    }
    if (this.#chunks === undefined) {
      this.#chunks = [this.#first]
      this.onPiece(this.#first)
    }
    this.#chunks.push(chunk)
    this.onPiece(chunk)
  }

  /** For listeners. */
  onEnd(): void {
    const body = this.#chunks === undefined ? (this.#first ?? EMPTY) : Buffer.concat(this.#chunks, this.#bodyBytes)
    this.#first = undefined
    this.#chunks = undefined
    this.enter(body)
  }

  /** Hands it to the executor, which settles it unless it is cancelled. */
  protected invoke(entry: Entry): void {
    this.#row = this.hallway.metrics.functions.started(entry.record.name)
    entry.pool.invoke(this)
  }

  /** Notes what has become of it, before anything is answered. */
  protected account(outcome: Outcome): void {
    const { metrics, now, traces } = this.hallway
    const row = this.#row
    this.#row = -1
    this.#settledAt = now()
    metrics.settled(row, this.entry!, outcome)
    if (traces.keeps(this.traceId, outcome)) this.#trace(this.entry!, outcome)
  }

  #trace(entry: Entry, outcome: Outcome): void {
    const { traces } = this.hallway
    traces.record({
      header: this.traceId,
      ...traces.originOf(this.req.headers),
      isAwaited: true,
      trigger: this.trigger,
      requestId: this.requestId,
      invokedArn: this.invokedArn,
      ...factsOf(entry, outcome),
      startedAt: this.startedAt
    })
  }

  /** For listeners: the response was sent, or the client went away. */
  onClose(): void {
    const { metrics, now } = this.hallway
    if (this.#row !== -1 && this.entry?.pool.cancel(this) === true) {
      metrics.functions.cancelled(this.#row)
      this.#row = -1
      this.onCancelled()
    }
    const endedAt = now()
    if (this.#settledAt !== 0) metrics.responded((endedAt - this.#settledAt) / 1_000)
    // 499 is what proxies call a client that did not wait for the answer.
    const code = this.res.headersSent ? this.res.statusCode : 499
    const ms = endedAt - this.startedAt
    metrics.answered(this.route, this.req.method ?? '', code, ms / 1_000)
    this.onClosed(code, ms)
  }

  /** Its client left before its turn: it is not run. */
  protected onCancelled(): void {
    // Nothing of it is kept elsewhere.
  }

  /** @param code - Of the response; 499: there was none. @param ms - Since the request came */
  protected abstract onClosed(code: number, ms: number): void

  /** What it is authenticated by. */
  protected head(body: Buffer | undefined) {
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

function onRequestData(this: CallRequest, chunk: Buffer): void {
  this[kCall]!.onData(chunk)
}

function onRequestEnd(this: CallRequest): void {
  this[kCall]!.onEnd()
}

function onResponseClose(this: CallResponse): void {
  this[kCall]!.onClose()
}
