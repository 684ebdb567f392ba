import { type ArnScope, HearthError } from '@hearth/shared'
import type { KeyRecord, KeysRepository, KeyUse } from '@hearth/store'
import { makeKey } from './new-key.ts'
import type { Users } from './users.ts'

/** A key in the one moment in which its secrets are shown. */
export interface NewKey {
  readonly record: KeyRecord
  readonly secretAccessKey: string
  /** For `Authorization: Bearer`. */
  readonly token: string
}

export interface KeyWish {
  readonly userName: string
  readonly label?: string | undefined
  /** ISO 8601. */
  readonly expiresAt?: string | undefined
  /** How many keys the user may have with this one. */
  readonly limit?: number
}

/** Keys of users. What is changed here holds from the next request on. */
export interface Keys {
  /** @throws HearthError KEY_NOT_FOUND */
  get(accessKeyId: string): KeyRecord
  /** In the order in which they were made. @throws HearthError USER_NOT_FOUND */
  list(userName?: string): readonly KeyRecord[]
  /** @throws HearthError USER_NOT_FOUND, LIMIT_EXCEEDED, INVALID_REQUEST */
  create(wish: KeyWish): NewKey
  /**
   * Makes another key for the same user, with the same label.
   *
   * @param overlapS - How long the old one stays good, in seconds; 0: it is gone at once.
   * @param expiresAt - Of the new one.
   * @throws HearthError KEY_NOT_FOUND, LIMIT_EXCEEDED, INVALID_REQUEST
   */
  rotate(accessKeyId: string, overlapS: number, expiresAt?: string): NewKey
  /** @throws HearthError KEY_NOT_FOUND */
  setStatus(accessKeyId: string, status: KeyRecord['status']): void
  /** @throws HearthError KEY_NOT_FOUND */
  remove(accessKeyId: string): void
}

export interface KeysDeps {
  readonly keys: KeysRepository
  readonly users: Pick<Users, 'get'>
  readonly scope: ArnScope
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  /** Keys are others than before. */
  readonly onKeys: () => void
  /** When a key was last used, if that is not written yet. */
  readonly unwrittenUse: (accessKeyId: string) => KeyUse | undefined
}

/** AWS's quota. */
export const KEYS_PER_USER = 2
const MAX_KEYS_PER_USER = 100

export function createKeys({ keys, users, scope, now, exclusively, onKeys, unwrittenUse }: KeysDeps): Keys {
  const withUse = (record: KeyRecord): KeyRecord => ({
    ...record,
    lastUsed: unwrittenUse(record.accessKeyId) ?? record.lastUsed
  })

  const get = (accessKeyId: string): KeyRecord => {
    const record = keys.find(accessKeyId)
    if (record === undefined) {
      throw new HearthError('KEY_NOT_FOUND', `The Access Key with id ${accessKeyId} cannot be found.`)
    }
    return withUse(record)
  }

  const make = ({ userName, label, expiresAt, limit = MAX_KEYS_PER_USER }: KeyWish): NewKey => {
    const user = users.get(userName)
    if (keys.listRecords(userName).length >= limit) {
      throw new HearthError('LIMIT_EXCEEDED', `Cannot exceed quota for AccessKeysPerUser: ${limit}`)
    }
    const { key, token } = makeKey(scope.accountId, user, inFuture(expiresAt, now()))
    keys.create(key, label)
    return { record: get(key.accessKeyId), secretAccessKey: key.secretAccessKey, token }
  }

  const changed = <T>(work: () => T): T => {
    const result = exclusively(work)
    onKeys()
    return result
  }

  return {
    get,

    list(userName) {
      if (userName !== undefined) users.get(userName)
      return keys.listRecords(userName).map(withUse)
    },

    create: (wish) => changed(() => make(wish)),

    rotate: (accessKeyId, overlapS, expiresAt) =>
      changed(() => {
        const old = get(accessKeyId)
        if (overlapS === 0) keys.remove(accessKeyId)
        const made = make({ userName: old.userName, label: old.label, expiresAt })
        if (overlapS > 0) {
          const end = new Date(now().getTime() + overlapS * 1_000).toISOString()
          if (old.expiresAt === undefined || end < old.expiresAt) keys.setExpiry(accessKeyId, end)
        }
        return made
      }),

    setStatus(accessKeyId, status) {
      changed(() => {
        get(accessKeyId)
        keys.setStatus(accessKeyId, status)
      })
    },

    remove(accessKeyId) {
      changed(() => {
        get(accessKeyId)
        keys.remove(accessKeyId)
      })
    }
  }
}

/** @returns in the one form in which times are compared. @throws HearthError INVALID_REQUEST */
function inFuture(expiresAt: string | undefined, now: Date): string | undefined {
  if (expiresAt === undefined) return undefined
  const time = new Date(expiresAt)
  if (time.getTime() > now.getTime()) return time.toISOString()
  throw new HearthError('INVALID_REQUEST', `A key cannot expire at ${expiresAt}: that is no time to come.`, {
    errors: [{ path: 'body.expiresAt', message: 'a time to come' }]
  })
}

/** What a key is good for now: `Expired` once its time is over. */
export function statusOf({ status, expiresAt }: KeyRecord, now: Date): KeyRecord['status'] | 'Expired' {
  return expiresAt !== undefined && expiresAt <= now.toISOString() ? 'Expired' : status
}
