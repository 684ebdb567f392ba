import type { Db } from '../sqlite-addon.ts'
import { type PolicyRow, toPolicy } from './rows.ts'
import type { PolicyRecord, PolicyRef, PolicyVersionRecord } from './types.ts'

/** Managed policies of this server and their versions, in SQLite. */
export interface PoliciesRepository {
  find(name: string): PolicyRecord | undefined
  /** The policy whose name differs from this in nothing but case, if in anything. */
  findInAnyCase(name: string): PolicyRecord | undefined
  /** Those after `after` whose paths begin with `pathPrefix`, by name in the order of bytes. */
  list(after: string, pathPrefix: string, limit: number): readonly PolicyRecord[]
  /** With its first version, the default. */
  create(policy: Omit<PolicyRecord, 'defaultVersion' | 'updatedAt'>, document: string): PolicyRecord
  setTags(name: string, tags: PolicyRecord['tags']): void
  /** With all its versions. */
  remove(name: string): void
  listVersions(name: string): readonly PolicyVersionRecord[]
  findVersion(name: string, version: number): PolicyVersionRecord | undefined
  /** Under the next number. @param at - ISO 8601, UTC */
  addVersion(name: string, document: string, asDefault: boolean, at: string): PolicyVersionRecord
  setDefault(name: string, version: number, at: string): void
  removeVersion(name: string, version: number): void
  /** How many users and roles it is attached to, and how many it bounds. */
  usesOf(ref: PolicyRef): { readonly attachments: number; readonly boundaries: number }
}

export function createPoliciesRepository(db: Db): PoliciesRepository {
  const one = db.prepare<[name: string], PolicyRow>('SELECT * FROM policies WHERE name = ?')
  const inAnyCase = db.prepare<[name: string], PolicyRow>('SELECT * FROM policies WHERE name = ? COLLATE NOCASE')
  const page = db.prepare<[after: string, prefix: string, prefix: string, limit: number], PolicyRow>(
    'SELECT * FROM policies WHERE name > ? AND substr(path, 1, length(?)) = ? ORDER BY name LIMIT ?'
  )
  const insert = db.prepare<Omit<PolicyRow, 'default_version'>>(`
    INSERT INTO policies (
      name, path, policy_id, description, default_version, last_version, tags, created_at, updated_at)
    VALUES (@name, @path, @policy_id, @description, 1, 1, @tags, @created_at, @updated_at)`)
  const writeTags = db.prepare<[tags: string, name: string]>('UPDATE policies SET tags = ? WHERE name = ?')
  const remove = db.prepare<[name: string]>('DELETE FROM policies WHERE name = ?')
  const versions = db.prepare<[name: string], PolicyVersionRecord>(
    'SELECT version, document, created_at AS createdAt FROM policy_versions WHERE policy = ? ORDER BY version DESC'
  )
  const version = db.prepare<[name: string, version: number], PolicyVersionRecord>(
    'SELECT version, document, created_at AS createdAt FROM policy_versions WHERE policy = ? AND version = ?'
  )
  const nextVersion = db
    .prepare<[at: string, name: string], number>(
      'UPDATE policies SET last_version = last_version + 1, updated_at = ? WHERE name = ? RETURNING last_version'
    )
    .pluck()
  const insertVersion = db.prepare<[name: string, version: number, document: string, at: string]>(
    'INSERT INTO policy_versions (policy, version, document, created_at) VALUES (?, ?, ?, ?)'
  )
  const setDefault = db.prepare<[version: number, at: string, name: string]>(
    'UPDATE policies SET default_version = ?, updated_at = ? WHERE name = ?'
  )
  const removeVersion = db.prepare<[name: string, version: number]>(
    'DELETE FROM policy_versions WHERE policy = ? AND version = ?'
  )
  const attachments = db.prepare<[ref: string], number>('SELECT count(*) FROM attachments WHERE policy = ?').pluck()
  const boundaries = db
    .prepare<[ref: string, ref: string], number>(
      `SELECT (SELECT count(*) FROM users WHERE boundary = ?) + (SELECT count(*) FROM roles WHERE boundary = ?)`
    )
    .pluck()
  const read = (row: PolicyRow | undefined) => (row === undefined ? undefined : toPolicy(row))

  const create = db.transaction((policy: Omit<PolicyRecord, 'defaultVersion' | 'updatedAt'>, document: string) => {
    insert.run({
      name: policy.name,
      path: policy.path,
      policy_id: policy.policyId,
      description: policy.description ?? null,
      tags: JSON.stringify(policy.tags),
      created_at: policy.createdAt,
      updated_at: policy.createdAt
    })
    insertVersion.run(policy.name, 1, document, policy.createdAt)
    return { ...policy, defaultVersion: 1, updatedAt: policy.createdAt }
  })

  const addVersion = db.transaction((name: string, document: string, asDefault: boolean, at: string) => {
    const number = nextVersion.get(at, name)
    if (number === undefined) throw new Error(`there is no policy ${name} to add a version to`)
    insertVersion.run(name, number, document, at)
    if (asDefault) setDefault.run(number, at, name)
    return { version: number, document, createdAt: at }
  })

  return {
    find: (name) => read(one.get(name)),
    findInAnyCase: (name) => read(inAnyCase.get(name)),
    list: (after, pathPrefix, limit) => page.all(after, pathPrefix, pathPrefix, limit).map(toPolicy),
    create: (policy, document) => create.immediate(policy, document),
    setTags: (name, tags) => void writeTags.run(JSON.stringify(tags), name),
    remove: (name) => void remove.run(name),
    listVersions: (name) => versions.all(name),
    findVersion: (name, number) => version.get(name, number),
    addVersion: (name, document, asDefault, at) => addVersion.immediate(name, document, asDefault, at),
    setDefault: (name, number, at) => void setDefault.run(number, at, name),
    removeVersion: (name, number) => void removeVersion.run(name, number),
    usesOf: (ref) => ({ attachments: attachments.get(ref) ?? 0, boundaries: boundaries.get(ref, ref) ?? 0 })
  }
}
