import { readdirSync } from 'node:fs'
import path from 'node:path'
import {
  createAliasesRepository,
  createApisRepository,
  createConcurrencyRepository,
  createFunctionPoliciesRepository,
  createFunctionsRepository,
  createLayersRepository,
  createReleasesRepository,
  createSecretBox,
  createServerSecrets,
  createUsageRepository,
  type DataLayout,
  type Db,
  ensureKeyring,
  inspectSchema,
  internalToken,
  isWritable,
  openStore,
  openTelemetry,
  type SchemaState,
  type SecretBox,
  type Telemetry,
  type UsageRepository
} from '@hearth/store'
import type { ControlPlaneOptions } from '../control-plane-options.ts'

/** The databases, the keys they are sealed under, and what more than one part needs of them. */
export interface Storage {
  readonly layout: DataLayout
  readonly db: Db
  readonly telemetry: Telemetry
  readonly keyring: ReturnType<typeof ensureKeyring>
  readonly box: SecretBox
  /** What gateway and control plane prove themselves to each other with. */
  readonly internalToken: string
  readonly usage: UsageRepository
  readonly repositories: ReturnType<typeof createRepositories>
  isWritable(): boolean
  /** Of every database but the queue, which the gateway has locked. */
  schemas(): Record<string, SchemaState | string>
  close(): void
}

/** @throws SchemaError, SecretBoxError, AddonMismatchError */
export function openStorage(options: ControlPlaneOptions, layout: DataLayout, now: () => Date): Storage {
  const { config, migrationsDir } = options
  const keyring = ensureKeyring(config.dataDir, config.masterKey)
  const box = createSecretBox(keyring.map(({ key }) => key))
  const db = openStore(layout.database, migrationsDir, { now })
  const telemetry = openTelemetry({
    file: layout.telemetry,
    migrationsDir: path.join(migrationsDir, 'telemetry'),
    now
  })
  return {
    layout,
    db,
    telemetry,
    keyring,
    box,
    // Both processes have it from here, so that it stays when the master key becomes another.
    internalToken: createServerSecrets(db, box).ensure('internal-token', internalToken(keyring[0].key)),
    usage: createUsageRepository(db),
    repositories: createRepositories(db, box),
    isWritable: () => isWritable(db),
    schemas() {
      const files = readdirSync(layout.dir).filter(
        (name) => name.endsWith('.db') && name !== path.basename(layout.queue)
      )
      return Object.fromEntries(files.map((name) => [name, inspectSchema(path.join(layout.dir, name))]))
    },
    close() {
      telemetry.close()
      db.close()
    }
  }
}

function createRepositories(db: Db, box: SecretBox) {
  return {
    functions: createFunctionsRepository(db, box),
    functionPolicies: createFunctionPoliciesRepository(db),
    aliases: createAliasesRepository(db),
    releases: createReleasesRepository(db),
    concurrency: createConcurrencyRepository(db),
    layers: createLayersRepository(db),
    apis: createApisRepository(db)
  }
}
