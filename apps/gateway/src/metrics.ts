import type { Executor, ExecutorEvents, Outcome, Phases } from '@hearth/executor'
import type { LogCounts } from '@hearth/store'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { API_FAILURES, type ApiFailure } from './apis/api-counts.ts'
import { createGuardCounts, type GuardCounts } from './apis/guards/counts.ts'
import { type AsyncCounts, createAsyncCounts } from './async/counts.ts'
import { observeConcurrency } from './concurrency-metrics.ts'
import { CPU_SECONDS, OUTPUT_PAUSED_SECONDS, RECURSIVE } from './function-columns.ts'
import { FunctionMetrics } from './function-metrics.ts'
import type { Entry } from './function-routes.ts'
import { HistogramSet } from './histogram-set.ts'
import { createLogGapCounts } from './logs/gap-counts.ts'
import type { LogGapReason } from './logs/log-stream.ts'
import { observeMemory } from './memory-metrics.ts'
import { MinuteMetrics } from './minutes/minute-metrics.ts'
import { createSpanCounts, type SpanCounts } from './otlp/otlp-counts.ts'
import { createHealthMetrics, type HealthMetrics } from './triggers/load-balancers/health-metrics.ts'
import { createScheduleCounts, type ScheduleCounts } from './triggers/schedules/schedule-counts.ts'
import { createWebhookCounts, type WebhookCounts } from './triggers/webhooks/webhook-counts.ts'
import { ARCHITECTURE, FunctionUsageMeter } from './usage/function-usage.ts'
import { createSocketCounts, type SocketCounts } from './websockets/socket-counts.ts'

const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
/** A warm call spends microseconds in most of its phases. */
const PHASE_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10]
const INIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export interface MetricsOptions {
  /** Of Hearth. */
  readonly version: string
  /** So many functions, the most recently active ones, have series of their own; -1: all. Default: 1,000. */
  readonly functionSeries?: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Unix time in ms, of usage. Default: the machine's. */
  readonly wallClock?: () => number
}

export const METRICS_SCOPES = ['platform', 'functions'] as const
export type MetricsScope = (typeof METRICS_SCOPES)[number]

/** What the gateway counts. Hot series are flat arrays; prom-client has the rest. */
export interface Metrics {
  readonly functions: FunctionMetrics
  /** What is billed of them. */
  readonly usage: FunctionUsageMeter
  /** What CloudWatch is told of functions. */
  readonly minutes: MinuteMetrics
  readonly events: AsyncCounts
  readonly sockets: SocketCounts
  readonly webhooks: WebhookCounts
  readonly schedules: ScheduleCounts
  readonly targets: HealthMetrics
  readonly guards: GuardCounts
  readonly spans: SpanCounts
  /** A reader of a function's log is told that lines are missing. */
  readonly logGap: (reason: LogGapReason) => void
  /** To be handed to the executor when it is made. */
  readonly executorEvents: ExecutorEvents
  /** Reads the executor's and the log writer's own counts at every scrape from now on. */
  observe(executor: Executor, logCounts: () => LogCounts): void
  /** @param route - The pattern, never the path. @returns the number for {@link answered} */
  route(route: string): number
  /** One HTTP request is over. */
  answered(route: number, method: string, code: number, seconds: number): void
  /** An event of `entry` is over, however it came. @param row - Of {@link FunctionMetrics.started} */
  settled(row: number, entry: Entry, outcome: Outcome): void
  responded(seconds: number): void
  /** A function had called itself too often. */
  recursionStopped(functionName: string): void
  /** A request to a function URL is over. */
  urlAnswered(functionName: string, code: number, ms: number): void
  authFailed(reason: string): void
  /** @param reason - `rate` or `authentication` */
  throttled(reason: string): void
  /** An API's route did not get its function's answer. */
  apiFailed(reason: ApiFailure): void
  /** Prometheus' text format 0.0.4, in pieces. @param scope - Of the server's own, or of functions; undefined: both */
  render(scope?: MetricsScope): AsyncGenerator<string>
}

export function createMetrics({ version, functionSeries = 1_000, now, wallClock = Date.now }: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  new Gauge({ name: 'hearth_build_info', help: 'Always 1.', labelNames: ['version', 'node'], registers }).set(
    { version, node: process.version },
    1
  )
  const exits = new Counter({
    name: 'hearth_environment_exits_total',
    help: 'Instances that ended.',
    labelNames: ['runtime', 'reason'],
    registers
  })
  const inits = new Histogram({
    name: 'hearth_init_duration_seconds',
    help: 'Duration of functions’ init code.',
    labelNames: ['runtime'],
    buckets: INIT_BUCKETS,
    registers
  })
  const authFailures = new Counter({
    name: 'hearth_auth_failures_total',
    help: 'Requests whose sender was not accepted.',
    labelNames: ['reason'],
    registers
  })
  const throttled = new Counter({
    name: 'hearth_throttled_requests_total',
    help: 'Requests told to come later: rate (too many of one key), authentication (too many wrong keys of one address).',
    labelNames: ['reason'],
    registers
  })
  for (const reason of ['rate', 'authentication']) throttled.inc({ reason }, 0)
  const apiFailures = new Counter({
    name: 'hearth_api_failures_total',
    help: 'Requests for APIs that did not get the answer of their function.',
    labelNames: ['reason'],
    registers
  })
  for (const reason of API_FAILURES) apiFailures.inc({ reason }, 0)
  const functions = new FunctionMetrics(functionSeries === -1 ? Number.POSITIVE_INFINITY : functionSeries, now)
  const usage = new FunctionUsageMeter(wallClock)
  const minutes = new MinuteMetrics(wallClock)
  const requests = new HistogramSet('hearth_http_request_duration_seconds', 'HTTP requests by route.', REQUEST_BUCKETS)
  const phases = new HistogramSet(
    'hearth_invocation_phase_seconds',
    'Where the time of invocations goes.',
    PHASE_BUCKETS
  )
  const queue = phases.add('phase="queue"')
  const sandbox = phases.add('phase="sandbox"')
  const init = phases.add('phase="init"')
  const execute = phases.add('phase="execute"')
  const respond = phases.add('phase="respond"')
  const firstByte = phases.add('phase="first_byte"')
  const streamedBytes = new Counter({
    name: 'hearth_streamed_bytes_total',
    help: 'Bytes of answers that functions streamed.',
    registers
  })
  const routes: string[] = []
  const requestRows = new Map<number, number>()

  function addRequestRow(key: number, route: number, method: number, code: number): number {
    const name = METHODS[method] ?? 'other'
    const row = requests.add(`service="gateway",route="${routes[route]}",method="${name}",code="${code}"`)
    requestRows.set(key, row)
    return row
  }

  return {
    functions,
    usage,
    minutes,
    events: createAsyncCounts(registers, functions, minutes),
    sockets: createSocketCounts(registers),
    webhooks: createWebhookCounts(registers),
    schedules: createScheduleCounts(registers),
    targets: createHealthMetrics(registers),
    guards: createGuardCounts(registers),
    spans: createSpanCounts(registers),
    logGap: createLogGapCounts(registers),
    executorEvents: {
      coldStart(spec, cold: Phases) {
        inits.observe({ runtime: spec.runtime }, cold.initMs / 1_000)
      },
      provisionedInit({ name, role = '', memoryMiB }, initMs) {
        usage.provisionedInit({ functionName: name, role, architecture: ARCHITECTURE }, memoryMiB, initMs)
      },
      usedCpu(functionName, ms) {
        functions.add(functionName, CPU_SECONDS, ms / 1_000)
      },
      outputPaused(functionName, ms) {
        functions.add(functionName, OUTPUT_PAUSED_SECONDS, ms / 1_000)
      },
      instanceExit(runtime, reason) {
        exits.inc({ runtime, reason })
      }
    },
    observe(executor, logCounts) {
      new Gauge({
        name: 'hearth_environments',
        help: 'Instances by state; prestarted ones belong to no function yet.',
        labelNames: ['runtime', 'state'],
        registers,
        collect() {
          for (const { runtime, ...states } of executor.stats().runtimes) {
            for (const [state, count] of Object.entries(states)) this.set({ runtime, state }, count)
          }
        }
      })
      new Gauge({
        name: 'hearth_invocations_waiting',
        help: 'Invocations that wait for an instance.',
        registers,
        collect() {
          this.set(executor.stats().queued)
        }
      })
      new Gauge({
        name: 'hearth_prestarted_target',
        help: 'Sandboxes that are to be kept booted ahead of need: HEARTH_PRESTARTED, or recent demand.',
        labelNames: ['runtime'],
        registers,
        collect() {
          this.reset()
          for (const { runtime, target } of executor.stats().stock.kinds) this.inc({ runtime }, target)
        }
      })
      new Counter({
        name: 'hearth_prestarted_taken_total',
        help: 'Instances that took a sandbox booted ahead of need (hit), or waited for one (miss).',
        labelNames: ['runtime', 'result'],
        registers,
        collect() {
          this.reset()
          for (const { runtime, hits, misses } of executor.stats().stock.takes) {
            this.inc({ runtime, result: 'hit' }, hits)
            this.inc({ runtime, result: 'miss' }, misses)
          }
        }
      })
      gaugeOf('hearth_prestarted_memory_bytes', 'Memory of sandboxes booted ahead of need.', () => {
        return executor.stats().stock.usedBytes
      })
      gaugeOf('hearth_prestarted_memory_limit_bytes', 'What they may take together.', () => {
        return executor.stats().stock.budgetBytes
      })
      gaugeOf('hearth_memory_reserved_bytes', 'Memory sizes of all instances: what they may use together.', () => {
        return executor.stats().reservedBytes
      })
      observeMemory(registers)
      observeConcurrency(registers, () => executor.stats().concurrency)
      new Counter({
        name: 'hearth_log_bytes_total',
        help: 'Bytes of function log by what became of them.',
        labelNames: ['outcome'],
        registers,
        collect() {
          this.reset()
          const { storedBytes, droppedBytes } = logCounts()
          this.inc({ outcome: 'stored' }, storedBytes)
          this.inc({ outcome: 'dropped' }, droppedBytes)
        }
      })
      gaugeOf('hearth_log_store_bytes', 'Function logs on disk.', () => logCounts().storeBytes)
      counterOf('hearth_log_dropped_lines_total', 'Lines of function log lost.', () => logCounts().droppedLines)
    },
    route: (route) => routes.push(route) - 1,
    answered(route, method, code, seconds) {
      const methodIndex = METHODS.indexOf(method)
      // Codes have three digits; a function may answer any of them, which bounds the rows.
      const key = (route * 16 + methodIndex + 1) * 1_000 + code
      requests.observe(requestRows.get(key) ?? addRequestRow(key, route, methodIndex, code), seconds)
    },
    settled(row, entry, outcome) {
      const at = wallClock()
      minutes.settled(entry, outcome, functions.settled(row, outcome), at)
      usage.settled(entry.record, outcome, at)
      entry.counter?.record(outcome)
      const { queueMs, sandboxMs, initMs, executeMs } = outcome.phases
      if (outcome.status === 'unavailable') return
      phases.observe(queue, queueMs / 1_000)
      if (outcome.status === 'throttled') return
      if (outcome.cold) {
        phases.observe(sandbox, sandboxMs / 1_000)
        phases.observe(init, initMs / 1_000)
      }
      phases.observe(execute, executeMs / 1_000)
      if (outcome.streamed === undefined) return
      phases.observe(firstByte, outcome.streamed.firstByteMs / 1_000)
      streamedBytes.inc(outcome.streamed.bytes)
    },
    responded(seconds) {
      phases.observe(respond, seconds)
    },
    recursionStopped(functionName) {
      functions.count(functionName, RECURSIVE)
      minutes.count('RecursiveInvocationsDropped', functionName)
    },
    urlAnswered(functionName, code, ms) {
      functions.urlAnswered(functionName, code)
      minutes.urlAnswered(functionName, code, ms)
    },
    authFailed(reason) {
      authFailures.inc({ reason })
    },
    throttled(reason) {
      throttled.inc({ reason })
    },
    apiFailed(reason) {
      apiFailures.inc({ reason })
    },
    async *render(scope) {
      if (scope !== 'functions') {
        for (const metric of registry.getMetricsAsArray())
          yield `${await registry.getSingleMetricAsString(metric.name)}\n`
        yield requests.render()
        yield phases.render()
      }
      if (scope !== 'platform') yield* functions.render()
    }
  }

  function gaugeOf(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      }
    })
  }

  function counterOf(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      }
    })
  }
}
