import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Everything that the control plane counts. */
export interface Metrics {
  readonly registry: Registry
  readonly deployments: Counter<'result'>
  readonly builds: Counter<'outcome'>
  readonly requestSeconds: Histogram<'service' | 'route' | 'method' | 'code'>
  readonly authFailures: Counter<'reason'>
  readonly throttled: Counter<'reason'>
  readonly releaseEvents: Counter<'event'>
}

/** @param countFunctions - Asked at every scrape. */
export function createMetrics(countFunctions: () => number, options: { readonly process: boolean }): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (options.process) collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'hearth_functions',
    help: 'Functions deployed',
    registers,
    collect() {
      this.set(countFunctions())
    }
  })
  const deployments = new Counter({
    name: 'hearth_deployments_total',
    help: 'Deployments by result',
    labelNames: ['result'],
    registers
  })
  // Present from the start, or the first deployment is invisible to increase().
  for (const result of ['created', 'replaced', 'refused', 'failed']) deployments.inc({ result }, 0)
  const builds = new Counter({
    name: 'hearth_builds_total',
    help: 'Builds by outcome: built, kept (dependencies of an earlier one), failed (the package is at fault), unavailable',
    labelNames: ['outcome'],
    registers
  })
  for (const outcome of ['built', 'kept', 'failed', 'unavailable']) builds.inc({ outcome }, 0)
  const authFailures = new Counter({
    name: 'hearth_auth_failures_total',
    help: 'Requests refused for who they come from, by reason',
    labelNames: ['reason'],
    registers
  })
  for (const reason of ['missing', 'unknown_key', 'bad_signature', 'incomplete_signature'])
    authFailures.inc({ reason }, 0)
  const throttled = new Counter({
    name: 'hearth_throttled_requests_total',
    help: 'Requests told to come later: rate (too many of one key), authentication (too many wrong keys of one address)',
    labelNames: ['reason'],
    registers
  })
  for (const reason of ['rate', 'authentication']) throttled.inc({ reason }, 0)
  const releaseEvents = new Counter({
    name: 'hearth_release_events_total',
    help: 'Releases started, shifted, completed, rolled back …',
    labelNames: ['event'],
    registers
  })
  for (const event of ['started', 'shifted', 'paused', 'resumed', 'completed', 'rolled-back', 'aborted'])
    releaseEvents.inc({ event }, 0)
  return {
    registry,
    deployments,
    builds,
    authFailures,
    throttled,
    releaseEvents,
    requestSeconds: new Histogram({
      name: 'hearth_http_request_duration_seconds',
      help: 'HTTP requests by route pattern',
      labelNames: ['service', 'route', 'method', 'code'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers
    })
  }
}
