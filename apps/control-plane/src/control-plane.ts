import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createReadiness } from '@hearth/shared'
import { createIdempotencyKeys, type DataLayout, lockDataDir, makeDataDir } from '@hearth/store'
import { openCode } from './app/code.ts'
import { openFunctions } from './app/functions.ts'
import { startHousekeeping } from './app/housekeeping.ts'
import { openIdentities } from './app/identities.ts'
import { createLateLog } from './app/log.ts'
import { createObservability } from './app/observability.ts'
import type { PartDeps } from './app/part.ts'
import { startSecrets } from './app/secrets.ts'
import { openStorage, type Storage } from './app/storage.ts'
import { createTriggers } from './app/triggers.ts'
import { buildApp } from './app.ts'
import type { ControlPlaneOptions } from './control-plane-options.ts'
import { measureQueries } from './measure-queries.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createServiceInvoker } from './service-invoker.ts'

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

async function assemble(options: ControlPlaneOptions, layout: DataLayout, unlock: () => void) {
  const { config, now = () => new Date() } = options
  const scope = { region: config.region, accountId: config.accountId }
  const gateway = { host: config.host ?? '127.0.0.1', port: config.port ?? 0 }
  const { log, to: logTo } = createLateLog()
  const storage = openStorage(options, layout, now)
  const metrics = openMetrics(options, storage)
  const invoker = createServiceInvoker({ ...gateway, internalToken: storage.internalToken })
  const part: PartDeps = { options, scope, storage, metrics, invoker, log, now }

  const identities = openIdentities(part)
  const code = await openCode(part)
  const functions = await openFunctions(part, identities)
  const triggers = createTriggers(part, identities, functions)
  const secrets = startSecrets(part)
  const observability = createObservability(part, gateway)
  const keys = createRequestKeys(storage)
  const readiness = createReadiness({ required: ['database'] })

  const app = await buildApp(
    {
      ...identities.deps,
      ...code.deps,
      ...functions.deps,
      ...triggers,
      ...secrets.deps,
      ...observability.deps,
      scope,
      urlDomain: config.urlDomain,
      internalToken: storage.internalToken,
      requestRate: config.requestRate ?? 0,
      authFailures: config.authFailures ?? 0,
      invoker,
      keys,
      metrics,
      diagnostics: {
        schema: () => storage.schemas(),
        counts: () => ({ ...storage.usage.read(), ...observability.counts() }),
        log: options.log ?? (() => [])
      },
      health() {
        const isWritable = storage.isWritable()
        readiness.set('database', isWritable ? { ok: true } : { ok: false, detail: 'it does not take writes' })
        return readiness
      },
      now
    },
    options.server
  )
  logTo(app.log)
  const { isFirstStart } = identities
  const { leftovers } = code
  const { settled } = functions
  app.log.info({ dataDir: path.resolve(config.dataDir), isFirstStart, leftovers, settled }, 'data folder opened')

  observability.start()
  const stopHousekeeping = startHousekeeping(part, { ...code.deps, ...secrets.deps, keys })
  app.addHook('onClose', async () => {
    stopHousekeeping()
    await observability.close()
    secrets.stop()
    await code.close()
    await identities.close()
    invoker.close()
    // Steps that were put off by setImmediate come before this one.
    await new Promise<void>((resolve) => setImmediate(resolve))
    storage.close()
    unlock()
  })
  return app
}

function openMetrics(
  { processMetrics = false }: ControlPlaneOptions,
  { layout, db, telemetry, usage }: Storage
): Metrics {
  const metrics = createMetrics({
    version: ownVersion(),
    process: processMetrics,
    usage: () => usage.read(),
    databases: { hearth: layout.database, queue: layout.queue, telemetry: layout.telemetry }
  })
  for (const one of [db, telemetry.db]) {
    measureQueries(one, (op, seconds) => {
      metrics.querySeconds.observe({ op }, seconds)
    })
  }
  return metrics
}

/** Answers may show what is sealed elsewhere: a function's environment. */
function createRequestKeys({ db, box }: Storage) {
  return createIdempotencyKeys(db, {
    seal: (body, record) => box.seal(Buffer.from(body).toString('latin1'), record),
    open: (sealed, record) => Buffer.from(box.open(Buffer.from(sealed), record), 'latin1')
  })
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
