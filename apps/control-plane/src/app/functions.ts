import path from 'node:path'
import { openRuntimeRegistry, type RuntimeRegistry } from '@hearth/executor/runtimes'
import { compilePolicy, type FunctionRecord, functionArn } from '@hearth/shared'
import {
  createCodeSigningRepository,
  createEventInvokeRepository,
  createFunctionOptionsRepository,
  createFunctionUrlsRepository,
  LATEST,
  prepareHostOwner,
  prepareSecretLookup
} from '@hearth/store'
import type { ControlPlaneOptions } from '../control-plane-options.ts'
import type { Deps } from '../deps.ts'
import { type CheckDestination, createDestinationCheck } from '../destinations/check-destination.ts'
import { createAccount } from '../functions/account.ts'
import { createAliasService } from '../functions/alias-service.ts'
import { createCodeSigning } from '../functions/code-signing.ts'
import { createConcurrencyService } from '../functions/concurrency-service.ts'
import { createEventInvokeService } from '../functions/event-invoke-service.ts'
import { createFunctionOptions } from '../functions/function-options.ts'
import { createFunctionService } from '../functions/function-service.ts'
import { createFunctionTags } from '../functions/function-tags.ts'
import { createPermissionService } from '../functions/permission-service.ts'
import { createRuntimes } from '../functions/runtimes.ts'
import { createVersionService } from '../functions/version-service.ts'
import { createReleaseService } from '../releases/release-service.ts'
import { createSecretReferences } from '../secrets/secret-references.ts'
import { createUrlService } from '../urls/url-service.ts'
import type { Identities } from './identities.ts'
import type { PartDeps } from './part.ts'

/** Functions with all that is set on one: versions, aliases, releases, URLs, policies, options. */
export interface Functions {
  readonly deps: Pick<
    Deps,
    | 'service'
    | 'versions'
    | 'aliases'
    | 'releases'
    | 'concurrency'
    | 'permissions'
    | 'eventInvoke'
    | 'tags'
    | 'options'
    | 'codeSigning'
    | 'urls'
    | 'account'
    | 'runtimes'
    | 'architecture'
  >
  /** Role of a function's version or alias, $LATEST's without; undefined: there is no such function. */
  readonly roleOf: (name: string, qualifier?: string) => string | undefined
  readonly checkDestination: CheckDestination
  /** Deploys that a crash had interrupted, and that were brought to their end. */
  readonly settled: ReturnType<Deps['service']['settleAll']>
}

/** What a function's role is asked about comes from no client. */
const NO_REQUEST = { requestId: '', sourceIp: undefined, userAgent: undefined, secure: false }

export async function openFunctions(part: PartDeps, { deps: { authorizer }, roles }: Identities): Promise<Functions> {
  const { options, storage, scope, metrics, log, now } = part
  const { config, defer = setImmediate } = options
  const { db, box } = storage
  const { functions, functionPolicies, aliases, releases, concurrency: concurrencyRepository } = storage.repositories
  const functionOptions = createFunctionOptionsRepository(db)
  const codeSigning = createCodeSigning({
    configs: createCodeSigningRepository(db),
    options: functionOptions,
    scope,
    now
  })
  const roleOf = (name: string, qualifier: string = LATEST): string | undefined => {
    const isVersion = qualifier === LATEST || /^\d+$/.test(qualifier)
    const version = isVersion ? qualifier : aliases.find(name, qualifier)?.version
    return version === undefined ? undefined : functions.find(name, version)?.role
  }
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
  const runtimes = createRuntimes(options.runtimes ?? (await lookForRuntimes(options)))
  const architecture: FunctionRecord['architecture'] = process.arch === 'arm64' ? 'arm64' : 'x86_64'
  const service = createFunctionService({
    functions,
    aliases,
    scope,
    runtimes,
    codeSigning,
    roles,
    checkDestination,
    secretReferences: createSecretReferences({ find: prepareSecretLookup(db, box), authorizer, scope }),
    architecture,
    now,
    defer
  })
  const settled = service.settleAll()
  const versions = createVersionService({ functions, aliases, scope, now })
  const concurrency = createConcurrencyService({
    functions,
    aliases,
    concurrency: concurrencyRepository,
    limit: config.concurrency,
    scope,
    now
  })
  return {
    deps: {
      service,
      versions,
      aliases: createAliasService({ functions, aliases, releases, concurrency: concurrencyRepository, scope }),
      releases: createReleaseService({
        functions,
        aliases,
        releases,
        versions,
        concurrency: concurrencyRepository,
        scope,
        now,
        onEvent({ id, functionName, alias, plan }, { event, weight, reason }) {
          metrics.releaseEvents.inc({ event })
          log('info', { release: id, fn: functionName, alias, to: plan.toVersion, event, weight, reason }, 'release')
        }
      }),
      concurrency,
      permissions: createPermissionService({ policies: functionPolicies, functions, aliases, scope }),
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
      urls: createUrlService({
        urls: createFunctionUrlsRepository(db),
        functions,
        ownerOf: prepareHostOwner(db),
        hasAlias: (name, alias) => aliases.find(name, alias) !== undefined,
        scope,
        now
      }),
      account: createAccount(storage.usage, config.dataDir, config.concurrency, () => concurrency.unreserved()),
      runtimes,
      architecture
    },
    roleOf,
    checkDestination,
    settled
  }
}

function lookForRuntimes({ config, searchPath = '' }: ControlPlaneOptions): Promise<RuntimeRegistry> {
  return openRuntimeRegistry({
    node: { execPath: process.execPath, version: process.versions.node },
    configured: config.runtimePaths,
    cacheDir: config.cacheDir ?? path.join(config.dataDir, 'cache'),
    path: searchPath
  })
}
