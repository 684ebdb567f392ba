import type { PolicyText } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'
import type { PolicyRef } from './types.ts'

/** What hangs on one user or role, by its unique id: inline policies, and attachments of managed ones. */
export interface OwnedPoliciesRepository {
  /** By name. */
  listInline(owner: string): readonly PolicyText[]
  findInline(owner: string, name: string): string | undefined
  putInline(owner: string, name: string, document: string): void
  /** @returns whether it was there */
  removeInline(owner: string, name: string): boolean
  listAttached(owner: string): readonly PolicyRef[]
  attach(owner: string, policy: PolicyRef): void
  /** @returns whether it was attached */
  detach(owner: string, policy: PolicyRef): boolean
  /** Names of those that a managed policy is attached to, or that it bounds. */
  ownersOf(policy: PolicyRef, as: 'attachment' | 'boundary'): readonly PolicyOwner[]
}

export interface PolicyOwner {
  readonly kind: 'user' | 'role'
  readonly id: string
  readonly name: string
  readonly path: string
}

export function createOwnedPoliciesRepository(db: Db): OwnedPoliciesRepository {
  const inline = db.prepare<[owner: string], PolicyText>(
    'SELECT name, document FROM inline_policies WHERE owner = ? ORDER BY name'
  )
  const oneInline = db
    .prepare<[owner: string, name: string], string>('SELECT document FROM inline_policies WHERE owner = ? AND name = ?')
    .pluck()
  const putInline = db.prepare<[owner: string, name: string, document: string]>(
    `INSERT INTO inline_policies (owner, name, document) VALUES (?, ?, ?)
     ON CONFLICT (owner, name) DO UPDATE SET document = excluded.document`
  )
  const removeInline = db.prepare<[owner: string, name: string]>(
    'DELETE FROM inline_policies WHERE owner = ? AND name = ?'
  )
  const attached = db
    .prepare<[owner: string], PolicyRef>('SELECT policy FROM attachments WHERE owner = ? ORDER BY rowid')
    .pluck()
  const attach = db.prepare<[owner: string, policy: string]>(
    'INSERT INTO attachments (owner, policy) VALUES (?, ?) ON CONFLICT DO NOTHING'
  )
  const detach = db.prepare<[owner: string, policy: string]>('DELETE FROM attachments WHERE owner = ? AND policy = ?')
  const owners = {
    attachment: db.prepare<[policy: string, policy: string], PolicyOwner>(`
      SELECT 'user' AS kind, user_id AS id, name, path FROM attachments JOIN users ON user_id = owner WHERE policy = ?
      UNION ALL
      SELECT 'role' AS kind, role_id AS id, name, path FROM attachments JOIN roles ON role_id = owner WHERE policy = ?
      ORDER BY kind DESC, name`),
    boundary: db.prepare<[policy: string, policy: string], PolicyOwner>(`
      SELECT 'user' AS kind, user_id AS id, name, path FROM users WHERE boundary = ?
      UNION ALL
      SELECT 'role' AS kind, role_id AS id, name, path FROM roles WHERE boundary = ?
      ORDER BY kind DESC, name`)
  }
  return {
    listInline: (owner) => inline.all(owner),
    findInline: (owner, name) => oneInline.get(owner, name),
    putInline: (owner, name, document) => void putInline.run(owner, name, document),
    removeInline: (owner, name) => removeInline.run(owner, name).changes > 0,
    listAttached: (owner) => attached.all(owner),
    attach: (owner, policy) => void attach.run(owner, policy),
    detach: (owner, policy) => detach.run(owner, policy).changes > 0,
    ownersOf: (policy, as) => owners[as].all(policy, policy)
  }
}
