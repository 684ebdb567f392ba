import type { AccessKey } from '@hearth/shared'
import type { SecretBox } from './secret-box.ts'
import type { Db } from './sqlite-addon.ts'

interface KeyRow {
  access_key_id: string
  secret: Buffer
  token_hash: string
  arn: string
  user_id: string
  account_id: string
  status: AccessKey['status']
  created_at: string
}

/** Keys that may call: the Bearer token as a hash, the SigV4 secret sealed. */
export interface KeysRepository {
  list(): readonly AccessKey[]
  create(key: AccessKey): void
  /** @returns whether there was such a key */
  setStatus(accessKeyId: string, status: AccessKey['status']): boolean
  /** @returns whether there was such a key */
  remove(accessKeyId: string): boolean
}

export function createKeysRepository(db: Db, box: SecretBox, now: () => Date = () => new Date()): KeysRepository {
  const list = prepareKeyList(db, box)
  const insert = db.prepare<KeyRow>(`
    INSERT INTO keys (access_key_id, secret, token_hash, arn, user_id, account_id, status, created_at)
    VALUES (@access_key_id, @secret, @token_hash, @arn, @user_id, @account_id, @status, @created_at)`)
  const setStatus = db.prepare<[status: string, id: string]>('UPDATE keys SET status = ? WHERE access_key_id = ?')
  const remove = db.prepare<[id: string]>('DELETE FROM keys WHERE access_key_id = ?')
  return {
    list,
    create(key) {
      insert.run({
        access_key_id: key.accessKeyId,
        secret: box.seal(key.secretAccessKey, secretOf(key.accessKeyId)),
        token_hash: key.tokenHash,
        arn: key.principal.arn,
        user_id: key.principal.userId,
        account_id: key.principal.accountId,
        status: key.status,
        created_at: now().toISOString()
      })
    },
    setStatus: (accessKeyId, status) => setStatus.run(status, accessKeyId).changes > 0,
    remove: (accessKeyId) => remove.run(accessKeyId).changes > 0
  }
}

/** The reading half, which the gateway has too. */
export function prepareKeyList(db: Db, box: SecretBox): () => readonly AccessKey[] {
  const select = db.prepare<[], KeyRow>('SELECT * FROM keys ORDER BY access_key_id')
  return () =>
    select.all().map((row) => ({
      accessKeyId: row.access_key_id,
      secretAccessKey: box.open(row.secret, secretOf(row.access_key_id)),
      tokenHash: row.token_hash,
      principal: { arn: row.arn, userId: row.user_id, accountId: row.account_id, keyId: row.access_key_id },
      status: row.status
    }))
}

/** What a sealed secret is bound to: it opens in this row only. */
function secretOf(accessKeyId: string): string {
  return `keys/${accessKeyId}/secret`
}
