import { setTimeout as delay } from 'node:timers/promises'
import { type Config, createSessionTokens, type SessionTokens } from '@hearth/shared'
import {
  createSecretBox,
  type DirectoryReader,
  dataLayout,
  internalToken,
  openDirectory,
  readMasterKey,
  SchemaError,
  SecretBoxError
} from '@hearth/store'

const RETRY_MS = 100
/** Said again this often while the database is missing. */
const REMIND_MS = 10_000

/**
 * Opens the function directory, waiting for the control plane to make the database if it has not yet.
 *
 * @returns undefined when `signal` was aborted first
 * @throws AddonMismatchError
 */
export async function openDirectoryWhenReady(
  config: Pick<Config, 'dataDir' | 'masterKey' | 'accountId'>,
  signal: AbortSignal,
  onWaiting: (reason: string) => void
): Promise<
  { readonly reader: DirectoryReader; readonly internalToken: string; readonly sessions: SessionTokens } | undefined
> {
  let remindAt = 0
  while (!signal.aborted) {
    try {
      const masterKey = readMasterKey(config.dataDir, config.masterKey)
      const box = createSecretBox(masterKey)
      const reader = openDirectory(dataLayout(config.dataDir).database, box)
      return {
        reader,
        internalToken: reader.findServerSecret('internal-token') ?? internalToken(masterKey),
        sessions: createSessionTokens(box, config.accountId)
      }
    } catch (err) {
      if (!(err instanceof SchemaError) && !(err instanceof SecretBoxError) && !isBusy(err)) throw err
      if (performance.now() >= remindAt) {
        remindAt = performance.now() + REMIND_MS
        onWaiting((err as Error).message)
      }
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

/** The control plane is in the middle of making or migrating it. */
function isBusy(err: unknown): boolean {
  return (
    err instanceof Error && 'code' in err && typeof err.code === 'string' && /^SQLITE_(BUSY|CANTOPEN)/.test(err.code)
  )
}
