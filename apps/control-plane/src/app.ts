import { randomUUID } from 'node:crypto'
import type http from 'node:http'
import type { Builder } from '@hearth/builder'
import {
  type ArnScope,
  type Authenticator,
  type Authorizer,
  contextKeys,
  createAuthBackoff,
  createRequestRate,
  type FunctionRecord,
  type Readiness,
  type SessionTokens
} from '@hearth/shared'
import type { ArtifactStore, IdempotencyKeys, Telemetry } from '@hearth/store'
import Fastify, { type FastifyServerOptions, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Access } from './access/access.ts'
import { authorization } from './access/authorization.ts'
import type { KeyUses } from './access/key-uses.ts'
import { alarmRoutes } from './alarms/alarm-routes.ts'
import type { Alarms } from './alarms/alarms.ts'
import { apiGateway } from './apis/api-gateway.ts'
import type { Apis } from './apis/apis.ts'
import type { Budgets } from './budgets/budgets.ts'
import type { CodeLinks } from './code-links.ts'
import type { AccountSettings } from './functions/account.ts'
import type { AliasService } from './functions/alias-service.ts'
import type { CodeSigning } from './functions/code-signing.ts'
import type { ConcurrencyService } from './functions/concurrency-service.ts'
import type { EventInvokeService } from './functions/event-invoke-service.ts'
import type { FunctionOptions } from './functions/function-options.ts'
import type { FunctionService } from './functions/function-service.ts'
import type { FunctionTags } from './functions/function-tags.ts'
import type { PermissionService } from './functions/permission-service.ts'
import type { Runtimes } from './functions/runtimes.ts'
import type { VersionService } from './functions/version-service.ts'
import { authentication } from './http/authentication.ts'
import { browserHeaders } from './http/browser-headers.ts'
import { createClientAddresses } from './http/client-address.ts'
import { answerClientError } from './http/client-errors.ts'
import { answerError, errorResponses } from './http/error-responses.ts'
import { idempotency } from './http/idempotency.ts'
import { keyUseNotes } from './http/key-use-notes.ts'
import { rawBodies } from './http/raw-bodies.ts'
import { requestTracing } from './http/request-tracing.ts'
import './http/route-config.ts'
import { archiveReports } from './events/archive-reports.ts'
import type { EventRules } from './events/event-rules.ts'
import { EVENTS } from './events/registry.ts'
import { uploadLimit } from './http/upload-limit.ts'
import { IAM } from './iam/registry.ts'
import { bindJsonService, jsonApi } from './json-protocol/registry.ts'
import { targetConstraint } from './json-protocol/target-constraint.ts'
import { lambdaApi } from './lambda-api/registry.ts'
import type { LayerAttachments } from './layers/layer-attachments.ts'
import type { LayerService } from './layers/layer-service.ts'
import type { LogGroups } from './logs/log-groups.ts'
import { LOGS } from './logs/registry.ts'
import type { MasterKeys } from './master-key/master-keys.ts'
import type { Metrics } from './metrics.ts'
import { metricReports } from './metrics-api/metric-reports.ts'
import { metricRoutes } from './metrics-api/metric-routes.ts'
import { monitoringCbor } from './metrics-api/protocols/cbor.ts'
import { monitoringJson } from './metrics-api/protocols/json.ts'
import { monitoringQuery } from './metrics-api/protocols/query.ts'
import { MONITORING } from './metrics-api/registry.ts'
import { openapi } from './openapi/openapi.ts'
import type { PackageStore } from './packages/package-store.ts'
import type { S3Source } from './packages/s3-source.ts'
import { bindService, queryApi } from './query/registry.ts'
import type { ReleaseService } from './releases/release-service.ts'
import { completedReports } from './scheduler/completed-reports.ts'
import { schedulerApi } from './scheduler/scheduler-api.ts'
import type { Schedules } from './scheduler/schedules.ts'
import type { ParameterService } from './secrets/parameter-service.ts'
import type { SecretService } from './secrets/secret-service.ts'
import { SECRETS_MANAGER } from './secrets-manager/registry.ts'
import type { ServiceInvoker } from './service-invoker.ts'
import { SSM } from './ssm/registry.ts'
import { STS } from './sts/registry.ts'
import { systemRoutes } from './system-routes.ts'
import { createEventKind } from './triggers/event-kind.ts'
import { createHttpKind } from './triggers/http-kind.ts'
import { createLoadBalancerKind, type LoadBalancerKindDeps } from './triggers/load-balancer-kind.ts'
import { createScheduleKind } from './triggers/schedule-kind.ts'
import { createServicePermissions } from './triggers/service-permission.ts'
import { createWebhookKind, type WebhookKindDeps } from './triggers/webhook-kind.ts'
import { createWebSocketKind } from './triggers/websocket-kind.ts'
import type { UrlService } from './urls/url-service.ts'
import type { UsagePlans } from './usage-plans/usage-plans.ts'
import { accountRoutes } from './v1/account-routes.ts'
import { aliasRoutes } from './v1/alias-routes.ts'
import { auditRoutes } from './v1/audit-routes.ts'
import { budgetRoutes } from './v1/budget-routes.ts'
import { concurrencyRoutes } from './v1/concurrency-routes.ts'
import { deployRoutes } from './v1/deploy-routes.ts'
import { type DiagnosticsPartOptions, diagnosticsPart } from './v1/diagnostics-part.ts'
import { domainRoutes } from './v1/domain-routes.ts'
import { eventInvokeRoutes } from './v1/event-invoke-routes.ts'
import { functionRoutes } from './v1/function-routes.ts'
import { httpStaticRoutes } from './v1/http-static-routes.ts'
import { keyRoutes } from './v1/key-routes.ts'
import { keyUseReports } from './v1/key-use-reports.ts'
import { layerPermissionRoutes } from './v1/layer-permission-routes.ts'
import { layerRoutes } from './v1/layer-routes.ts'
import { logGroupRoutes } from './v1/log-group-routes.ts'
import { managedPolicyRoutes } from './v1/managed-policy-routes.ts'
import { masterKeyRoutes } from './v1/master-key-routes.ts'
import { permissionRoutes } from './v1/permission-routes.ts'
import { policyRoutes } from './v1/policy-routes.ts'
import { provisionedReports } from './v1/provisioned-reports.ts'
import { releaseReports } from './v1/release-reports.ts'
import { releaseRoutes } from './v1/release-routes.ts'
import { roleRoutes } from './v1/role-routes.ts'
import { secretRoutes } from './v1/secret-routes.ts'
import { triggerRoutes } from './v1/trigger-routes.ts'
import { urlRoutes } from './v1/url-routes.ts'
import { usagePlanRoutes } from './v1/usage-plan-routes.ts'
import { type UsageRoutesOptions, usageRoutes } from './v1/usage-routes.ts'
import { userRoutes } from './v1/user-routes.ts'
import { versionRoutes } from './v1/version-routes.ts'
import { webhookRoutes } from './v1/webhook-routes.ts'

export interface Deps {
  readonly urls: UrlService
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly service: FunctionService
  readonly versions: VersionService
  readonly aliases: AliasService
  readonly releases: ReleaseService
  /** What the gateway proves itself with. */
  readonly internalToken: string
  readonly permissions: PermissionService
  readonly access: Access
  readonly keyUses: KeyUses
  readonly eventInvoke: EventInvokeService
  readonly tags: FunctionTags
  readonly options: FunctionOptions
  readonly codeSigning: CodeSigning
  readonly eventRules: EventRules
  readonly schedules: Schedules
  readonly logGroups: LogGroups
  readonly apis: Apis
  readonly usagePlans: UsagePlans
  readonly usage: UsageRoutesOptions
  readonly budgets: Budgets
  readonly diagnostics: Pick<DiagnosticsPartOptions, 'schema' | 'counts' | 'log'>
  readonly webhooks: Pick<WebhookKindDeps, 'repository' | 'findSecret'>
  readonly loadBalancers: Pick<LoadBalancerKindDeps, 'repository' | 'ownerOf'>
  readonly concurrency: ConcurrencyService
  readonly account: () => AccountSettings
  readonly artifacts: ArtifactStore
  readonly packages: PackageStore
  readonly builder: Builder | undefined
  readonly layers: LayerService
  readonly attachments: LayerAttachments
  readonly s3: S3Source
  readonly links: CodeLinks
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly sessions: SessionTokens
  readonly auditDir: string
  /** Metrics over time. */
  readonly telemetry: Pick<Telemetry, 'metrics'>
  readonly alarms: Alarms
  readonly invoker: ServiceInvoker
  readonly secrets: SecretService
  readonly parameters: ParameterService
  readonly masterKeys: MasterKeys
  /** Takes in what was changed of keys and rights. */
  readonly refreshAccess: () => void
  /** Requests with an Idempotency-Key. */
  readonly keys: IdempotencyKeys
  readonly now: () => Date
  /** Requests per second and key, failed authentications per minute and address; 0: any number. */
  readonly requestRate: number
  readonly authFailures: number
  readonly metrics: Metrics
  readonly scope: ArnScope
  readonly runtimes: Runtimes
  readonly architecture: FunctionRecord['architecture']
  /** Whether a deploy could be written now. */
  readonly health: () => Readiness
}

export type ServerOptions = FastifyServerOptions & { readonly http?: http.ServerOptions }

/** JSON of settings fits in this many times over. */
const BODY_BYTES = 262_144
/** A whole request with 50 MiB over a slow line: 1.5 Mbit/s. */
const REQUEST_TIMEOUT_MS = 300_000
const HEADERS_TIMEOUT_MS = 20_000
/** How often the two are looked at. */
const CHECK_MS = 5_000
/** Longer than the gateway keeps its connections, so that it never writes into one that is being closed. */
const KEEP_ALIVE_MS = 72_000
const CONNECTIONS = 1_000

/** Services of the JSON protocol, by what stands before an operation's name in `X-Amz-Target`. */
const JSON_TARGETS = new Set<string>([
  EVENTS.target,
  LOGS.target,
  SECRETS_MANAGER.target,
  SSM.target,
  MONITORING.target
])

/** Builds the app and opens nothing: no port, no file, no signal handler. main.ts and tests both call this. */
export async function buildApp(deps: Deps, options: ServerOptions = {}) {
  const app = Fastify({
    // One line per request is written by request-tracing, without the query.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    frameworkErrors: (thrown, request, reply) => void answerError(thrown, request, reply),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    // AWS clients send some paths with a slash at the end; a function's ARN is longer than a parameter usually is.
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 1_024,
      constraints: targetConstraint(JSON_TARGETS)
    },
    clientErrorHandler: answerClientError,
    ...options,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CHECK_MS, ...options.http }
  })
  app.server.maxConnections = CONNECTIONS
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const { service, versions, aliases, releases, artifacts, packages, builder, links, metrics, scope, runtimes } = deps
  const { layers, attachments, urls, urlDomain, concurrency } = deps
  const addresses = createClientAddresses(deps.internalToken)
  const now = (): number => deps.access.now().getTime()
  await app.register(requestTracing, { metrics })
  await app.register(errorResponses)
  await app.register(browserHeaders)
  await app.register(rawBodies)
  await app.register(authentication, {
    authenticator: deps.authenticator,
    refresh: deps.refreshAccess,
    now,
    backoff: createAuthBackoff(deps.authFailures, now),
    rate: createRequestRate(deps.requestRate, now),
    addressOf: (request) => addresses.peer(request),
    metrics
  })
  await app.register(authorization, {
    authorizer: deps.authorizer,
    access: deps.access,
    scope,
    addresses,
    metrics
  })
  await app.register(keyUseNotes, { uses: deps.keyUses, region: scope.region, now: deps.access.now })
  await app.register(uploadLimit)
  await app.register(idempotency, { keys: deps.keys, blindedBy: deps.internalToken, now: deps.now })
  await app.register(openapi)
  await app.register(systemRoutes, { health: deps.health, metrics })
  await app.register(deployRoutes, {
    prefix: '/v1/functions',
    service,
    packages,
    builder,
    attachments,
    runtimes,
    scope,
    groups: deps.logGroups,
    metrics
  })
  await app.register(functionRoutes, {
    prefix: '/v1/functions',
    service,
    artifacts,
    attachments,
    runtimes,
    links,
    scope,
    groups: deps.logGroups
  })
  await app.register(versionRoutes, { prefix: '/v1/functions', service, versions, scope, groups: deps.logGroups })
  await app.register(aliasRoutes, { prefix: '/v1/functions', aliases, scope })
  await app.register(releaseRoutes, { prefix: '/v1/functions', releases, scope })
  await app.register(releaseReports, { releases, internalToken: deps.internalToken })
  await app.register(concurrencyRoutes, { prefix: '/v1/functions', concurrency })
  await app.register(provisionedReports, { concurrency, internalToken: deps.internalToken })
  await app.register(layerPermissionRoutes, { prefix: '/v1/layers', layers })
  await app.register(keyUseReports, {
    uses: deps.keyUses,
    region: scope.region,
    now: deps.access.now,
    internalToken: deps.internalToken
  })
  await app.register(layerRoutes, { prefix: '/v1/layers', layers, packages, artifacts, runtimes, links, scope })
  await app.register(urlRoutes, {
    prefix: '/v1/functions',
    urls,
    urlDomain,
    permissions: deps.permissions,
    scope
  })
  await app.register(permissionRoutes, {
    prefix: '/v1/functions',
    permissions: deps.permissions,
    requireFunction: (name) => void service.get(name)
  })
  await app.register(eventInvokeRoutes, { prefix: '/v1/functions', eventInvoke: deps.eventInvoke, scope })
  const servicePermissions = createServicePermissions(deps.permissions, scope)
  const webhooks = createWebhookKind({
    ...deps.webhooks,
    buses: deps.eventRules.repository,
    permissions: servicePermissions,
    scope,
    now: deps.access.now
  })
  await app.register(triggerRoutes, {
    prefix: '/v1/triggers',
    kinds: [
      createEventKind(deps.eventRules, servicePermissions),
      createScheduleKind(deps.schedules, servicePermissions, deps.access.now),
      createHttpKind(deps.apis, servicePermissions),
      createWebSocketKind(deps.apis, servicePermissions),
      webhooks,
      createLoadBalancerKind({
        ...deps.loadBalancers,
        permissions: servicePermissions,
        urlDomain,
        scope,
        now: deps.access.now
      })
    ],
    scope,
    exclusively: deps.access.exclusively
  })
  await app.register(alarmRoutes, {
    prefix: '/v1/alarms',
    alarms: deps.alarms,
    metrics: deps.telemetry.metrics,
    invoker: deps.invoker,
    permissions: servicePermissions,
    exclusively: deps.access.exclusively
  })
  await app.register(webhookRoutes, {
    prefix: '/v1/triggers/webhook',
    webhooks,
    exclusively: deps.access.exclusively
  })
  await app.register(httpStaticRoutes, {
    prefix: '/v1/triggers/http',
    apis: deps.apis.drafts.repository,
    packages,
    scope,
    now: deps.access.now,
    exclusively: deps.access.exclusively
  })
  await app.register(usagePlanRoutes, { prefix: '/v1', usagePlans: deps.usagePlans, scope })
  await app.register(logGroupRoutes, { prefix: '/v1/log-groups', groups: deps.logGroups })
  await app.register(domainRoutes, { prefix: '/v1/domains', urls, urlDomain })
  await app.register(diagnosticsPart, {
    ...deps.diagnostics,
    health: deps.health,
    metrics,
    internalToken: deps.internalToken
  })
  await app.register(budgetRoutes, { prefix: '/v1/budgets', budgets: deps.budgets, scope })
  await app.register(usageRoutes, { prefix: '/v1/usage', ...deps.usage })
  await app.register(accountRoutes, { prefix: '/v1/account', account: deps.account })
  await app.register(auditRoutes, { prefix: '/v1/audit', auditDir: deps.auditDir, now: deps.access.now })
  await app.register(policyRoutes, { prefix: '/v1/policies', scope })
  await app.register(managedPolicyRoutes, { prefix: '/v1/policies', access: deps.access })
  await app.register(roleRoutes, { prefix: '/v1/roles', access: deps.access })
  await app.register(userRoutes, { prefix: '/v1/users', access: deps.access })
  await app.register(keyRoutes, { prefix: '/v1/keys', access: deps.access })
  await app.register(secretRoutes, { prefix: '/v1/secrets', secrets: deps.secrets })
  await app.register(masterKeyRoutes, { prefix: '/v1/master-key', masterKeys: deps.masterKeys })
  await app.register(lambdaApi, deps)
  await app.register(schedulerApi, { schedules: deps.schedules })
  await app.register(archiveReports, { archives: deps.eventRules.archives, internalToken: deps.internalToken })
  await app.register(apiGateway, { apis: deps.apis })
  await app.register(completedReports, { schedules: deps.schedules, internalToken: deps.internalToken })
  await app.register(jsonApi, {
    services: [
      bindJsonService(EVENTS, deps.eventRules),
      bindJsonService(LOGS, deps.logGroups),
      bindJsonService(SECRETS_MANAGER, deps.secrets),
      bindJsonService(SSM, deps.parameters)
    ]
  })
  const monitoring = { metrics: deps.telemetry.metrics, alarms: deps.alarms.service, scope, now: deps.access.now }
  await app.register(metricReports, { metrics: deps.telemetry.metrics, internalToken: deps.internalToken })
  await app.register(metricRoutes, { prefix: '/v1/metrics', metrics: deps.telemetry.metrics, now: deps.access.now })
  await app.register(monitoringJson, { deps: monitoring })
  await app.register(monitoringCbor, { deps: monitoring })
  await app.register(queryApi, {
    services: [bindService(IAM, deps.access), bindService(STS, deps), monitoringQuery(monitoring)],
    authorize(request, action, { resource, context }) {
      // Who one is, everybody may know of himself.
      if (action === 'sts:GetCallerIdentity') return
      const wish = { action, resource, keys: contextKeys(context) }
      if (action === 'sts:AssumeRole') request.requireTrust(wish)
      else request.requireAccess(wish)
    }
  })
  return app
}
