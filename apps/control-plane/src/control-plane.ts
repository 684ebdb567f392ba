import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Builder, buildHostIdentity, createBuilder } from '@hearth/builder'
import { openRuntimeRegistry, type RuntimeRegistry } from '@hearth/executor/runtimes'
import {
  AWS_PRICES,
  type Config,
  compilePolicy,
  createAuthenticator,
  createAuthorizer,
  createReadiness,
  createSessionTokens,
  createWebhookSender,
  type FunctionRecord,
  functionArn
} from '@hearth/shared'
import {
  AUDIT_FILES,
  createAlarmsRepository,
  createAliasesRepository,
  createApisRepository,
  createArchivesRepository,
  createArtifactStore,
  createBudgetsRepository,
  createCodeSigningRepository,
  createConcurrencyRepository,
  createEventInvokeRepository,
  createEventRulesRepository,
  createFunctionOptionsRepository,
  createFunctionPoliciesRepository,
  createFunctionsRepository,
  createFunctionUrlsRepository,
  createIdempotencyKeys,
  createKeysRepository,
  createLayersRepository,
  createLoadBalancersRepository,
  createLogGroupsRepository,
  createLogReader,
  createOwnedPoliciesRepository,
  createParametersRepository,
  createPoliciesRepository,
  createReleasesRepository,
  createResealer,
  createRolesRepository,
  createSchedulesRepository,
  createSecretBox,
  createSecretsRepository,
  createServerSecrets,
  createUsagePlansRepository,
  createUsageRepository,
  createUsersRepository,
  createWebhooksRepository,
  type DataLayout,
  ensureKeyring,
  inspectSchema,
  internalToken,
  isWritable,
  LATEST,
  lockDataDir,
  makeDataDir,
  openAuditLog,
  openStore,
  openTelemetry,
  prepareFunctionTags,
  prepareHostOwner,
  preparePrincipalLookup,
  prepareSecretLookup,
  type SchemaState,
  toAuditEntry,
  watchKeys
} from '@hearth/store'
import type { FastifyBaseLogger } from 'fastify'
import { createAccess } from './access/access.ts'
import { createAssumableRoles } from './access/assumable-roles.ts'
import { startKeyUses } from './access/key-uses.ts'
import { createAlarms } from './alarms/alarms.ts'
import { createApis } from './apis/apis.ts'
import { buildApp, type ServerOptions } from './app.ts'
import { createAlertSender } from './budgets/alert-sender.ts'
import { startBudgets } from './budgets/budgets.ts'
import { createCodeLinks } from './code-links.ts'
import { createDestinationCheck } from './destinations/check-destination.ts'
import { createWebhookKind } from './destinations/webhook-kind.ts'
import { createEventRules } from './events/event-rules.ts'
import { ensureAdministrator } from './first-start.ts'
import { createAccount } from './functions/account.ts'
import { createAliasService } from './functions/alias-service.ts'
import { startArtifactCollector } from './functions/artifact-collector.ts'
import { createCodeSigning } from './functions/code-signing.ts'
import { createConcurrencyService } from './functions/concurrency-service.ts'
import { createEventInvokeService } from './functions/event-invoke-service.ts'
import { createFunctionOptions } from './functions/function-options.ts'
import { createFunctionService } from './functions/function-service.ts'
import { createFunctionTags } from './functions/function-tags.ts'
import { createPermissionService } from './functions/permission-service.ts'
import { createRuntimes } from './functions/runtimes.ts'
import { createVersionService } from './functions/version-service.ts'
import { createLayerAttachments } from './layers/layer-attachments.ts'
import { createLayerService } from './layers/layer-service.ts'
import { startLogPipeline } from './log-pipeline/start-log-pipeline.ts'
import { createLogGroups } from './logs/log-groups.ts'
import { startMasterKeys } from './master-key/master-keys.ts'
import { measureQueries } from './measure-queries.ts'
import { createMetrics } from './metrics.ts'
import { tidyOften } from './metrics-api/tidy-often.ts'
import { createLayerTrees } from './packages/layer-trees.ts'
import { createPackageStore, type PackageStore } from './packages/package-store.ts'
import { createS3Source } from './packages/s3-source.ts'
import { createReleaseService } from './releases/release-service.ts'
import { createSchedules } from './scheduler/schedules.ts'
import { createParameterService } from './secrets/parameter-service.ts'
import { createSecretReferences } from './secrets/secret-references.ts'
import { createSecretService } from './secrets/secret-service.ts'
import { createServiceInvoker, toReach } from './service-invoker.ts'
import { createUrlService } from './urls/url-service.ts'
import { createUsageSource } from './usage/usage-source.ts'
import { createUsagePlans } from './usage-plans/usage-plans.ts'

export interface ControlPlaneOptions {
  readonly config: Pick<
    Config,
    'dataDir' | 'region' | 'accountId' | 'masterKey' | 'urlDomain' | 'runtimePaths' | 'concurrency'
  > &
    Partial<
      Pick<
        Config,
        | 's3'
        | 'builds'
        | 'isolation'
        | 'runDir'
        | 'cacheDir'
        | 'webhookNetworks'
        | 'requestRate'
        | 'authFailures'
        | 'host'
        | 'port'
        | 'prices'
        | 'logExport'
      >
    >
  readonly migrationsDir: string
  readonly server: ServerOptions
  /** The user's own folder for sockets (XDG_RUNTIME_DIR), if there is one. */
  readonly runtimeDir?: string | undefined
  /** Where interpreters are looked for beside the usual folders, as in PATH. */
  readonly searchPath?: string
  /** Default: what this machine has. Looking takes a second, which whoever opens many control planes may want to save. */
  readonly runtimes?: RuntimeRegistry | undefined
  readonly now?: () => Date
  /** How a deploy's last step is put off until its answer is out. */
  readonly defer?: (step: () => void) => void
  /** Whether to measure the process itself as well. */
  readonly processMetrics?: boolean
}

/** How often Idempotency-Keys that are older than a day are removed, and how many at most. */
const PRUNE_MS = 60_000
const PRUNED_KEYS = 1_000
const COLLECT_INTERVAL_MS = 10 * 60_000
/** What a crash may lose of when keys were last used. */
const KEY_USE_INTERVAL_MS = 10_000
/** Twice the longest invocation: 15 minutes. */
const COLLECT_GRACE_MS = 30 * 60_000

/**
 * Opens the data folder, makes what a first start makes, cleans up after a crash, and builds the app on it. Closing
 * the app closes all of it.
 *
 * @throws SchemaError, SecretBoxError, AddonMismatchError
 */
export async function openControlPlane(options: ControlPlaneOptions) {
  const layout = makeDataDir(options.config.dataDir)
  const unlock = lockDataDir(layout.lock)
  try {
    return await assemble(options, layout, unlock)
  } catch (thrown) {
    unlock()
    throw thrown
  }
}

/** What a function's role is asked about comes from no client. */
const NO_REQUEST = { requestId: '', sourceIp: undefined, userAgent: undefined, secure: false }

async function assemble(options: ControlPlaneOptions, layout: DataLayout, unlock: () => void) {
  const { config, now = () => new Date(), defer = setImmediate } = options
  const scope = { region: config.region, accountId: config.accountId }
  const keyring = ensureKeyring(config.dataDir, config.masterKey)
  const masterKey = keyring[0].key
  const box = createSecretBox(keyring.map(({ key }) => key))
  const db = openStore(layout.database, options.migrationsDir, { now })
  const telemetry = openTelemetry({
    file: layout.telemetry,
    migrationsDir: path.join(options.migrationsDir, 'telemetry'),
    now
  })
  const storage = createUsageRepository(db)
  const metrics = createMetrics({
    version: ownVersion(),
    process: options.processMetrics ?? false,
    usage: () => storage.read(),
    databases: { hearth: layout.database, queue: layout.queue, telemetry: layout.telemetry }
  })
  for (const one of [db, telemetry.db]) {
    measureQueries(one, (op, seconds) => {
      metrics.querySeconds.observe({ op }, seconds)
    })
  }
  // Both processes have it from here, so that it stays when the master key becomes another.
  const token = createServerSecrets(db, box).ensure('internal-token', internalToken(masterKey))
  const gateway = { host: config.host ?? '127.0.0.1', port: config.port ?? 0, internalToken: token }
  const invoker = createServiceInvoker(gateway)
  const keys = createKeysRepository(db, box, now)
  const users = createUsersRepository(db)
  const owned = createOwnedPoliciesRepository(db)
  const isFirstStart = ensureAdministrator({ keys, users, owned }, layout, { ...scope, now })
  // Late: the app that logs is built on it.
  const late: { log?: FastifyBaseLogger } = {}
  const audit = openAuditLog({
    dir: layout.audit,
    name: 'control-plane',
    ...AUDIT_FILES,
    onError: (err) => {
      late.log?.error({ err }, 'the audit log cannot be written')
    }
  })
  const principals = preparePrincipalLookup(db)
  const authorizer = createAuthorizer({
    source: principals,
    scope,
    now: () => now().getTime(),
    onDecision(principal, wish, facts, decision) {
      audit.write(toAuditEntry(principal, wish, facts, decision, now()))
    }
  })
  const sessions = createSessionTokens(box, config.accountId)
  const authenticator = createAuthenticator({
    keys: keys.list(),
    ...scope,
    now,
    sessions,
    isRevoked: (principal) => authorizer.isRevoked(principal)
  })
  const keysChanged = watchKeys(db)
  const functions = createFunctionsRepository(db, box)
  const aliasesRepository = createAliasesRepository(db)
  const releasesRepository = createReleasesRepository(db)
  const concurrencyRepository = createConcurrencyRepository(db)
  const artifacts = createArtifactStore(layout)
  const leftovers = await artifacts.sweep()
  const packages = createPackageStore(artifacts)
  const builder = openBuilder(options, layout, packages, (level, message, fields = {}) => {
    late.log?.[level](fields, message)
  })
  const layerVersions = createLayersRepository(db)
  const apisRepository = createApisRepository(db)
  const layers = createLayerService(layerVersions, scope, now)
  const trees = createLayerTrees(artifacts)
  const s3 = createS3Source(config.s3)
  const runtimes = createRuntimes(
    options.runtimes ??
      (await openRuntimeRegistry({
        node: { execPath: process.execPath, version: process.versions.node },
        configured: config.runtimePaths,
        cacheDir: config.cacheDir ?? path.join(config.dataDir, 'cache'),
        path: options.searchPath ?? ''
      }))
  )
  const architecture: FunctionRecord['architecture'] = process.arch === 'arm64' ? 'arm64' : 'x86_64'
  const functionOptions = createFunctionOptionsRepository(db)
  const configs = createCodeSigningRepository(db)
  const codeSigning = createCodeSigning({ configs, options: functionOptions, scope, now })
  const roleOf = (name: string, qualifier: string = LATEST): string | undefined => {
    const isVersion = qualifier === LATEST || /^\d+$/.test(qualifier)
    const version = isVersion ? qualifier : aliasesRepository.find(name, qualifier)?.version
    return version === undefined ? undefined : functions.find(name, version)?.role
  }
  const functionPolicies = createFunctionPoliciesRepository(db)
  const checkDestination = createDestinationCheck({
    scope,
    exists: (name, qualifier) => roleOf(name, qualifier) !== undefined,
    mayInvoke({ functionName, role }, { name, qualifier }) {
      const own = functionPolicies.find(name, qualifier ?? '')
      const wish = {
        action: 'lambda:InvokeFunction',
        resource: functionArn(scope, name, qualifier),
        resourcePolicy: own && compilePolicy({ Version: '2012-10-17', Statement: own.statements }, 'resource', name)
      }
      return authorizer.mayFunction(role, functionArn(scope, functionName), wish, NO_REQUEST)
    },
    webhookNetworks: config.webhookNetworks ?? []
  })
  const roles = createAssumableRoles(principals, scope)
  const service = createFunctionService({
    functions,
    aliases: aliasesRepository,
    scope,
    runtimes,
    codeSigning,
    roles,
    checkDestination,
    secretReferences: createSecretReferences({
      find: prepareSecretLookup(db, box),
      authorizer,
      scope
    }),
    architecture,
    now,
    defer
  })
  const settled = service.settleAll()
  const versions = createVersionService({ functions, aliases: aliasesRepository, scope, now })
  const releases = createReleaseService({
    functions,
    aliases: aliasesRepository,
    releases: releasesRepository,
    versions,
    concurrency: concurrencyRepository,
    scope,
    now,
    onEvent: ({ id, functionName, alias, plan }, { event, weight, reason }) => {
      metrics.releaseEvents.inc({ event })
      app.log.info({ release: id, fn: functionName, alias, to: plan.toVersion, event, weight, reason }, 'release')
    }
  })
  const keyUses = startKeyUses(keys, {
    intervalMs: KEY_USE_INTERVAL_MS,
    exclusively: (work) => functions.exclusively(work),
    onError: (err) => {
      app.log.error({ err }, 'the last use of keys could not be written')
    }
  })
  const access = createAccess({
    users,
    roles: createRolesRepository(db),
    policies: createPoliciesRepository(db),
    owned,
    keys,
    lookup: principals,
    functions,
    functionPolicies,
    scope,
    now,
    onKeys: () => {
      authenticator.setKeys(keys.list())
    },
    unwrittenUse: (accessKeyId) => keyUses.find(accessKeyId)
  })
  const secrets = createSecretService({
    secrets: createSecretsRepository(db, box),
    scope,
    now,
    exclusively: (work) => functions.exclusively(work)
  })
  const masterKeys = startMasterKeys({
    dataDir: config.dataDir,
    source: config.masterKey === undefined ? 'file' : 'configuration',
    keyring,
    box,
    resealer: createResealer(db, box),
    now,
    log(level, message, fields) {
      late.log?.[level](fields, message)
    }
  })
  const concurrency = createConcurrencyService({
    functions,
    aliases: aliasesRepository,
    concurrency: concurrencyRepository,
    limit: config.concurrency,
    scope,
    now
  })
  const functionUrls = createFunctionUrlsRepository(db)
  const ownerOf = prepareHostOwner(db)
  const apis = createApis({
    repository: apisRepository,
    scope,
    urlDomain: config.urlDomain,
    now,
    exclusively: (work) => functions.exclusively(work),
    functionExists: (name, qualifier) => roleOf(name, qualifier) !== undefined,
    requireRole: (roleArn) => {
      roles.requireFor(roleArn, 'apigateway.amazonaws.com')
    },
    isHostTaken: (host) => ownerOf(host) !== undefined
  })
  const usage = {
    source: createUsageSource({ ...gateway, host: toReach(gateway.host) }),
    prices: config.prices ?? AWS_PRICES,
    tagsOf: prepareFunctionTags(db)
  }
  const networks = config.webhookNetworks ?? []
  const budgetsRepository = createBudgetsRepository(db, box)
  const budgets = startBudgets({
    ...usage,
    repository: budgetsRepository,
    invoker,
    sender: createAlertSender({
      repository: budgetsRepository,
      invoker,
      postWebhook: createWebhookSender({ networks, now: () => now().getTime() }),
      accountId: scope.accountId,
      now: () => now().getTime(),
      onError: (err, alert) => {
        late.log?.warn({ err, budget: alert?.budget, alert: alert?.id }, 'an alert of a budget could not be sent')
      }
    }),
    checkWebhook: (url) => {
      createWebhookKind(networks).check(url, { functionName: '', role: undefined, purpose: 'OnFailure' })
    },
    scope,
    now,
    onError: (err) => {
      late.log?.warn({ err }, 'budgets could not be looked at')
    }
  })
  const readiness = createReadiness({ required: ['database'] })
  const logGroupsRepository = createLogGroupsRepository(db)
  const logReader = createLogReader(path.resolve(layout.logs), {
    cuts: (group) => logGroupsRepository.listRemovals(group)
  })
  const logGroups = createLogGroups({
    repository: logGroupsRepository,
    reader: logReader,
    invoker,
    scope,
    now: () => now().getTime(),
    exclusively: (work) => functions.exclusively(work)
  })

  const alarms = createAlarms({
    repository: createAlarmsRepository(db, box),
    metrics: telemetry.metrics,
    invoker,
    scope,
    now,
    exclusively: (work) => functions.exclusively(work),
    webhookNetworks: config.webhookNetworks ?? [],
    onResult({ alarm, target, kind, id }, result, error) {
      const level = result === 'delivered' ? 'info' : 'warn'
      late.log?.[level](
        { alarm, kind, target: target.startsWith('arn:') ? target : 'webhook', id, result, error },
        'alarm'
      )
    },
    onError(err, message, alarm) {
      late.log?.error({ err, alarm }, message)
    }
  })

  // Answers may show what is sealed elsewhere: a function's environment.
  const requestKeys = createIdempotencyKeys(db, {
    seal: (body, record) => box.seal(Buffer.from(body).toString('latin1'), record),
    open: (sealed, record) => Buffer.from(box.open(Buffer.from(sealed), record), 'latin1')
  })
  const app = await buildApp(
    {
      service,
      versions,
      releases,
      internalToken: token,
      requestRate: config.requestRate ?? 0,
      authFailures: config.authFailures ?? 0,
      aliases: createAliasService({
        functions,
        aliases: aliasesRepository,
        releases: releasesRepository,
        concurrency: concurrencyRepository,
        scope
      }),
      concurrency,
      permissions: createPermissionService({
        policies: functionPolicies,
        functions,
        aliases: aliasesRepository,
        scope
      }),
      access,
      keyUses,
      eventInvoke: createEventInvokeService({
        configs: createEventInvokeRepository(db, box),
        functions,
        roleOf,
        checkDestination,
        scope,
        now
      }),
      tags: createFunctionTags(functions, scope),
      options: createFunctionOptions(service, functionOptions, codeSigning),
      codeSigning,
      eventRules: createEventRules({
        repository: createEventRulesRepository(db),
        archives: createArchivesRepository(db),
        scope,
        now,
        exclusively: (work) => functions.exclusively(work),
        checkDestination
      }),
      schedules: createSchedules({
        repository: createSchedulesRepository(db),
        scope,
        now,
        exclusively: (work) => functions.exclusively(work),
        checkDestination,
        requireRole: (roleArn) => {
          roles.requireFor(roleArn, 'scheduler.amazonaws.com')
        }
      }),
      apis,
      logGroups,
      usagePlans: createUsagePlans({
        repository: createUsagePlansRepository(db),
        apis: apisRepository,
        now,
        exclusively: (work) => functions.exclusively(work)
      }),
      usage: { ...usage, now },
      budgets,
      diagnostics: {
        schema: () => schemasIn(layout),
        counts: () => ({ ...storage.read(), budgets: budgetsRepository.count() })
      },
      loadBalancers: { repository: createLoadBalancersRepository(db), ownerOf },
      webhooks: { repository: createWebhooksRepository(db, box), findSecret: prepareSecretLookup(db, box) },
      account: createAccount(storage, config.dataDir, config.concurrency, () => concurrency.unreserved()),
      artifacts,
      packages,
      builder,
      layers,
      attachments: createLayerAttachments(layers, trees, artifacts, scope),
      s3,
      urls: createUrlService({
        urls: functionUrls,
        functions,
        ownerOf,
        hasAlias: (name, alias) => aliasesRepository.find(name, alias) !== undefined,
        scope,
        now
      }),
      urlDomain: config.urlDomain,
      links: createCodeLinks(masterKey, now),
      authenticator,
      authorizer,
      sessions,
      auditDir: layout.audit,
      telemetry,
      alarms,
      invoker,
      secrets,
      masterKeys,
      parameters: createParameterService({
        parameters: createParametersRepository(db, box),
        scope,
        now,
        exclusively: (work) => functions.exclusively(work)
      }),
      refreshAccess: () => {
        if (!keysChanged()) return
        authenticator.setKeys(keys.list())
        authorizer.forget()
      },
      metrics,
      scope,
      runtimes,
      architecture,
      health() {
        readiness.set('database', isWritable(db) ? { ok: true } : { ok: false, detail: 'it does not take writes' })
        return readiness
      },
      keys: requestKeys,
      now
    },
    options.server
  )
  late.log = app.log
  app.log.info({ dataDir: path.resolve(config.dataDir), isFirstStart, leftovers, settled }, 'data folder opened')

  const stopLogPipeline = startLogPipeline({
    scope,
    reader: logReader,
    telemetry,
    definitions: logGroupsRepository,
    invoker,
    groupOf: (name) => functions.find(name, LATEST)?.logging.logGroup,
    exports: config.logExport ?? { loki: undefined, otlp: undefined },
    registry: metrics.registry,
    log: (level, message, fields) => {
      app.log[level](fields, message)
    },
    now: () => now().getTime()
  })
  const stopCollector = startArtifactCollector(artifacts, [functions, layerVersions, apisRepository], {
    intervalMs: COLLECT_INTERVAL_MS,
    graceMs: COLLECT_GRACE_MS,
    onRemoved: (removed) => {
      app.log.info({ artifacts: removed.length }, 'unused code removed')
    },
    onError: (err) => {
      app.log.error({ err }, 'unused code could not be removed')
    }
  })
  const pruning = setInterval(() => {
    try {
      requestKeys.prune(now().getTime(), PRUNED_KEYS)
      secrets.purge()
    } catch (err) {
      app.log.error({ err }, 'old Idempotency-Keys and secrets could not be removed')
    }
  }, PRUNE_MS)
  pruning.unref()
  alarms.start()
  const stopTidying = tidyOften(telemetry, (err) => {
    app.log.error({ err }, 'old metrics could not be rolled up')
  })
  app.addHook('onClose', async () => {
    await stopLogPipeline()
    stopCollector()
    stopTidying()
    await alarms.close()
    clearInterval(pruning)
    masterKeys.stop()
    await budgets.close()
    await builder?.close()
    await packages.close()
    await trees.close()
    s3.close()
    await audit.close()
    keyUses.stop()
    invoker.close()
    // Steps that were put off by setImmediate come before this one.
    await new Promise<void>((resolve) => setImmediate(resolve))
    telemetry.close()
    db.close()
    unlock()
  })
  return app
}

/** Of every database but the queue, which the gateway has locked. */
function schemasIn({ dir, queue }: DataLayout): Record<string, SchemaState | string> {
  const files = readdirSync(dir).filter((name) => name.endsWith('.db') && name !== path.basename(queue))
  return Object.fromEntries(files.map((name) => [name, inspectSchema(path.join(dir, name))]))
}

/** @returns undefined when the operator has not allowed builds */
function openBuilder(
  { config, searchPath = '', runtimeDir }: ControlPlaneOptions,
  layout: DataLayout,
  packages: PackageStore,
  log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
): Builder | undefined {
  const { builds, isolation = 'strict', dataDir, runDir } = config
  if (builds === undefined) return undefined
  const paths = { dataDir, tmpDir: layout.tmp, cacheDir: layout.builds }
  const host = buildHostIdentity(dataDir, runDir, runtimeDir)
  const unpack = (zip: Buffer, folder: string) => packages.unpack(zip, folder)
  return createBuilder({ settings: builds, isolation, searchPath, log, unpack, ...paths, ...host })
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
