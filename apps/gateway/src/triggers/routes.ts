import type { IncomingMessage } from 'node:http'
import { type ArnScope, HearthError, loadBalancerArn, ruleArn, scheduleArn, webhookArn } from '@hearth/shared'
import { respond } from '../respond.ts'
import type { ServerRoute } from '../server-routes.ts'
import type { LoadBalancerStatus } from './load-balancers/load-balancer-kind.ts'
import { membersOf, type Sample, wrongSample } from './sample.ts'
import type { TriggerEvent } from './trigger-log.ts'
import type { TriggerService } from './trigger-service.ts'

/** A route about one trigger. */
export interface TriggerRoute {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** What a caller must be allowed on the trigger's ARN, for which the route asks by itself. */
  readonly action: string
  /** How much of a body it takes; undefined: none. */
  readonly bodyBytes?: number
  readonly route: ServerRoute
}

const JSON_TYPE = ['content-type', 'application/json']
const SAMPLE_BYTES = 262_144
const USUAL = 'default'

/** `GET …/status` and `POST …/test` of each kind. */
export function triggerRoutes(triggers: TriggerService, scope: ArnScope): readonly TriggerRoute[] {
  const kinds = [
    { kind: 'event', place: 'bus', arnIn: (bus: string, name: string) => ruleArn(scope, bus, name) },
    { kind: 'schedule', place: 'group', arnIn: (group: string, name: string) => scheduleArn(scope, group, name) },
    { kind: 'webhook', place: undefined, arnIn: (_: string, name: string) => webhookArn(scope, name) },
    { kind: 'load-balancer', place: undefined, arnIn: (_: string, name: string) => loadBalancerArn(scope, name) }
  ]
  return kinds.flatMap(({ kind, place, arnIn }): readonly TriggerRoute[] => {
    const arnOf = ({ url = '' }: IncomingMessage, name: string): string => {
      if (place === undefined) return arnIn('', name)
      const said = url.includes('?') ? new URLSearchParams(url.slice(url.indexOf('?'))).get(place) : null
      return arnIn(said ?? USUAL, name)
    }
    const missing = (name: string): HearthError =>
      new HearthError('RESOURCE_NOT_FOUND', `There is no trigger ${name.slice(0, 64)} of kind ${kind}.`)
    return [
      {
        method: 'GET',
        url: `/v1/triggers/${kind}/:name/status`,
        action: 'hearth:GetTriggerStatus',
        route: async (req, res, name, _send, ask) => {
          const arn = arnOf(req, name)
          ask(arn)
          if (!triggers.has(arn)) throw missing(name)
          const balancer = triggers.loadBalancers.statusOf(arn)
          if (balancer !== undefined) {
            respond(res, 200, [...JSON_TYPE], JSON.stringify(balancerView(balancer)))
            return
          }
          const status = triggers.statusOf(arn)
          const body = {
            fired: status?.fired ?? 0,
            failed: status?.failed ?? 0,
            skipped: status?.skipped ?? 0,
            ...(kind === 'webhook' ? { refused: status?.refused ?? 0, repeated: status?.repeated ?? 0 } : {}),
            lagMs: status?.lagMs ?? null,
            problem: triggers.health() ?? null,
            lastError: status?.lastError === undefined ? null : shown(status.lastError),
            events: (status?.events ?? []).map(shown)
          }
          respond(res, 200, [...JSON_TYPE], JSON.stringify(body))
        }
      },
      {
        method: 'POST',
        url: `/v1/triggers/${kind}/:name/test`,
        action: 'hearth:TestTrigger',
        bodyBytes: SAMPLE_BYTES,
        route: async (req, _res, name, send, ask, body) => {
          const arn = arnOf(req, name)
          ask(arn)
          const sample = readSample(body)
          const result = await triggers.test(arn, sample)
          if (result === undefined) throw missing(name)
          send(result.matches ? 202 : 200, [...JSON_TYPE], Buffer.from(JSON.stringify(result)))
        }
      }
    ]
  })
}

function readSample(body: Buffer): Sample {
  const { source = 'hearth.test', detailType = 'Test', detail = {} } = membersOf(body)
  if (typeof source !== 'string' || typeof detailType !== 'string')
    throw wrongSample('source and detailType must be texts')
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
    throw wrongSample('detail must be an object')
  return { source, detailType, detail }
}

function shown({ at, requestId, target, error }: TriggerEvent) {
  return { at: new Date(at).toISOString(), requestId, function: target, error: error ?? null }
}

function balancerView({ called, failed, failures, targets }: LoadBalancerStatus) {
  const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString())
  return {
    fired: called,
    failed,
    failures: failures.map(({ at, requestId, functionArn, message }) => ({
      at: iso(at),
      requestId,
      function: functionArn,
      message
    })),
    lastError: failures[0] === undefined ? null : { at: iso(failures[0].at), message: failures[0].message },
    targets: targets.map(({ functionArn, state, reason, checkedAt }) => ({
      function: functionArn,
      state,
      reason: reason ?? null,
      checkedAt: iso(checkedAt)
    }))
  }
}
