import { randomUUID } from 'node:crypto'
import type { Invocation, Outcome } from '@hearth/executor'
import { type ArnScope, contextKeys, HearthError, LIMITS } from '@hearth/shared'
import type { Hallway } from '../call.ts'
import type { Entry } from '../function-routes.ts'
import { type ProxyAnswer, toProxyAnswer } from './proxy-answer.ts'
import type { SocketRoute } from './published-sockets.ts'

/** How a route's function took an event. */
export type IntegrationResult =
  | { readonly ok: true; readonly answer: ProxyAnswer }
  | { readonly ok: false; readonly status: 500 | 502 | 504; readonly message: string }

/** Runs functions on behalf of WebSocket APIs. */
export interface Integrations {
  /** Calls `done` once, at once when nothing can be run. Never throws. */
  run(route: SocketRoute, event: string, traceId: string, done: (result: IntegrationResult) => void): void
  /**
   * The function of a route, if there is one and the API may invoke it.
   *
   * @throws HearthError while the database is not there
   */
  find(route: SocketRoute, requestId: string): Entry | undefined
}

export interface IntegrationsOptions {
  readonly hallway: Pick<Hallway, 'directory' | 'access' | 'metrics' | 'onBug'>
  readonly scope: ArnScope
  /** An API may not invoke its function. */
  readonly onForbidden: (sourceArn: string) => void
}

const SERVICE = 'apigateway.amazonaws.com'
const FAILED: IntegrationResult = { ok: false, status: 502, message: 'Internal server error' }
const NOT_RUN: IntegrationResult = { ok: false, status: 500, message: 'Internal server error' }
const TIMED_OUT: IntegrationResult = { ok: false, status: 504, message: 'Endpoint request timed out' }

export function createIntegrations({ hallway, scope, onForbidden }: IntegrationsOptions): Integrations {
  const find = ({ integration, target, sourceArn }: SocketRoute, requestId: string): Entry | undefined => {
    if (integration === undefined || target === undefined) return undefined
    hallway.directory.refresh()
    const entry = hallway.directory.find(target.name, target.qualifier)
    if (entry === undefined || entry.record.state === 'Failed') return undefined
    const { credentialsArn } = integration
    const wish = {
      action: 'lambda:InvokeFunction',
      resource: entry.invokedArn,
      resourcePolicy: entry.policy,
      keys: contextKeys({ 'aws:SourceArn': sourceArn, 'aws:SourceAccount': scope.accountId })
    }
    const facts = { requestId, sourceIp: undefined, userAgent: credentialsArn ?? SERVICE, secure: false }
    if (hallway.access.mayService(SERVICE, credentialsArn, wish, facts)) return entry
    onForbidden(sourceArn)
    return undefined
  }

  const begin = (
    route: SocketRoute,
    event: string,
    sentTraceId: string,
    done: (result: IntegrationResult) => void
  ): IntegrationResult | undefined => {
    const requestId = randomUUID()
    const entry = find(route, requestId)
    if (entry === undefined) return NOT_RUN
    const traceId = entry.lineage.enter(sentTraceId)
    const payload = Buffer.from(event)
    if (traceId === undefined || payload.length > LIMITS.syncPayloadBytes) return NOT_RUN
    const timeoutMs = route.integration!.timeoutMs
    new SocketInvocation(hallway.metrics, entry, requestId, payload, traceId, done).start(timeoutMs)
    return undefined
  }

  return {
    find,
    run(route, event, traceId, done) {
      let result: IntegrationResult | undefined
      try {
        result = begin(route, event, traceId, done)
      } catch (err) {
        // A policy that cannot be read allows nothing.
        if (!(err instanceof HearthError)) hallway.onBug(err, '')
        result = NOT_RUN
      }
      if (result !== undefined) done(result)
    }
  }
}

/** One event of a connection on its way through its function. */
class SocketInvocation implements Invocation {
  readonly requestId: string
  readonly payload: Buffer
  readonly traceId: string
  readonly invokedArn: string
  readonly clientContext = ''
  readonly tail = false
  readonly #metrics: Hallway['metrics']
  readonly #entry: Entry
  #done: ((result: IntegrationResult) => void) | undefined
  #row = -1
  #timer: NodeJS.Timeout | undefined

  constructor(
    metrics: Hallway['metrics'],
    entry: Entry,
    requestId: string,
    payload: Buffer,
    traceId: string,
    done: (result: IntegrationResult) => void
  ) {
    this.#metrics = metrics
    this.#entry = entry
    this.requestId = requestId
    this.payload = payload
    this.traceId = traceId
    this.invokedArn = entry.invokedArn
    this.#done = done
  }

  start(timeoutMs: number): void {
    this.#row = this.#metrics.functions.started(this.#entry.record.name)
    this.#timer = setTimeout(() => this.#onTimeout(), timeoutMs)
    this.#entry.pool.invoke(this)
  }

  /** The executor's: exactly once. */
  settle(outcome: Outcome): void {
    const row = this.#row
    this.#row = -1
    this.#metrics.settled(row, outcome)
    this.#entry.counter?.record(outcome)
    const answer = outcome.status === 'ok' ? toProxyAnswer(outcome.payload) : undefined
    this.#end(answer === undefined ? FAILED : { ok: true, answer })
  }

  /** What waits is given up; what runs goes on, and nobody hears of it. */
  #onTimeout(): void {
    if (this.#row !== -1 && this.#entry.pool.cancel(this)) {
      this.#metrics.functions.cancelled(this.#row)
      this.#row = -1
    }
    this.#end(TIMED_OUT)
  }

  #end(result: IntegrationResult): void {
    clearTimeout(this.#timer)
    const done = this.#done
    this.#done = undefined
    done?.(result)
  }
}
