import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encryption at rest, bound to the record that the secret belongs to. */
export interface SecretBox {
  /** 16 hex digits that name the master key that seals, without telling it. */
  readonly keyId: string
  /** @param record - What the secret belongs to, e.g. `functions/hello/$LATEST/environment`; needed again to open. */
  seal(plaintext: string, record: string): Buffer
  /** @throws SecretBoxError when the master key, the record or a byte is another */
  open(sealed: Buffer, record: string): string
  /** Whether it was sealed under a master key that this box has. */
  isKnown(sealed: Buffer): boolean
  /** @param masterKeys - The one that seals first; the others only open. */
  setKeys(masterKeys: readonly Buffer[]): void
}

/** A sealed value that cannot be opened. */
export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError'
}

export const MASTER_KEY_BYTES = 32

// Layout: format (1) | key id (8) | salt (16) | iv (12) | tag (16) | ciphertext
const FORMAT = 1
const KEY_ID_END = 9
const SALT_END = 25
const IV_END = 37
const TAG_END = 53

/** Where the id of the master key stands in a sealed value. */
export const KEY_ID_BYTES = { start: 1, length: KEY_ID_END - 1 } as const

interface Key {
  readonly master: Buffer
  readonly id: Buffer
}

/**
 * AES-256-GCM under a key derived (HKDF-SHA256) for each record from the master key.
 *
 * @param masterKeys - 32 bytes each: the one that seals, then others that only open.
 */
export function createSecretBox(masterKeys: Buffer | readonly Buffer[]): SecretBox {
  let keys: readonly [Key, ...Key[]]
  const setKeys = (masters: readonly Buffer[]): void => {
    const [first, ...others] = masters.map((master) => ({ master, id: keyIdOf(master) }))
    if (first === undefined) throw new SecretBoxError('there is no master key')
    keys = [first, ...others]
  }
  const keyOf = (sealed: Buffer): Key | undefined => keys.find(({ id }) => sealed.subarray(1, KEY_ID_END).equals(id))
  setKeys(Buffer.isBuffer(masterKeys) ? [masterKeys] : masterKeys)

  const recordKey = (master: Buffer, salt: Buffer): Buffer =>
    Buffer.from(hkdfSync('sha256', master, salt, 'hearth/record', 32))
  // The header is authenticated too: the format and key id can't be swapped.
  const additional = (header: Buffer, record: string): Buffer => Buffer.concat([header, Buffer.from(record)])

  return {
    get keyId() {
      return keys[0].id.toString('hex')
    },
    setKeys,
    isKnown: (sealed) => keyOf(sealed) !== undefined,

    seal(plaintext, record) {
      const [{ master, id }] = keys
      const header = Buffer.concat([Buffer.of(FORMAT), id])
      const salt = randomBytes(SALT_END - KEY_ID_END)
      const iv = randomBytes(IV_END - SALT_END)
      const cipher = createCipheriv('aes-256-gcm', recordKey(master, salt), iv)
      cipher.setAAD(additional(header, record))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([header, salt, iv, cipher.getAuthTag(), ciphertext])
    },

    open(sealed, record) {
      if (sealed.length < TAG_END || sealed[0] !== FORMAT) throw new SecretBoxError(`${record}: not a sealed value`)
      const key = keyOf(sealed)
      if (key === undefined) {
        throw new SecretBoxError(
          `${record} was sealed under master key ${sealed.subarray(1, KEY_ID_END).toString('hex')}, but this server has ${keys.map(({ id }) => id.toString('hex')).join(', ')}: put the old master key back`
        )
      }
      const decipher = createDecipheriv(
        'aes-256-gcm',
        recordKey(key.master, sealed.subarray(KEY_ID_END, SALT_END)),
        sealed.subarray(SALT_END, IV_END),
        { authTagLength: TAG_END - IV_END }
      )
      decipher.setAAD(additional(sealed.subarray(0, KEY_ID_END), record))
      decipher.setAuthTag(sealed.subarray(IV_END, TAG_END))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(TAG_END)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SecretBoxError(`${record}: damaged, or moved from another record`, { cause })
      }
    }
  }
}

/** @throws SecretBoxError */
export function keyIdOf(masterKey: Buffer): Buffer {
  if (masterKey.length !== MASTER_KEY_BYTES)
    throw new SecretBoxError(`the master key must have ${MASTER_KEY_BYTES} bytes`)
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'hearth/key-id', KEY_ID_BYTES.length))
}
