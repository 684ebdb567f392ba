import { createParametersRepository, createResealer, createSecretsRepository } from '@hearth/store'
import type { Deps } from '../deps.ts'
import { startMasterKeys } from '../master-key/master-keys.ts'
import { createParameterService } from '../secrets/parameter-service.ts'
import { createSecretService } from '../secrets/secret-service.ts'
import type { PartDeps } from './part.ts'

/** What is sealed, and the keys it is sealed under. */
export interface Secrets {
  readonly deps: Pick<Deps, 'secrets' | 'parameters' | 'masterKeys'>
  stop(): void
}

export function startSecrets({ options: { config }, storage, scope, log, now }: PartDeps): Secrets {
  const { db, box, keyring } = storage
  const exclusively = <T>(work: () => T): T => storage.repositories.functions.exclusively(work)
  const masterKeys = startMasterKeys({
    dataDir: config.dataDir,
    source: config.masterKey === undefined ? 'file' : 'configuration',
    keyring,
    box,
    resealer: createResealer(db, box),
    now,
    log(level, message, fields) {
      log(level, fields, message)
    }
  })
  return {
    deps: {
      secrets: createSecretService({ secrets: createSecretsRepository(db, box), scope, now, exclusively }),
      parameters: createParameterService({ parameters: createParametersRepository(db, box), scope, now, exclusively }),
      masterKeys
    },
    stop() {
      masterKeys.stop()
    }
  }
}
