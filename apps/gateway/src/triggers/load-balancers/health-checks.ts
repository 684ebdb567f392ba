import { randomUUID } from 'node:crypto'
import type { Invocation, Outcome } from '@hearth/executor'
import {
  type ArnScope,
  type Authorizer,
  LOAD_BALANCER_SERVICE,
  type LoadBalancer,
  parseFunctionRef,
  parseStatusMatcher,
  type TargetHealthCheck,
  targetGroupArn
} from '@hearth/shared'
import type { Clock } from '../../async/clock.ts'
import type { Entry } from '../../function-routes.ts'
import type { Metrics } from '../../metrics.ts'
import { mayServiceInvoke, sourceKeys } from '../../service-access.ts'
import { factsOf } from '../../tracing/records.ts'
import type { Traces } from '../../tracing/traces.ts'
import { toAlbResponse } from './alb-response.ts'

/** How a function behind a load balancer is. */
export interface TargetHealth {
  readonly functionArn: string
  /** `unused`: nothing checks it. */
  readonly state: 'unused' | 'initial' | 'healthy' | 'unhealthy'
  /** Of the last check that failed, as long as it counts. */
  readonly reason: string | undefined
  /** Unix time in ms. */
  readonly checkedAt: number | undefined
}

export interface HealthCheckOptions {
  readonly scope: ArnScope
  readonly clock: Clock
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  readonly access: () => Pick<Authorizer, 'mayService'>
  readonly metrics: Pick<Metrics, 'functions' | 'settled'>
  readonly traces: Traces
}

/** Asks one function again and again how it is, until it is stopped. */
export interface HealthCheck {
  health(): TargetHealth
  stop(): void
}

/** What a check sends. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
export function healthCheckEvent(group: string, path: string, multiValueHeaders: boolean): Buffer {
  const head = { requestContext: { elb: { targetGroupArn: group } }, httpMethod: 'GET', path }
  const agent = 'ELB-HealthChecker/2.0'
  const rest = { body: '', isBase64Encoded: false }
  return Buffer.from(
    JSON.stringify(
      multiValueHeaders
        ? { ...head, multiValueQueryStringParameters: {}, multiValueHeaders: { 'user-agent': [agent] }, ...rest }
        : { ...head, queryStringParameters: {}, headers: { 'user-agent': agent }, ...rest }
    )
  )
}

export function startHealthCheck(
  options: HealthCheckOptions,
  loadBalancer: LoadBalancer,
  check: TargetHealthCheck,
  functionArn: string
): HealthCheck {
  const { clock } = options
  let state: TargetHealth['state'] = 'initial'
  let inRow = 0
  let wasGood = false
  let reason: string | undefined
  let checkedAt: number | undefined
  let isStopped = false
  let cancel = (): void => undefined

  const conclude = (problem: string | undefined): void => {
    const isGood = problem === undefined
    inRow = isGood === wasGood ? inRow + 1 : 1
    wasGood = isGood
    checkedAt = clock.now()
    if (!isGood) reason = problem
    // As on AWS: the first check decides of a target that is new.
    const needed = state === 'initial' ? 1 : isGood ? check.healthyThreshold : check.unhealthyThreshold
    if (inRow >= needed) state = isGood ? 'healthy' : 'unhealthy'
    if (state === 'healthy') reason = undefined
  }
  const next = (): void => {
    cancel = clock.after(check.intervalSeconds * 1_000, run)
  }
  const run = (): void => {
    let isOver = false
    const over = (problem: string | undefined): void => {
      if (isOver || isStopped) return
      isOver = true
      cancelTimeout()
      conclude(problem)
      next()
    }
    const cancelTimeout = clock.after(check.timeoutSeconds * 1_000, () => {
      over(`it did not answer within ${check.timeoutSeconds} s`)
    })
    cancel = cancelTimeout
    try {
      checkTarget(options, loadBalancer, check, functionArn, over)
    } catch {
      over('it cannot be called')
    }
  }
  // A turn later: what is to be called may have been read a moment ago.
  cancel = clock.after(0, run)
  return {
    health: () => ({ functionArn, state, reason, checkedAt }),
    stop() {
      isStopped = true
      cancel()
    }
  }
}

/** Calls a function as a health check does. @param over - Told what is wrong, or undefined; never, if it never answers */
export function checkTarget(
  { scope, find, access, metrics, traces }: HealthCheckOptions,
  { name, id, multiValueHeaders }: LoadBalancer,
  { path, matcher }: Pick<TargetHealthCheck, 'path' | 'matcher'>,
  functionArn: string,
  over: (problem: string | undefined) => void
): string {
  const requestId = randomUUID()
  const ref = parseFunctionRef(scope, functionArn)
  const entry = find(ref.name, ref.qualifier ?? '')
  const group = targetGroupArn(scope, name, id)
  if (entry === undefined) {
    over('the function is gone')
    return requestId
  }
  const ask = { service: LOAD_BALANCER_SERVICE, roleArn: undefined, requestId, keys: sourceKeys(scope, group) }
  if (!mayServiceInvoke(access(), ask, entry)) {
    over('the function does not let the load balancer in')
    return requestId
  }
  const row = metrics.functions.started(ref.name)
  const header = traces.ofCaller(requestId, {})
  const { invokedArn } = entry
  const invocation: Invocation = {
    requestId,
    payload: healthCheckEvent(group, path, multiValueHeaders),
    invokedArn,
    traceId: header,
    clientContext: '',
    tail: false,
    settle(outcome) {
      metrics.settled(row, entry, outcome)
      if (traces.keeps(header, outcome)) {
        const call = { header, isAwaited: true, trigger: 'http', requestId, invokedArn } as const
        traces.record({ ...call, ...traces.originOf({}), ...factsOf(entry, outcome) })
      }
      over(problemOf(outcome, matcher, multiValueHeaders))
    }
  }
  entry.pool.invoke(invocation)
  return requestId
}

function problemOf(outcome: Outcome, matcher: string, multiValueHeaders: boolean): string | undefined {
  if (outcome.status !== 'ok')
    return `the function failed: ${outcome.errorType === '' ? outcome.status : outcome.errorType}`
  const response = toAlbResponse(outcome.payload, multiValueHeaders)
  if (response === undefined) return 'the function returned no response'
  return parseStatusMatcher(matcher)?.(response.status) === true
    ? undefined
    : `health checks failed with these codes: [${response.status}]`
}
