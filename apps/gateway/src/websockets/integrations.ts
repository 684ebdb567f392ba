import { randomUUID } from 'node:crypto'
import { type ArnScope, HearthError, LIMITS } from '@hearth/shared'
import type { Entry } from '../function-routes.ts'
import type { Hallway } from '../hallway.ts'
import { runFunction } from '../run-function.ts'
import { mayServiceInvoke, sourceKeys } from '../service-access.ts'
import type { SpanLink } from '../tracing/records.ts'
import type { Origin } from '../tracing/traces.ts'
import { type ProxyAnswer, toProxyAnswer } from './proxy-answer.ts'
import type { SocketRoute } from './published-sockets.ts'

/** How a route's function took an event. */
export type IntegrationResult =
  | { readonly ok: true; readonly answer: ProxyAnswer }
  | { readonly ok: false; readonly status: 500 | 502 | 504; readonly message: string }

/** Where an event's call belongs. */
export interface SocketTrace extends Origin {
  readonly header: string
  readonly links?: readonly SpanLink[]
}

/** Runs functions on behalf of WebSocket APIs. */
export interface Integrations {
  /** Calls `done` once, at once when nothing can be run. Never throws. */
  run(route: SocketRoute, event: string, trace: SocketTrace, done: (result: IntegrationResult) => void): void
  /**
   * The function of a route, if there is one and the API may invoke it.
   *
   * @throws HearthError while the database is not there
   */
  find(route: SocketRoute, requestId: string): Entry | undefined
}

export interface IntegrationsOptions {
  readonly hallway: Pick<Hallway, 'directory' | 'access' | 'metrics' | 'traces' | 'onBug'>
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
    const ask = { service: SERVICE, roleArn: integration.credentialsArn, requestId, keys: sourceKeys(scope, sourceArn) }
    if (mayServiceInvoke(hallway.access, ask, entry)) return entry
    onForbidden(sourceArn)
    return undefined
  }

  const begin = (
    route: SocketRoute,
    event: string,
    { header, ...origin }: SocketTrace,
    done: (result: IntegrationResult) => void
  ): IntegrationResult | undefined => {
    const requestId = randomUUID()
    const entry = find(route, requestId)
    if (entry === undefined) return NOT_RUN
    const traceId = entry.lineage.enter(header)
    const payload = Buffer.from(event)
    if (traceId === undefined || payload.length > LIMITS.syncPayloadBytes) return NOT_RUN
    const call = { requestId, traceId, payload, span: { ...origin, trigger: 'http' as const } }
    runFunction(entry, call, route.integration!.timeoutMs, hallway, (outcome) => {
      if (outcome === undefined) done(TIMED_OUT)
      else {
        const answer = outcome.status === 'ok' ? toProxyAnswer(outcome.payload) : undefined
        done(answer === undefined ? FAILED : { ok: true, answer })
      }
    })
    return undefined
  }

  return {
    find,
    run(route, event, trace, done) {
      let result: IntegrationResult | undefined
      try {
        result = begin(route, event, trace, done)
      } catch (err) {
        // A policy that cannot be read allows nothing.
        if (!(err instanceof HearthError)) hallway.onBug(err, '', trace.header)
        result = NOT_RUN
      }
      if (result !== undefined) done(result)
    }
  }
}
