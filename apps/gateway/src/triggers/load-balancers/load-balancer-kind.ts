import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  functionsOf,
  HearthError,
  hostName,
  LOAD_BALANCER_LIMITS,
  type LoadBalancer,
  type LoadBalancerAction,
  loadBalancerArn
} from '@hearth/shared'
import { Call, type Door } from '../../call.ts'
import type { Hallway } from '../../hallway.ts'
import type { HostBook, ServeHost } from '../../host-entrance.ts'
import { peerAddress } from '../../peer-address.ts'
import { toRefusal } from '../../refusal.ts'
import { refuse } from '../../respond.ts'
import { OPAQUE_ORIGIN } from '../../url-door.ts'
import type { TriggerKind } from '../kind.ts'
import { createAlbDoor } from './alb-door.ts'
import { albHeaders, albPage } from './alb-pages.ts'
import { redirectTo } from './alb-redirect.ts'
import {
  checkTarget,
  type HealthCheck,
  type HealthCheckOptions,
  startHealthCheck,
  type TargetHealth
} from './health-checks.ts'
import { compileRules, type RuleFacts } from './rules.ts'
import { createTargetCounts, type TargetCounts } from './target-counts.ts'

export interface LoadBalancerKindOptions extends HealthCheckOptions {
  readonly hallway: Hallway
}

export interface LoadBalancerStatus extends ReturnType<TargetCounts['read']> {
  readonly targets: readonly TargetHealth[]
}

export interface LoadBalancerKind extends TriggerKind {
  /** Its hosts. */
  readonly hosts: HostBook
  /** Serves a request for `/lb/{name}/…`. */
  serve(name: string, req: IncomingMessage, res: ServerResponse, id: string): void
  arns(): readonly string[]
  statusOf(arn: string): LoadBalancerStatus | undefined
  /** Checks each function now. @returns undefined when there is no such load balancer */
  test(
    arn: string
  ):
    | readonly { readonly requestId: string; readonly function: string; readonly healthy: Promise<boolean> }[]
    | undefined
}

/** A load balancer as requests meet it. */
interface Armed {
  readonly loadBalancer: LoadBalancer
  readonly actionOf: (facts: RuleFacts) => LoadBalancerAction
  readonly counts: TargetCounts
  /** By function: one for its path on this server, one for its own hosts. */
  readonly byPath: ReadonlyMap<string, Door>
  readonly byHost: ReadonlyMap<string, Door>
  readonly checks: readonly HealthCheck[]
  /** Changed: made anew. */
  readonly version: string
}

const ENTRIES = 4_096
const MAX_HEADER_CHARS = 260
const DEFAULT_CHECK = { path: '/', matcher: '200' }

/** Functions as targets of an Application Load Balancer, which this server is. */
export function createLoadBalancerKind(options: LoadBalancerKindOptions): LoadBalancerKind {
  const { hallway, scope, clock } = options
  const byPathRoute = hallway.metrics.route('/lb/:name')
  const byHostRoute = hallway.metrics.route('load-balancer')
  let armed: ReadonlyMap<string, Armed> | undefined
  let domains: ReadonlyMap<string, Armed> = new Map()
  const known = new Map<string, ServeHost | null>()
  let isStarted = false

  function arm(loadBalancer: LoadBalancer, counts: TargetCounts, version: string): Armed {
    const functions = functionsOf(loadBalancer)
    const prefix = `/lb/${loadBalancer.name}`
    const doors = (at: { readonly prefix: string; readonly route: number; readonly beside: readonly string[] }) =>
      new Map(
        functions.map((functionArn) => [
          functionArn,
          createAlbDoor({ hallway, scope, loadBalancer, functionArn, counts, ...at })
        ])
      )
    const { healthCheck, isEnabled } = loadBalancer
    return {
      loadBalancer,
      actionOf: compileRules(loadBalancer),
      counts,
      byPath: doors({ prefix, route: byPathRoute, beside: OPAQUE_ORIGIN }),
      byHost: doors({ prefix: '', route: byHostRoute, beside: [] }),
      checks:
        isStarted && isEnabled && healthCheck !== undefined
          ? functions.map((functionArn) => startHealthCheck(options, loadBalancer, healthCheck, functionArn))
          : [],
      version
    }
  }

  function enter(one: Armed, prefix: string, req: IncomingMessage, res: ServerResponse, id: string): void {
    const isBeside = prefix !== ''
    const beside = isBeside ? OPAQUE_ORIGIN : []
    const url = req.url!
    const mark = url.indexOf('?')
    const sent = mark === -1 ? url.slice(prefix.length) : url.slice(prefix.length, mark)
    const path = sent === '' ? '/' : sent
    // `OPTIONS *`, or a whole URL as proxies are sent.
    if (path[0] !== '/') {
      answer(isBeside, req, res, 400, [...albHeaders(id), ...beside], albPage(400))
      return
    }
    if (!one.loadBalancer.isEnabled) {
      answer(isBeside, req, res, 503, [...albHeaders(id), ...beside], albPage(503))
      return
    }
    const query = mark === -1 ? '' : url.slice(mark + 1)
    const { headers } = req
    const action = one.actionOf({ method: req.method!, path, query, headers, sourceIp: peerAddress(req) })
    if ('functionArn' in action) {
      if (Number(headers['content-length'] ?? 0) > LOAD_BALANCER_LIMITS.bodyBytes) {
        answer(isBeside, req, res, 413, [...albHeaders(id), ...beside], albPage(413))
        return
      }
      const door = (isBeside ? one.byPath : one.byHost).get(action.functionArn)!
      new Call(hallway, door, req, res, id, '').start()
    } else if ('fixedResponse' in action) {
      const { status, contentType, body } = action.fixedResponse
      const own = ['server', 'awselb/2.0', 'content-type', contentType, 'x-amzn-requestid', id, ...beside]
      answer(isBeside, req, res, status, own, body)
    } else {
      const { redirect } = action
      const location = redirectTo(redirect, { host: headers.host ?? '', path, query, prefix })
      const own = [...albHeaders(id), 'location', location, ...beside]
      answer(isBeside, req, res, redirect.status, own, albPage(redirect.status))
    }
  }

  /** What no function is asked for. */
  function answer(
    isBeside: boolean,
    req: IncomingMessage,
    res: ServerResponse,
    status: number,
    headers: string[],
    body: string
  ): void {
    const { metrics, now } = hallway
    const startedAt = now()
    res.on('close', () => {
      const code = res.headersSent ? res.statusCode : 499
      metrics.answered(isBeside ? byPathRoute : byHostRoute, req.method ?? '', code, (now() - startedAt) / 1_000)
    })
    // Its body is not read, and must not be taken for the next request.
    refuse(req, res, { status, headers, body })
  }

  const findArmed = (arn: string): Armed | undefined =>
    [...(armed?.values() ?? [])].find(({ loadBalancer }) => loadBalancerArn(scope, loadBalancer.name) === arn)

  hallway.metrics.targets.observe(() =>
    [...(armed?.values() ?? [])].flatMap(({ loadBalancer, checks }) =>
      checks.map((check) => {
        const { functionArn, state } = check.health()
        const target = functionArn.split(':').slice(6).join(':')
        return { loadBalancer: loadBalancer.name, target, isHealthy: state === 'healthy' }
      })
    )
  )

  return {
    update({ loadBalancers }) {
      const before = armed ?? new Map<string, Armed>()
      const now = new Map<string, Armed>()
      for (const one of loadBalancers) {
        const version = JSON.stringify(one)
        const old = before.get(one.name)
        if (old?.version === version) now.set(one.name, old)
        else {
          for (const check of old?.checks ?? []) check.stop()
          const counts = old?.loadBalancer.id === one.id ? old.counts : createTargetCounts(() => clock.now())
          now.set(one.name, arm(one, counts, version))
        }
      }
      for (const [name, { checks }] of before) if (!now.has(name)) for (const check of checks) check.stop()
      armed = now
      domains = new Map(
        [...now.values()].flatMap((one) => one.loadBalancer.domains.map((host) => [host, one] as const))
      )
      known.clear()
    },
    start() {
      isStarted = true
      // Those that were there before anything could be called.
      if (armed === undefined) return
      armed = new Map([...armed].map(([name, one]) => [name, arm(one.loadBalancer, one.counts, one.version)]))
      domains = new Map(
        [...armed.values()].flatMap((one) => one.loadBalancer.domains.map((host) => [host, one] as const))
      )
      known.clear()
    },
    stop() {
      for (const { checks } of armed?.values() ?? []) for (const check of checks) check.stop()
    },
    health: () => undefined,

    hosts: {
      find(header) {
        // The common case: no load balancer has a host.
        if (domains.size === 0) return undefined
        const found = known.get(header)
        if (found !== undefined) return found ?? undefined
        if (header.length > MAX_HEADER_CHARS) return undefined
        const one = domains.get(hostName(header))
        const serve: ServeHost | undefined =
          one &&
          ((req, res, id) => {
            enter(one, '', req, res, id)
          })
        if (known.size >= ENTRIES) known.clear()
        known.set(header, serve ?? null)
        return serve
      }
    },
    serve(name, req, res, id) {
      const one = armed?.get(name)
      const prefix = `/lb/${name}`
      // A name that was sent with escapes is none.
      if (one !== undefined && req.url!.startsWith(prefix)) enter(one, prefix, req, res, id)
      else if (armed === undefined) answer(true, req, res, 503, albHeaders(id), albPage(503))
      else {
        const thrown = new HearthError('RESOURCE_NOT_FOUND', 'There is no load balancer of this name.')
        refuse(req, res, toRefusal(thrown, 'problem', id))
      }
    },
    arns: () => [...(armed?.keys() ?? [])].map((name) => loadBalancerArn(scope, name)),
    statusOf(arn) {
      const one = findArmed(arn)
      if (one === undefined) return undefined
      const targets =
        one.checks.length > 0
          ? one.checks.map((check) => check.health())
          : functionsOf(one.loadBalancer).map(
              (functionArn): TargetHealth => ({ functionArn, state: 'unused', reason: undefined, checkedAt: undefined })
            )
      return { ...one.counts.read(), targets }
    },
    test(arn) {
      const one = findArmed(arn)
      return (
        one &&
        functionsOf(one.loadBalancer).map((functionArn) => {
          let requestId = ''
          const healthy = new Promise<boolean>((resolve) => {
            requestId = checkTarget(
              options,
              one.loadBalancer,
              one.loadBalancer.healthCheck ?? DEFAULT_CHECK,
              functionArn,
              (problem) => {
                resolve(problem === undefined)
              }
            )
          })
          return { requestId, function: functionArn, healthy }
        })
      )
    }
  }
}
