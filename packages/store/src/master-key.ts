import { hkdfSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { writeFileDurably } from './durable-file.ts'
import { MASTER_KEY_BYTES, SecretBoxError } from './secret-box.ts'

/**
 * The key that everything secret in the database is sealed under.
 *
 * @param configured - Base64 text from the configuration; undefined: data/master.key.
 * @throws SecretBoxError when there is none, or it does not have 32 bytes
 */
export function readMasterKey(dataDir: string, configured: string | undefined): Buffer {
  if (configured !== undefined) return parse(configured, 'HEARTH_MASTER_KEY')
  const file = masterKeyFile(dataDir)
  if (!existsSync(file))
    throw new SecretBoxError(`there is no ${file} yet: the control plane makes it at its first start`)
  return parse(readFileSync(file, 'utf8'), file)
}

/** As {@link readMasterKey}, but makes data/master.key (0600) if it is missing and none is configured. */
export function ensureMasterKey(dataDir: string, configured: string | undefined): Buffer {
  const file = masterKeyFile(dataDir)
  if (configured === undefined && !existsSync(file)) {
    // Without its key an existing database is lost; a new key beside it would only hide that.
    if (existsSync(path.join(dataDir, 'hearth.db'))) {
      throw new SecretBoxError(
        `${file} is missing but ${dataDir} holds a database that was sealed under it: put the key back`
      )
    }
    writeFileDurably(file, `${randomBytes(MASTER_KEY_BYTES).toString('base64')}\n`, 0o600)
  }
  return readMasterKey(dataDir, configured)
}

/** What the processes of one server prove themselves to each other with: whoever has the master key has it. */
export function internalToken(masterKey: Buffer): string {
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/internal', 32)).toString('hex')
}

function masterKeyFile(dataDir: string): string {
  return path.join(dataDir, 'master.key')
}

function parse(text: string, source: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== MASTER_KEY_BYTES)
    throw new SecretBoxError(`${source}: base64 of ${MASTER_KEY_BYTES} bytes is expected`)
  return key
}
