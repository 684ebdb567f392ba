import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Executor } from '@hearth/executor'
import {
  type Authenticator,
  type Authorizer,
  type Config,
  createAuthBackoff,
  createAuthenticator,
  createAuthorizer,
  createReadiness,
  createRequestRate,
  functionArn,
  HearthError,
  JsonCheck,
  parseFunctionRef,
  type Readiness,
  type SessionTokens
} from '@hearth/shared'
import {
  type AuditLog,
  codeDirOf,
  createLogReader,
  type DirectoryReader,
  dataLayout,
  type EventQueue,
  type LogSettingsReader,
  type LogWriter,
  toAuditEntry
} from '@hearth/store'
import Fastify, { type HTTPMethods } from 'fastify'
import { createApiService } from './apis/api-service.ts'
import { apiTriggerRoutes } from './apis/api-trigger-routes.ts'
import type { Guard } from './apis/guard.ts'
import { createGuard } from './apis/guards/create-guard.ts'
import { createPublishedApis } from './apis/published-apis.ts'
import { createStaticFiles } from './apis/static-files.ts'
import { type Clock, SYSTEM_CLOCK } from './async/clock.ts'
import { createEventService } from './async/event-service.ts'
import { atMostEvery } from './at-most-every.ts'
import { createAwsDoor, createAwsStreamDoor } from './aws-door.ts'
import { Call, type Door, type Hallway } from './call.ts'
import { answerClientError } from './client-errors.ts'
import { askControlPlane, createControlPlaneProbe } from './control-plane-probe.ts'
import { startReporter } from './control-plane-reporter.ts'
import { type DiagnosticsFacts, diagnosticsRoute } from './diagnostics/diagnostics-route.ts'
import { createDirectory, type Directory } from './directory.ts'
import { watchExpectations } from './expectations.ts'
import type { Entry } from './function-routes.ts'
import { toSpec } from './function-spec.ts'
import { createHostEntrance, OTHER_HOST } from './host-entrance.ts'
import { requireControlPlane } from './internal-route.ts'
import { noteKeyUses, startKeyUseReporter } from './key-uses.ts'
import { KeyedRoute } from './keyed-route.ts'
import type { Log } from './log.ts'
import { watchLogSettings } from './logs/log-settings.ts'
import type { LogStreamTimes } from './logs/log-stream.ts'
import { createLogsRoute } from './logs/logs-route.ts'
import type { Metrics } from './metrics.ts'
import { createMinuteFiles } from './minutes/minute-files.ts'
import { startMinuteReporter } from './minutes/minute-reporter.ts'
import { sampleConcurrency } from './minutes/sample-concurrency.ts'
import { peerAddress } from './peer-address.ts'
import { createFunctionDoors } from './platform/function-doors.ts'
import type { FunctionPlatform } from './platform/function-platform.ts'
import { insideOf } from './platform/inside.ts'
import { createPlaces } from './platform/places.ts'
import { createRolePasses } from './platform/role-passes.ts'
import { startProvisionedReporter } from './provisioned-reporter.ts'
import { createProxy, type Proxy } from './proxy.ts'
import { PUT_LOG_EVENTS, putLogEventsRoute } from './put-log-events/put-log-events-route.ts'
import { judgeRefused, receive } from './reception.ts'
import { dialectOf, toRefusal } from './refusal.ts'
import { startReleaseReporter } from './release-reporter.ts'
import { refuse } from './respond.ts'
import { createSecretVariables } from './secret-variables.ts'
import {
  type Ask,
  healthRoute,
  metricsRoute,
  readyRoute,
  runtimesRoute,
  type ServerRoute,
  startupRoute
} from './server-routes.ts'
import { serviceDoor } from './service-door.ts'
import { stopServer, trackConnections } from './stop.ts'
import type { TraceExport } from './tracing/export.ts'
import { createTraces, type TracingOptions } from './tracing/traces.ts'
import { PUT_EVENTS, putEventsRoute } from './triggers/put-events-route.ts'
import { triggerRoutes } from './triggers/routes.ts'
import { createTriggerService } from './triggers/trigger-service.ts'
import { webhookRoute } from './triggers/webhooks/webhook-route.ts'
import { createUrlDoor, isOwnKey, URL_BY_HOST, URL_BY_PATH } from './url-door.ts'
import { enterUrl } from './url-entrance.ts'
import { createUrlHosts } from './url-hosts.ts'
import { createUrlTable, type UrlTable } from './url-table.ts'
import { functionUsageRoute } from './usage/usage-route.ts'
import { startUsageWriter } from './usage/usage-writer.ts'
import { createV1Door } from './v1-door.ts'
import { socketTriggerRoutes } from './websockets/socket-trigger-routes.ts'
import { UpgradableRequest } from './websockets/upgrades.ts'
import { createWebSocketService } from './websockets/websocket-service.ts'

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

/** What a slow client gets, in milliseconds. */
export interface ServerTimeouts {
  /** Until all headers are there. */
  readonly headersMs: number
  /** Until the whole request is there: minutes, for a package of 50 MB over a slow line. */
  readonly requestMs: number
  /** How often the two are looked at. */
  readonly checkMs: number
  /** How long an idle connection is kept; longer than what load balancers keep theirs, so that they close first. */
  readonly keepAliveMs: number
}

/** Requests of one function that may be with the control plane at a time: all of them share its connections. */
const PROXIED_PER_FUNCTION = 16
/** Functions whose series are made at the start; ten times what a server is made for. */
const MAX_FORESEEN = 100_000
/** Connections of WebSocket APIs, if nothing else is said. */
const SOCKETS = 1_000
/** Of routes that take none. */
const EMPTY = Buffer.alloc(0)
/** How often the control plane is told of schedules that are over, until they are deleted. */
const COMPLETED_MS = 1_000
/** What spans that wait get to be sent when the server stops. */
const TRACE_STOP_MS = 2_000
/** And of what archives have, and how far replays are, when it has changed. */
const ARCHIVES_MS = 500
/** What the control plane's part of a bundle may take. */
const DIAGNOSTICS = { timeoutMs: 5_000, maxBytes: 16 * 1_048_576 }
const TIMEOUTS: ServerTimeouts = { headersMs: 15_000, requestMs: 300_000, checkMs: 5_000, keepAliveMs: 75_000 }

/** Who may use a route: anyone, who proves a key, or whom what is behind it lets in. */
export type Access =
  | 'open'
  | 'caller'
  | 'function-url'
  | 'api'
  | 'webhook'
  | 'load-balancer'
  | 'control-plane'
  /** The control plane itself, and nobody else. */
  | 'internal'

/** What must be allowed to use a route, and on what. */
interface RouteAccess {
  readonly action: string
  /** Undefined: the route asks by itself. */
  readonly resource: ((name: string) => string) | undefined
  /** How much of a body it takes; undefined: none. */
  readonly bodyBytes?: number | undefined
}

export interface Route {
  readonly methods: readonly string[]
  readonly url: string
  readonly access: Access
  /** What a caller with a key must be allowed. */
  readonly action: string | undefined
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

/** Puts the gateway together. Opens nothing: that is {@link Gateway.attach} and {@link Gateway.listen}. */
export async function buildApp(deps: AppDeps): Promise<Gateway> {
  const { config, metrics, log, executor, logs } = deps
  const scope = { region: config.region, accountId: config.accountId }
  const timeouts = { ...TIMEOUTS, ...deps.timeouts }
  const readiness = createReadiness({
    required: ['directory', 'sandbox', 'queue', 'running'],
    advisory: ['control-plane']
  })
  readiness.set('running', { ok: true })
  readiness.set('queue', { ok: true })
  const routes: Route[] = []
  let draining = false
  let proof: string | undefined
  let stopReporters = async (): Promise<void> => undefined
  let stopping: Promise<void> | undefined

  const app = Fastify({
    // See log.ts: requests are not logged, and an attached logger costs on every call.
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    http: {
      headersTimeout: timeouts.headersMs,
      connectionsCheckingInterval: timeouts.checkMs,
      IncomingMessage: UpgradableRequest
    },
    // Room for percent-encoded ARNs; too long ones get their message from parseFunctionRef.
    routerOptions: { maxParamLength: 2_048, querystringParser: () => ({}) },
    clientErrorHandler: answerClientError,
    // Another host goes before every path: its /v1 is the function's.
    rewriteUrl: (req) => (hosts.claims(req) ? OTHER_HOST : req.url!),
    frameworkErrors(err, request, reply) {
      reply.hijack()
      const thrown = new HearthError('INVALID_REQUEST', err.message, { cause: err })
      refuse(request.raw, reply.raw, toRefusal(thrown, dialectOf(request.raw.url ?? ''), request.id))
    }
  })
  let urls: UrlTable | undefined
  let logGroups: LogSettingsReader | undefined
  const expectations = watchExpectations(app.server)
  const connections = trackConnections(app.server)
  const starting = startingState()
  const find = (name: string, qualifier: string): Entry | undefined => {
    hallway.directory.refresh()
    return hallway.directory.find(name, qualifier === '' ? undefined : qualifier)
  }
  const traces = createTraces({ nowMs: Date.now, now: () => performance.now(), tracing: deps.tracing })
  const events = createEventService({
    queue: deps.queue,
    find,
    access: () => hallway.access,
    metrics,
    traces,
    log,
    scope,
    keepMs: config.eventKeepMs,
    webhookNetworks: config.webhookNetworks,
    clock: deps.clock,
    eventsAtOnce: deps.eventsAtOnce
  })
  const hallway: Hallway & { directory: Directory; authenticator: Authenticator; access: Authorizer } = {
    ...starting,
    backoff: createAuthBackoff(config.authFailures ?? 0, Date.now),
    dispatcher: events.dispatcher,
    idempotency: events.idempotency,
    metrics,
    traces,
    expectations,
    jsonCheck: new JsonCheck(),
    draining: () => draining,
    now: () => performance.now(),
    onBug(err, requestId, traceId) {
      log.error({ err, requestId, ...(traceId ? { traceId } : {}) }, 'request failed')
    }
  }
  const usage = startUsageWriter({
    meter: metrics.usage,
    counts: deps.queue.functionUsage,
    kept: () => hallway.directory.kept(),
    now: Date.now,
    onError: atMostEvery(10_000, (err: unknown) => {
      log.error({ err }, 'the usage of functions cannot be written')
    })
  })
  const rate = createRequestRate(config.requestRate ?? 0, Date.now)
  const openProxy = (): Proxy =>
    createProxy({
      host: '127.0.0.1',
      port: config.controlPort,
      expectations,
      proof: () => proof,
      onError(err, requestId) {
        log.warn({ err, requestId }, 'control plane does not answer')
      }
    })
  const proxy = openProxy()
  const places = createPlaces(PROXIED_PER_FUNCTION)
  // With connections of its own: what functions ask for takes none from those outside.
  const functionProxy = openProxy()

  /**
   * Every route is mounted here, so that none is reachable without having said who may use it. Handlers get the raw
   * request: bodies are read by whoever needs them, after the sender is known.
   */
  function mount(
    methods: HTTPMethods[],
    url: string,
    access: Access,
    handle: (req: IncomingMessage, res: ServerResponse, id: string, name: string) => void,
    action?: string
  ): void {
    routes.push({ methods, url, access, action })
    app.route<{ Params: { name?: string } }>({
      method: methods,
      url,
      onRequest(request, reply) {
        // Ends Fastify's part here: no body parsing, no serialisation, no reply hooks.
        reply.hijack()
        handle(request.raw, reply.raw, request.id, request.params.name ?? '')
      },
      handler() {
        throw new Error('a hijacked request has no handler')
      }
    })
  }

  function mountDoor(methods: HTTPMethods[], urls: string[], door: Door): void {
    for (const url of urls) {
      const enter = (req: IncomingMessage, res: ServerResponse, id: string, name: string): void => {
        new Call(hallway, door, req, res, id, name).start()
      }
      // Checked where the function is known: enterFunction.
      mount(methods, url, 'caller', enter, 'lambda:InvokeFunction')
    }
  }

  function mountServerRoute(
    methods: HTTPMethods[],
    url: string,
    access: 'open' | RouteAccess,
    route: ServerRoute
  ): void {
    const number = metrics.route(url)
    const wish = access === 'open' ? undefined : access
    const handle = (req: IncomingMessage, res: ServerResponse, id: string, name: string): void => {
      countAnswer(metrics, number, req, res)
      const turnDown = (err: unknown): void => {
        refuse(req, res, toRefusal(judgeRefused(hallway, err, peerAddress(req), id), 'problem', id))
      }
      const serve = async (): Promise<void> => {
        const known = wish === undefined ? undefined : await receive(hallway, expectations, req, res, id, wish)
        const { principal, body = EMPTY } = known ?? {}
        let ask: Ask = () => undefined
        if (wish !== undefined && known !== undefined) {
          rate.take(known.principal.keyId)
          ask = (resource) => {
            hallway.access.require(known.principal, { action: wish.action, resource }, known.facts)
          }
          if (wish.resource !== undefined) ask(wish.resource(name))
        }
        const target = new KeyedRoute(req, res, principal, turnDown)
        const run = (): Promise<void> => route(req, res, name, (...answer) => target.respond(...answer), ask, body)
        const key = req.headers['idempotency-key']
        if (key === undefined || req.method !== 'POST' || principal === undefined) await run()
        else hallway.idempotency.begin(target, String(key), body, () => target.run(run))
      }
      serve().catch(turnDown)
    }
    mount(methods, url, wish === undefined ? 'open' : 'caller', handle, wish?.action)
  }

  /** What the control plane asks of this process. */
  function mountInternalRoute(url: string, route: ServerRoute): void {
    const number = metrics.route(url)
    mount(['GET'], url, 'internal', (req, res, id, name) => {
      countAnswer(metrics, number, req, res)
      const serve = async (): Promise<void> => {
        requireControlPlane(req, proof)
        await route(
          req,
          res,
          name,
          () => undefined,
          () => undefined,
          EMPTY
        )
      }
      serve().catch((err: unknown) => {
        refuse(req, res, toRefusal(judgeRefused(hallway, err, peerAddress(req), id), 'problem', id))
      })
    })
  }

  const all = [...app.supportedMethods] as HTTPMethods[]
  mountDoor(['POST'], ['/2015-03-31/functions/:name/invocations'], createAwsDoor(hallway, scope))
  mountDoor(
    ['POST'],
    ['/2021-11-15/functions/:name/response-streaming-invocations'],
    createAwsStreamDoor(hallway, scope)
  )
  mountDoor(['POST'], ['/v1/functions/:name/invocations'], createV1Door(hallway, scope))
  mountDoor(all, ['/fn/:name', '/fn/:name/*'], createUrlDoor(hallway, scope, Date.now))
  const byPath = createUrlDoor(hallway, scope, Date.now, URL_BY_PATH)
  const byHost = createUrlDoor(hallway, scope, Date.now, URL_BY_HOST)
  for (const url of ['/url/:name', '/url/:name/*']) {
    mount(all, url, 'function-url', (req, res, id, name) => {
      hallway.directory.refresh()
      enterUrl(hallway, byPath, req, res, id, urls?.byId(name))
    })
  }
  const clock = deps.clock ?? SYSTEM_CLOCK
  const guard = createGuard({
    scope,
    find,
    access: () => hallway.access,
    metrics,
    traces,
    queue: deps.queue,
    log,
    networks: config.webhookNetworks,
    keySetsDir: config.keySetsDir,
    isOwnKey: (authorization) => isOwnKey(hallway, authorization),
    now: () => clock.now()
  })
  const apis = createApiService({
    base: hallway,
    scope,
    urlDomain: config.urlDomain,
    guard: deps.guard ?? guard,
    files: createStaticFiles((artifact) => codeDirOf(config.dataDir, artifact)),
    nowMs: Date.now,
    log
  })
  for (const url of ['/api/:name', '/api/:name/*']) {
    mount(all, url, 'api', (req, res, id) => {
      apis.enterByPath(req, res, id)
    })
  }
  const triggers = createTriggerService({
    scope,
    clock,
    queue: deps.queue,
    dispatcher: events.dispatcher,
    hallway,
    find,
    access: () => hallway.access,
    log,
    onError: atMostEvery(10_000, (err: unknown) => {
      log.error({ err }, 'triggers cannot work as they should')
    })
  })
  const sockets = createWebSocketService({
    hallway,
    scope,
    urlDomain: config.urlDomain,
    guard,
    log,
    limit: config.webSocketConnections ?? SOCKETS,
    clock: deps.clock ?? SYSTEM_CLOCK
  })
  app.server.on('upgrade', (req, socket: Socket, head) => {
    sockets.upgrade(req, socket, head)
  })
  const published = createPublishedApis([apis.update, sockets.update])
  const hosts = createHostEntrance([
    sockets,
    apis,
    createUrlHosts({ hallway, door: byHost, urlDomain: config.urlDomain, table: () => urls }),
    triggers.loadBalancers.hosts
  ])
  const ofServer = (action: string): RouteAccess => ({ action, resource: () => '*' })
  const ofFunction = (action: string): RouteAccess => ({
    action,
    resource: (name) => functionArn(scope, parseFunctionRef(scope, name).name)
  })
  const logSettings = watchLogSettings(logs)
  const logReader = createLogReader(deps.logsDir, logSettings)
  const logsRoute = createLogsRoute(hallway, scope, logs, logReader, deps.logStreamTimes)
  const readLogs: RouteAccess = {
    action: 'logs:FilterLogEvents',
    resource(reference) {
      const { name } = parseFunctionRef(scope, reference)
      const group = hallway.directory.find(name, undefined)?.record.logging.logGroup ?? `/aws/lambda/${name}`
      return `arn:aws:logs:${scope.region}:${scope.accountId}:log-group:${group}:*`
    }
  }
  mountServerRoute(['GET'], '/v1/functions/:name/logs', readLogs, logsRoute.route)
  for (const { methods, url, action, on, route } of events.routes) {
    mountServerRoute(methods, url, on === 'function' ? ofFunction(action) : { action, resource: undefined }, route)
  }
  mountServerRoute(['GET'], '/v1/runtimes', ofServer('hearth:ListRuntimes'), runtimesRoute(executor))
  mountInternalRoute('/internal/function-usage', functionUsageRoute(usage))
  mountServerRoute(['GET'], '/metrics', ofServer('hearth:GetMetrics'), metricsRoute(metrics))
  mountServerRoute(
    ['GET'],
    '/v1/diagnostics',
    ofServer('hearth:GetDiagnostics'),
    diagnosticsRoute({
      facts: deps.diagnostics ?? { version: '', config: {}, isolation: [], secrets: [] },
      dataDir: config.dataDir,
      readiness,
      metrics,
      executor,
      queue: deps.queue,
      controlPlane: () =>
        askControlPlane(config.controlPort, '/internal/diagnostics', { ...DIAGNOSTICS, token: proof }),
      proof: () => proof
    })
  )
  mountServerRoute(['GET', 'HEAD'], '/healthz', 'open', healthRoute())
  const controlPlane = createControlPlaneProbe(config.controlPort, () => performance.now())
  mountServerRoute(['GET', 'HEAD'], '/readyz', 'open', readyRoute(readiness, controlPlane))
  mountServerRoute(['GET', 'HEAD'], '/startupz', 'open', startupRoute(readiness, controlPlane))

  for (const { method, url, action, bodyBytes, route } of [
    ...triggerRoutes(triggers, scope),
    ...apiTriggerRoutes(apis, scope, published.health),
    ...socketTriggerRoutes(sockets, scope, published.health)
  ]) {
    mountServerRoute([method], url, { action, resource: undefined, bodyBytes }, route)
  }
  const hooked = metrics.route('/hooks/:id')
  const receiveWebhook = webhookRoute({
    hallway,
    webhooks: triggers.webhooks,
    counts: metrics.webhooks,
    refresh: () => {
      triggers.refresh()
    },
    expectations,
    isDraining: () => draining,
    now: () => clock.now()
  })
  mount(all, '/hooks/:name', 'webhook', (req, res, id, name) => {
    countAnswer(metrics, hooked, req, res)
    receiveWebhook(req, res, id, name)
  })
  for (const url of ['/lb/:name', '/lb/:name/*']) {
    mount(all, url, 'load-balancer', (req, res, id, name) => {
      triggers.refresh()
      triggers.loadBalancers.serve(name, req, res, id)
    })
  }
  for (const { method, url, action, arnOf, route } of guard.routes) {
    mountServerRoute([method], url, { action, resource: arnOf }, route)
  }
  const proxied = metrics.route('control-plane')
  const numbers = new Map([PUT_EVENTS, PUT_LOG_EVENTS].map((target) => [target, metrics.route(target)]))
  const door = { hallway, scope, expectations, isDraining: () => draining }
  // What the gateway serves of services that are the control plane's else.
  const served = new Map([
    [PUT_EVENTS, putEventsRoute({ ...door, triggers })],
    [PUT_LOG_EVENTS, putLogEventsRoute({ ...door, logs, reader: logReader, settings: () => logGroups, now: Date.now })]
  ])
  const forward = (req: IncomingMessage, res: ServerResponse, id: string): void => {
    countAnswer(metrics, proxied, req, res)
    const inside = insideOf(req)
    if (inside === undefined) proxy.forward(req, res, id)
    else if (places.take(inside)) {
      res.once('close', () => {
        places.give(inside)
      })
      functionProxy.forward(req, res, id)
    } else refuse(req, res, toRefusal(new HearthError('CAPACITY_EXHAUSTED', 'Rate Exceeded.'), 'aws', id))
  }
  for (const url of ['/@connections/:connection', '/api/:name/:stage/@connections/:connection']) {
    const manage = (req: IncomingMessage, res: ServerResponse, id: string): void => {
      if (sockets.serve(req, res, id)) return
      // A path of an HTTP API may look the same.
      if (url.startsWith('/api/')) apis.enterByPath(req, res, id)
      else forward(req, res, id)
    }
    mount(all, url, url.startsWith('/api/') ? 'api' : 'caller', manage, 'execute-api:ManageConnections')
  }
  for (const { url, handle } of serviceDoor({
    hallway,
    scope,
    find,
    access: () => hallway.access,
    dispatcher: events.dispatcher,
    triggers,
    expectations,
    proof: () => proof,
    isDraining: () => draining
  })) {
    mount(['POST'], url, 'internal', handle)
  }
  mount(all, OTHER_HOST, 'control-plane', (req, res, id) => {
    if (!hosts.serve(req, res, id)) forward(req, res, id)
  })
  // Other operations of the service, and other services, have the same path.
  mount(['POST'], '/', 'control-plane', (req, res, id) => {
    const target = String(req.headers['x-amz-target'])
    const serve = served.get(target)
    if (serve === undefined) {
      forward(req, res, id)
      return
    }
    countAnswer(metrics, numbers.get(target)!, req, res)
    serve(req, res, id)
  })
  mount(all, '/*', 'control-plane', forward)
  // Methods that Fastify's router does not know; the control plane says what it thinks of them.
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    if (hosts.serve(request.raw, reply.raw, request.id)) return
    // Routes of APIs may take any method.
    if (request.raw.url!.startsWith('/api/')) apis.enterByPath(request.raw, reply.raw, request.id)
    else forward(request.raw, reply.raw, request.id)
  })
  app.removeAllContentTypeParsers()
  await app.ready()

  return {
    server: app.server,
    routes,
    readiness,
    get directory() {
      return hallway.directory
    },

    attach(reader, internalToken, sessions) {
      proof = internalToken
      logGroups = reader.logSettings
      const access = createAuthorizer({
        source: reader,
        scope,
        now: Date.now,
        // Who may goes on; calls are many, and are counted and logged elsewhere.
        onDecision(principal, wish, facts, decision) {
          if (!decision.allowed) deps.audit.write(toAuditEntry(principal, wish, facts, decision, new Date()))
        }
      })
      const authenticator = noteKeyUses(
        createAuthenticator({
          ...scope,
          keys: reader.listKeys(),
          now: () => new Date(),
          sessions,
          isRevoked: (principal) => access.isRevoked(principal)
        })
      )
      const passes = createRolePasses({
        source: reader,
        sessions,
        isRevoked: (principal) => access.isRevoked(principal),
        scope,
        now: Date.now
      })
      deps.platform?.open(passes, createFunctionDoors(app.server, timeouts))
      const secretPart = createSecretVariables({ reader, access, scope })
      hallway.directory = createDirectory({
        reader,
        executor,
        scope,
        ...(deps.random === undefined ? {} : { random: deps.random }),
        toSpec: (record) => ({
          ...toSpec(record, config, (artifact) => codeDirOf(config.dataDir, artifact)),
          ...secretPart(record)
        }),
        onKeys: (keys) => {
          authenticator.setKeys(keys)
          access.forget()
          passes.forget()
        },
        onDeployed: (latest) => {
          metrics.functions.ensure(latest.name, latest)
        },
        onRemoved: (name) => {
          metrics.functions.remove(name)
        },
        onCommitted: () => {
          published.refresh()
          logSettings.refresh()
        },
        onError: atMostEvery(10_000, (err: unknown) => {
          log.error({ err }, 'the function directory cannot be read')
        })
      })
      // Before anything is called: an increase needs a zero to begin at.
      const { room } = metrics.functions
      if (room > 0) metrics.functions.foresee(reader.listFunctionInfos(Math.min(room, MAX_FORESEEN)))
      hallway.authenticator = authenticator
      hallway.access = access
      published.attach(reader)
      logSettings.attach(reader.logSettings)
      hallway.directory.refresh()
      urls = createUrlTable({
        reader,
        urlDomain: config.urlDomain,
        generation: () => hallway.directory.generation()
      })
      const controlPlane = { port: config.controlPort, internalToken }
      const stopReleases = startReleaseReporter({
        ...controlPlane,
        counters: () => hallway.directory.counters(),
        onError: atMostEvery(10_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told about releases')
        })
      })
      const stopProvisioned = startProvisionedReporter({
        ...controlPlane,
        reports: () => hallway.directory.provisioned(),
        onError: atMostEvery(10_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told about provisioned concurrency')
        })
      })
      const stopKeyUses = startKeyUseReporter({
        ...controlPlane,
        uses: authenticator.uses,
        onError: atMostEvery(60_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told which keys were used')
        })
      })
      const stopCompleted = startReporter({
        ...controlPlane,
        path: '/internal/completed-schedules',
        intervalMs: COMPLETED_MS,
        report() {
          const completed = triggers.completed()
          return completed.length === 0 ? undefined : JSON.stringify({ completed })
        },
        onError: atMostEvery(60_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told which schedules are over')
        })
      })
      const stopArchives = startReporter({
        ...controlPlane,
        path: '/internal/archives',
        intervalMs: ARCHIVES_MS,
        report: () => triggers.archives.report(),
        onTaken: (body) => {
          triggers.archives.taken(body)
        },
        onError: atMostEvery(60_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told about archives and replays')
        })
      })
      const stopMinutes = startMinuteReporter({
        ...controlPlane,
        minutes: metrics.minutes,
        files: createMinuteFiles(dataLayout(config.dataDir).minutes),
        sample() {
          sampleConcurrency(metrics.minutes, executor.stats().concurrency, hallway.directory.kept())
        },
        onLost(reports) {
          log.error({ reports }, 'metrics were given up: the control plane was away for too long')
        },
        onError: atMostEvery(60_000, (err: unknown) => {
          log.warn({ err }, 'the control plane cannot be told what functions did')
        })
      })
      stopReporters = async () => {
        await Promise.all([
          stopReleases(),
          stopProvisioned(),
          stopKeyUses(),
          stopCompleted(),
          stopArchives(),
          stopMinutes()
        ])
      }
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
        await stopReporters()
        proxy.close()
        functionProxy.close()
        await app.close()
        await logs.close()
        await deps.audit.close()
        await guard.close()
        await usage.close()
        await events.close()
        await deps.tracing?.stop(TRACE_STOP_MS)
        hallway.directory.close()
      })()
      return stopping
    }
  }
}

/** What stands in the hallway until the database is there: every call is refused as one to come back with. */
function startingState(): { directory: Directory; authenticator: Authenticator; access: Authorizer } {
  const refuseAll = (): never => {
    throw new HearthError('CONTROL_PLANE_UNAVAILABLE', 'The server is starting: its database is not there yet.')
  }
  return {
    directory: {
      refresh: () => undefined,
      find: refuseAll,
      counters: () => [],
      provisioned: () => [],
      kept: () => [],
      generation: () => 0,
      close: () => undefined
    },
    authenticator: { authenticate: refuseAll, open: refuseAll, authenticateHead: refuseAll, setKeys: () => undefined },
    access: {
      require: refuseAll,
      refuseDenied: refuseAll,
      requireTrust: refuseAll,
      mayFunction: refuseAll,
      mayService: refuseAll,
      isRevoked: () => true,
      forget: () => undefined
    }
  }
}

function countAnswer(metrics: Metrics, route: number, req: IncomingMessage, res: ServerResponse): void {
  const startedAt = performance.now()
  res.on('close', () => {
    const code = res.headersSent ? res.statusCode : 499
    metrics.answered(route, req.method ?? '', code, (performance.now() - startedAt) / 1_000)
  })
}
