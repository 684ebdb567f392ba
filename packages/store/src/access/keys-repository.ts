import type { AccessKey } from '@hearth/shared'
import type { SecretBox } from '../secret-box.ts'
import type { Db } from '../sqlite-addon.ts'

interface KeyRow {
  access_key_id: string
  secret: Buffer
  token_hash: string
  user_name: string
  account_id: string
  status: AccessKey['status']
  label: string | null
  created_at: string
  expires_at: string | null
  last_used_at: string | null
  last_used_service: string | null
  last_used_region: string | null
}

/** A key without what only its holder may know. */
export interface KeyRecord {
  readonly accessKeyId: string
  readonly userName: string
  readonly status: AccessKey['status']
  /** What its owner calls it. */
  readonly label: string | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly expiresAt: string | undefined
  readonly lastUsed: KeyUse | undefined
}

export interface KeyUse {
  /** ISO 8601, UTC. */
  readonly at: string
  /** As the caller signed for it; `hearth` for Bearer keys. */
  readonly service: string
  readonly region: string
}

/** Keys that may call: the Bearer token as a hash, the SigV4 secret sealed. */
export interface KeysRepository {
  list(): readonly AccessKey[]
  find(accessKeyId: string): KeyRecord | undefined
  /** In the order in which they were made. @param userName - Default: of all users. */
  listRecords(userName?: string): readonly KeyRecord[]
  /** @param label - What its owner calls it. */
  create(key: AccessKey, label?: string): void
  /** @returns whether there was such a key */
  setStatus(accessKeyId: string, status: AccessKey['status']): boolean
  /** @param expiresAt - ISO 8601, UTC. */
  setExpiry(accessKeyId: string, expiresAt: string): void
  /** Leaves no change in the trail. */
  touch(accessKeyId: string, use: KeyUse): void
  /** @returns whether there was such a key */
  remove(accessKeyId: string): boolean
}

export function createKeysRepository(db: Db, box: SecretBox, now: () => Date = () => new Date()): KeysRepository {
  const list = prepareKeyList(db, box)
  const one = db.prepare<[id: string], KeyRow>('SELECT * FROM keys WHERE access_key_id = ?')
  const all = db.prepare<[], KeyRow>('SELECT * FROM keys ORDER BY created_at, rowid')
  const ofUser = db.prepare<[userName: string], KeyRow>(
    'SELECT * FROM keys WHERE user_name = ? ORDER BY created_at, rowid'
  )
  const insert = db.prepare<Omit<KeyRow, 'last_used_at' | 'last_used_service' | 'last_used_region'>>(`
    INSERT INTO keys (access_key_id, secret, token_hash, user_name, account_id, status, label, created_at, expires_at)
    VALUES (@access_key_id, @secret, @token_hash, @user_name, @account_id, @status, @label, @created_at, @expires_at)`)
  const setStatus = db.prepare<[status: string, id: string]>('UPDATE keys SET status = ? WHERE access_key_id = ?')
  const setExpiry = db.prepare<[expiresAt: string, id: string]>(
    'UPDATE keys SET expires_at = ? WHERE access_key_id = ?'
  )
  const touch = db.prepare<[at: string, service: string, region: string, id: string]>(
    'UPDATE keys SET last_used_at = ?, last_used_service = ?, last_used_region = ? WHERE access_key_id = ?'
  )
  const remove = db.prepare<[id: string]>('DELETE FROM keys WHERE access_key_id = ?')
  return {
    list,
    find(accessKeyId) {
      const row = one.get(accessKeyId)
      return row === undefined ? undefined : toRecord(row)
    },
    listRecords: (userName) => (userName === undefined ? all.all() : ofUser.all(userName)).map(toRecord),
    create(key, label) {
      insert.run({
        access_key_id: key.accessKeyId,
        secret: box.seal(key.secretAccessKey, keySecretRecord(key.accessKeyId)),
        token_hash: key.tokenHash,
        user_name: key.userName,
        account_id: key.principal.accountId,
        status: key.status,
        label: label ?? null,
        created_at: now().toISOString(),
        expires_at: key.expiresAt ?? null
      })
    },
    setStatus: (accessKeyId, status) => setStatus.run(status, accessKeyId).changes > 0,
    setExpiry: (accessKeyId, expiresAt) => void setExpiry.run(expiresAt, accessKeyId),
    touch: (accessKeyId, { at, service, region }) => void touch.run(at, service, region, accessKeyId),
    remove: (accessKeyId) => remove.run(accessKeyId).changes > 0
  }
}

/** The reading half, which the gateway has too. */
export function prepareKeyList(db: Db, box: SecretBox): () => readonly AccessKey[] {
  const select = db.prepare<[], KeyRow & { path: string; user_id: string }>(
    'SELECT keys.*, path, user_id FROM keys JOIN users ON name = user_name ORDER BY access_key_id'
  )
  return () =>
    select.all().map((row) => ({
      accessKeyId: row.access_key_id,
      secretAccessKey: box.open(row.secret, keySecretRecord(row.access_key_id)),
      tokenHash: row.token_hash,
      principal: {
        arn: `arn:aws:iam::${row.account_id}:user${row.path}${row.user_name}`,
        userId: row.user_id,
        accountId: row.account_id,
        keyId: row.access_key_id
      },
      userName: row.user_name,
      status: row.status,
      expiresAt: row.expires_at ?? undefined
    }))
}

function toRecord(row: KeyRow): KeyRecord {
  return {
    accessKeyId: row.access_key_id,
    userName: row.user_name,
    status: row.status,
    label: row.label ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    lastUsed:
      row.last_used_at === null
        ? undefined
        : { at: row.last_used_at, service: row.last_used_service ?? '', region: row.last_used_region ?? '' }
  }
}

/** What a sealed secret is bound to: it opens in this row only. */
export function keySecretRecord(accessKeyId: string): string {
  return `keys/${accessKeyId}/secret`
}
