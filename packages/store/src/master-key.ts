import { hkdfSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { writeFileDurably } from './durable-file.ts'
import { MASTER_KEY_BYTES, SecretBoxError } from './secret-box.ts'

/** One of the keys that something in the database may be sealed under. */
export interface MasterKey {
  readonly key: Buffer
  /** Since when it only opens; ISO 8601, UTC. Undefined: nobody has said. */
  readonly retiredAt: string | undefined
}

/** The key that seals, then those that only open. */
export type Keyring = readonly [MasterKey, ...MasterKey[]]

/**
 * The key that everything secret in the database is sealed under.
 *
 * @param configured - Text from the configuration; undefined: data/master.key.
 * @throws SecretBoxError when there is none, or it does not have 32 bytes
 */
export function readMasterKey(dataDir: string, configured: string | undefined): Buffer {
  return readKeyring(dataDir, configured)[0].key
}

/** As {@link readMasterKey}, with the keys before it. */
export function readKeyring(dataDir: string, configured: string | undefined): Keyring {
  if (configured !== undefined) return parse(configured, 'HEARTH_MASTER_KEY')
  const file = masterKeyFile(dataDir)
  if (!existsSync(file))
    throw new SecretBoxError(`there is no ${file} yet: the control plane makes it at its first start`)
  return parse(readFileSync(file, 'utf8'), file)
}

/** As {@link readKeyring}, but makes data/master.key (0600) if it is missing and none is configured. */
export function ensureKeyring(dataDir: string, configured: string | undefined): Keyring {
  const file = masterKeyFile(dataDir)
  if (configured === undefined && !existsSync(file)) {
    // Without its key an existing database is lost; a new key beside it would only hide that.
    if (existsSync(path.join(dataDir, 'hearth.db'))) {
      throw new SecretBoxError(
        `${file} is missing but ${dataDir} holds a database that was sealed under it: put the key back`
      )
    }
    writeKeyring(dataDir, [{ key: newMasterKey(), retiredAt: undefined }])
  }
  return readKeyring(dataDir, configured)
}

export function newMasterKey(): Buffer {
  return randomBytes(MASTER_KEY_BYTES)
}

/** Replaces data/master.key: after a power cut it is the old one or the new one. */
export function writeKeyring(dataDir: string, keys: Keyring): void {
  const lines = keys.map(({ key, retiredAt }) =>
    [key.toString('base64'), ...(retiredAt === undefined ? [] : [retiredAt])].join(' ')
  )
  writeFileDurably(masterKeyFile(dataDir), `${lines.join('\n')}\n`, 0o600)
}

/** What the processes of one server prove themselves to each other with: whoever has the master key has it. */
export function internalToken(masterKey: Buffer): string {
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/internal', 32)).toString('hex')
}

function masterKeyFile(dataDir: string): string {
  return path.join(dataDir, 'master.key')
}

/** One key in a line, or several with commas between them; after a key may stand when it was retired. */
function parse(text: string, source: string): Keyring {
  const [first, ...others] = text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line): MasterKey => {
      const [base64 = '', retiredAt, more] = line.split(/\s+/)
      const key = Buffer.from(base64, 'base64')
      const isTime = retiredAt === undefined || !Number.isNaN(Date.parse(retiredAt))
      if (key.length !== MASTER_KEY_BYTES || !isTime || more !== undefined) throw malformed(source)
      return { key, retiredAt }
    })
  if (first === undefined) throw malformed(source)
  return [first, ...others]
}

function malformed(source: string): SecretBoxError {
  return new SecretBoxError(`${source}: base64 of ${MASTER_KEY_BYTES} bytes is expected`)
}
