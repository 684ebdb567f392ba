import { statSync } from 'node:fs'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface MetricsOptions {
  /** Of Hearth. */
  readonly version: string
  /** Whether to measure the process itself as well. */
  readonly process: boolean
  /** Asked at every scrape. */
  readonly usage: () => { readonly functions: number; readonly codeBytes: number }
  /** Files of databases, by name. */
  readonly databases: Readonly<Record<string, string>>
}

/** Everything that the control plane counts. */
export interface Metrics {
  readonly registry: Registry
  readonly deployments: Counter<'result'>
  readonly builds: Counter<'outcome'>
  readonly requestSeconds: Histogram<'service' | 'route' | 'method' | 'code'>
  readonly authFailures: Counter<'reason'>
  readonly throttled: Counter<'reason'>
  readonly releaseEvents: Counter<'event'>
  readonly querySeconds: Histogram<'op'>
}

export function createMetrics({ version, usage, databases, ...options }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (options.process) collectDefaultMetrics({ register: registry })
  const build = { name: 'hearth_build_info', help: 'Always 1.', labelNames: ['version', 'node'] as const, registers }
  new Gauge(build).set({ version, node: process.version }, 1)
  new Gauge({
    name: 'hearth_functions',
    help: 'Functions deployed',
    registers,
    collect() {
      this.set(usage().functions)
    }
  })
  new Gauge({
    name: 'hearth_code_store_bytes',
    help: 'Packages of functions and layers as uploaded, each version counted',
    registers,
    collect() {
      this.set(usage().codeBytes)
    }
  })
  observeDatabases(registers, databases)
  const querySeconds = new Histogram({
    name: 'hearth_db_query_duration_seconds',
    help: 'Statements of the control plane, by what they do',
    labelNames: ['op'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5],
    registers
  })
  for (const op of ['read', 'write']) querySeconds.zero({ op })
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
    querySeconds,
    requestSeconds: new Histogram({
      name: 'hearth_http_request_duration_seconds',
      help: 'HTTP requests by route pattern',
      labelNames: ['service', 'route', 'method', 'code'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers
    })
  }
}

/** Sizes of files, asked at every scrape; one that is not there has none. */
function observeDatabases(registers: Registry[], databases: Readonly<Record<string, string>>): void {
  const gauge = (name: string, help: string, ending: string): void => {
    new Gauge({
      name,
      help,
      labelNames: ['database'],
      registers,
      collect() {
        for (const [database, file] of Object.entries(databases)) {
          this.set({ database }, statSync(`${file}${ending}`, { throwIfNoEntry: false })?.size ?? 0)
        }
      }
    })
  }
  gauge('hearth_db_size_bytes', 'Databases on disk, without their write-ahead logs', '')
  gauge('hearth_db_wal_bytes', 'Their write-ahead logs', '-wal')
}
