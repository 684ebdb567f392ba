import { AWS_MANAGED_POLICIES, type PolicyText, type PrincipalPolicies, type PrincipalSource } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'
import { type RoleRow, tagsOf, type UserRow } from './rows.ts'
import type { PolicyRef } from './types.ts'

/** What stands in for a boundary that cannot be read: nothing is within it. */
const NOTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'

/** The reading half of users and roles, for every process. */
export function preparePrincipalLookup(db: Db): PrincipalSource {
  const user = db.prepare<[name: string], UserRow>('SELECT * FROM users WHERE name = ?')
  const role = db.prepare<[name: string], RoleRow>('SELECT * FROM roles WHERE name = ?')
  const inline = db.prepare<[owner: string], PolicyText>(
    'SELECT name, document FROM inline_policies WHERE owner = ? ORDER BY name'
  )
  const attached = db
    .prepare<[owner: string], PolicyRef>('SELECT policy FROM attachments WHERE owner = ? ORDER BY policy')
    .pluck()
  const own = db
    .prepare<[name: string], string>(
      `SELECT document FROM policies JOIN policy_versions ON policy = name AND version = default_version
       WHERE name = ?`
    )
    .pluck()

  const documentOf = (ref: PolicyRef): string | undefined =>
    ref.includes(':') ? AWS_MANAGED_POLICIES.get(ref)?.document : own.get(ref)

  // Several reads that must be of one moment.
  const policiesOf = (owner: string, boundary: PolicyRef | null): PrincipalPolicies => {
    const policies = inline.all(owner)
    for (const ref of attached.all(owner)) {
      const document = documentOf(ref)
      if (document !== undefined) policies.push({ name: ref, document })
    }
    return {
      policies,
      boundary: boundary === null ? undefined : { name: boundary, document: documentOf(boundary) ?? NOTHING }
    }
  }

  const findUser = db.transaction((name: string) => {
    const row = user.get(name)
    if (row === undefined) return undefined
    const { path, user_id: userId, boundary } = row
    return { name: row.name, path, userId, tags: tagsOf(row), ...policiesOf(userId, boundary) }
  })

  const findRole = db.transaction((name: string) => {
    const row = role.get(name)
    if (row === undefined) return undefined
    const { path, role_id: roleId, trust, max_session_s: maxSessionS, sessions_from: sessionsFrom } = row
    return {
      name: row.name,
      path,
      roleId,
      trust,
      maxSessionS,
      sessionsFrom,
      tags: tagsOf(row),
      ...policiesOf(roleId, row.boundary)
    }
  })

  return { findUser: (name) => findUser.deferred(name), findRole: (name) => findRole.deferred(name) }
}
