import { createHash, randomBytes, randomInt } from 'node:crypto'
import type { AccessKey } from '@hearth/shared'
import { type DataLayout, type KeysRepository, writeFileDurably } from '@hearth/store'

export interface FirstStartOptions {
  readonly accountId: string
  readonly region: string
}

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Makes the administrator's key if the server has no key at all: data/token for curl and data/credentials for AWS
 * clients. The files come before the row, so that a crash in between leaves no key that nobody knows.
 *
 * @returns whether a key was made
 */
export function ensureAdministrator(keys: KeysRepository, layout: DataLayout, options: FirstStartOptions): boolean {
  if (keys.list().length > 0) return false
  const { key, token } = makeKey(options.accountId)
  writeFileDurably(layout.token, `${token}\n`, 0o600)
  writeFileDurably(
    layout.credentials,
    `[default]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}\nregion = ${options.region}\n`,
    0o600
  )
  keys.create(key)
  return true
}

/** A new key: 256 random bits in the token, 240 in the secret. */
export function makeKey(accountId: string): { readonly key: AccessKey; readonly token: string } {
  const token = `hearth_${randomBytes(32).toString('base64url')}`
  const accessKeyId = `AKIA${Array.from({ length: 16 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('')}`
  return {
    token,
    key: {
      accessKeyId,
      secretAccessKey: randomBytes(30).toString('base64'),
      tokenHash: createHash('sha256').update(token).digest('hex'),
      principal: {
        arn: `arn:aws:iam::${accountId}:user/admin`,
        userId: 'AIDAHEARTHADMIN',
        accountId,
        keyId: accessKeyId
      },
      status: 'Active'
    }
  }
}
