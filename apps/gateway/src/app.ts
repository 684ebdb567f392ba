import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Executor } from '@hearth/executor'
import {
  type Config,
  createAuthBackoff,
  createReadiness,
  createRequestRate,
  JsonCheck,
  type Readiness,
  type SessionTokens
} from '@hearth/shared'
import {
  type AuditLog,
  createLogReader,
  type DirectoryReader,
  dataLayout,
  type EventQueue,
  type LogSettingsReader,
  type LogWriter
} from '@hearth/store'
import type { Guard } from './apis/guard.ts'
import { startReports } from './app/control-plane-reports.ts'
import { createEntrances } from './app/entrances.ts'
import { createForward } from './app/forward.ts'
import { createHttpServer, type ServerTimeouts, TIMEOUTS } from './app/http-server.ts'
import { mountControlPlane } from './app/mount-control-plane.ts'
import { mountEntrances } from './app/mount-entrances.ts'
import { mountInvocations } from './app/mount-invocations.ts'
import { mountServerRoutes } from './app/mount-server-routes.ts'
import { createMounts, type Route } from './app/mounts.ts'
import { openDatabase } from './app/open-database.ts'
import { type DatabaseState, startingState } from './app/starting-state.ts'
import { type Clock, SYSTEM_CLOCK } from './async/clock.ts'
import { createEventService } from './async/event-service.ts'
import { atMostEvery } from './at-most-every.ts'
import type { DiagnosticsFacts } from './diagnostics/diagnostics-route.ts'
import type { Directory } from './directory.ts'
import { watchExpectations } from './expectations.ts'
import type { Entry } from './function-routes.ts'
import type { Hallway } from './hallway.ts'
import type { Log } from './log.ts'
import { watchLogSettings } from './logs/log-settings.ts'
import type { LogStreamTimes } from './logs/log-stream.ts'
import { createLogsRoute } from './logs/logs-route.ts'
import type { Metrics } from './metrics.ts'
import type { FunctionPlatform } from './platform/function-platform.ts'
import { stopServer, trackConnections } from './stop.ts'
import type { TraceExport } from './tracing/export.ts'
import { createTraces, type TracingOptions } from './tracing/traces.ts'
import { createUrlTable, type UrlTable } from './url-table.ts'
import { startUsageWriter } from './usage/usage-writer.ts'

export interface AppDeps {
  readonly config: Pick<
    Config,
    | 'host'
    | 'urlDomain'
    | 'port'
    | 'controlPort'
    | 'dataDir'
    | 'region'
    | 'accountId'
    | 'network'
    | 'instances'
    | 'drainMs'
    | 'eventKeepMs'
    | 'webhookNetworks'
  > &
    Partial<Pick<Config, 'requestRate' | 'authFailures' | 'webSocketConnections' | 'keySetsDir'>>
  /** Folder of functions' logs. */
  readonly logsDir: string
  readonly executor: Executor
  /** What the executor's instances reach, opened with the database. Absent: nothing. */
  readonly platform?: FunctionPlatform
  readonly logs: LogWriter
  readonly metrics: Metrics
  readonly log: Log
  /** Takes what is refused; closed with the gateway. */
  readonly audit: AuditLog
  /** Events that are run later; closed with the gateway. */
  readonly queue: EventQueue
  /** Of retries, schedules and connections. Default: the machine's. */
  readonly clock?: Clock
  /** Events that may run at once. Default: what {@link createEventService} says. */
  readonly eventsAtOnce?: number
  /** Asked who may use routes of HTTP APIs. Default: this server's authorizers, API keys and plans. */
  readonly guard?: Guard
  /** Which calls are traced, and who takes what is noted of them. Absent: none. */
  readonly tracing?: (TracingOptions & Pick<TraceExport, 'stop'>) | undefined
  readonly timeouts?: Partial<ServerTimeouts>
  /** Of who reads functions' logs. Default: `LOG_STREAM_TIMES`. */
  readonly logStreamTimes?: LogStreamTimes | undefined
  /** What goes into bundles for bug reports beside what the gateway itself knows. */
  readonly diagnostics?: DiagnosticsFacts
  /** Chooses between the versions of an alias: 0 to 1. Default: Math.random. */
  readonly random?: () => number
}

export interface Gateway {
  readonly server: Server
  readonly routes: readonly Route[]
  readonly readiness: Readiness
  /** The functions; as long as there is no database, every look into it is refused. */
  readonly directory: Directory
  /**
   * Serves the functions of this database from now on; until then every call is 503. Owns the reader from here.
   *
   * @param internalToken - What this process proves itself to the control plane with.
   * @param sessions - Makes and opens temporary credentials.
   */
  attach(reader: DirectoryReader, internalToken: string, sessions: SessionTokens): void
  /** @returns the port */
  listen(): Promise<number>
  /**
   * Not ready any more, no new connections, what runs finishes or meets the deadline, instances stopped, logs on disk,
   * database closed. Idempotent.
   */
  stop(): Promise<void>
}

/** What is there only once the database is. */
interface Opened {
  internalToken?: string
  logSettings?: LogSettingsReader
  urls?: UrlTable
  stopReports?: () => Promise<void>
}

/** What spans that wait get to be sent when the server stops. */
const TRACE_STOP_MS = 2_000

/** Puts the gateway together. Opens nothing: that is {@link Gateway.attach} and {@link Gateway.listen}. */
export async function buildApp(deps: AppDeps): Promise<Gateway> {
  const { config, metrics, log, executor, logs, queue } = deps
  const clock = deps.clock ?? SYSTEM_CLOCK
  const scope = { region: config.region, accountId: config.accountId }
  const timeouts = { ...TIMEOUTS, ...deps.timeouts }
  const readiness = createReadiness({
    required: ['directory', 'sandbox', 'queue', 'running'],
    advisory: ['control-plane']
  })
  readiness.set('running', { ok: true })
  readiness.set('queue', { ok: true })
  const opened: Opened = {}
  const proof = (): string | undefined => opened.internalToken
  let draining = false
  let stopping: Promise<void> | undefined

  const app = createHttpServer(timeouts, () => entrances.hosts)
  const connections = trackConnections(app.server)
  const state: DatabaseState = startingState()
  const find = (name: string, qualifier: string): Entry | undefined => {
    state.directory.refresh()
    return state.directory.find(name, qualifier === '' ? undefined : qualifier)
  }
  const traces = createTraces({ nowMs: Date.now, now: () => performance.now(), tracing: deps.tracing })
  const events = createEventService({
    queue,
    find,
    access: () => state.access,
    metrics,
    traces,
    log,
    scope,
    keepMs: config.eventKeepMs,
    webhookNetworks: config.webhookNetworks,
    clock,
    eventsAtOnce: deps.eventsAtOnce
  })
  const usage = startUsageWriter({
    meter: metrics.usage,
    counts: queue.functionUsage,
    kept: () => state.directory.kept(),
    now: Date.now,
    onError: atMostEvery(10_000, (err: unknown) => {
      log.error({ err }, 'the usage of functions cannot be written')
    })
  })
  // One object with what the database brings: calls look at it without a detour.
  const hallway: Hallway = Object.assign(state, {
    backoff: createAuthBackoff(config.authFailures ?? 0, Date.now),
    dispatcher: events.dispatcher,
    idempotency: events.idempotency,
    metrics,
    traces,
    expectations: watchExpectations(app.server),
    jsonCheck: new JsonCheck(),
    draining: () => draining,
    now: () => performance.now(),
    onBug(err: unknown, requestId: string, traceId?: string) {
      log.error({ err, requestId, ...(traceId ? { traceId } : {}) }, 'request failed')
    }
  })
  const entrances = createEntrances(app.server, {
    hallway,
    scope,
    config,
    clock,
    queue,
    log,
    find,
    guard: deps.guard,
    urls: () => opened.urls
  })
  const { triggers, sockets, guard, published } = entrances
  const logSettings = watchLogSettings(logs)
  const logReader = createLogReader(deps.logsDir, logSettings)
  const logsRoute = createLogsRoute(hallway, scope, logs, logReader, metrics.logGap, deps.logStreamTimes)
  const forward = createForward({ hallway, port: config.controlPort, proof, log })

  const rate = createRequestRate(config.requestRate ?? 0, Date.now)
  const mounts = createMounts({ app, hallway, rate, proof })
  mountInvocations(mounts, hallway, scope, () => opened.urls)
  mountEntrances(mounts, { hallway, entrances, scope, clock, forward: forward.handle })
  mountServerRoutes(mounts, {
    hallway,
    scope,
    dataDir: config.dataDir,
    controlPort: config.controlPort,
    executor,
    queue,
    readiness,
    events,
    usage,
    logs: logsRoute,
    diagnostics: deps.diagnostics,
    proof
  })
  mountControlPlane(mounts, {
    app,
    hallway,
    scope,
    entrances,
    logs,
    logReader,
    logSettings: () => opened.logSettings,
    find,
    proof,
    forward: forward.handle
  })
  app.removeAllContentTypeParsers()
  await app.ready()

  return {
    server: app.server,
    routes: mounts.routes,
    readiness,
    get directory() {
      return state.directory
    },

    attach(reader, internalToken, sessions) {
      opened.internalToken = internalToken
      opened.logSettings = reader.logSettings
      const { directory, authenticator, access } = openDatabase({
        reader,
        sessions,
        config,
        scope,
        server: app.server,
        timeouts,
        executor,
        platform: deps.platform,
        audit: deps.audit,
        metrics,
        log,
        onCommitted() {
          published.refresh()
          logSettings.refresh()
        },
        random: deps.random
      })
      Object.assign(state, { directory, authenticator, access } satisfies DatabaseState)
      published.attach(reader)
      logSettings.attach(reader.logSettings)
      directory.refresh()
      opened.urls = createUrlTable({ reader, urlDomain: config.urlDomain, generation: () => directory.generation() })
      opened.stopReports = startReports({
        port: config.controlPort,
        internalToken,
        directory,
        uses: authenticator.uses,
        triggers,
        metrics,
        executor,
        minutesDir: dataLayout(config.dataDir).minutes,
        log
      })
      events.start()
      triggers.attach(reader)
      guard.attach(reader)
      readiness.set('directory', { ok: true })
    },

    async listen() {
      metrics.observe(executor, () => logs.counts())
      executor.ready().then(
        () => {
          readiness.set('sandbox', { ok: true })
        },
        (err: unknown) => {
          readiness.set('sandbox', { ok: false, detail: 'no sandbox could be started; the server log says why' })
          log.error({ err }, 'no sandbox could be started')
        }
      )
      await app.listen({ host: config.host, port: config.port })
      return (app.server.address() as AddressInfo).port
    },

    stop() {
      stopping ??= (async () => {
        draining = true
        logsRoute.stop()
        triggers.stop()
        events.stop()
        readiness.set('running', { ok: false, detail: 'stopping' })
        await Promise.all([sockets.stop(config.drainMs), stopServer(app.server, connections, executor, config.drainMs)])
        await opened.stopReports?.()
        forward.close()
        await app.close()
        await logs.close()
        await deps.audit.close()
        await guard.close()
        await usage.close()
        await events.close()
        await deps.tracing?.stop(TRACE_STOP_MS)
        state.directory.close()
      })()
      return stopping
    }
  }
}
