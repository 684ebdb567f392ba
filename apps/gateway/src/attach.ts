import { setTimeout as delay } from 'node:timers/promises'
import { type Config, createSessionTokens, type SessionTokens } from '@hearth/shared'
import {
  createSecretBox,
  type DirectoryReader,
  dataLayout,
  internalToken,
  openDirectory,
  readKeyring,
  SchemaError,
  type SecretBox,
  SecretBoxError
} from '@hearth/store'

const RETRY_MS = 25
/** While the database is missing it is said after the first of these, and again after each of the second. */
const TELL_MS = 2_000
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
  let remindAt = performance.now() + TELL_MS
  while (!signal.aborted) {
    try {
      const readKeys = () =>
        readKeyring(config.dataDir, config.masterKey).map(({ key }) => key) as [Buffer, ...Buffer[]]
      const masterKeys = readKeys()
      const box = createSecretBox(masterKeys)
      const reader = openDirectory(dataLayout(config.dataDir).database, following(box, readKeys))
      return {
        reader,
        internalToken: tokenOf(reader) ?? internalToken(masterKeys[0]),
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

/** What this process proves itself with. @throws SecretBoxError when it was sealed under another key */
function tokenOf(reader: DirectoryReader): string | undefined {
  try {
    return reader.findServerSecret('internal-token')
  } catch (err) {
    reader.close()
    throw err
  }
}

/**
 * A box that looks for a new master key when the database has something that was sealed under one. Not for what callers
 * bring: they could name any.
 */
function following(box: SecretBox, readKeys: () => readonly Buffer[]): SecretBox {
  return {
    ...box,
    open(sealed, record) {
      if (!box.isKnown(sealed)) box.setKeys(readKeys())
      return box.open(sealed, record)
    }
  }
}

/** The control plane is in the middle of making or migrating it. */
function isBusy(err: unknown): boolean {
  return (
    err instanceof Error && 'code' in err && typeof err.code === 'string' && /^SQLITE_(BUSY|CANTOPEN)/.test(err.code)
  )
}
