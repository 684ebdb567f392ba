import type { Db } from '../sqlite-addon.ts'
import { fromRole, type RoleRow, toRole } from './rows.ts'
import type { RoleRecord } from './types.ts'

/** Roles in SQLite. */
export interface RolesRepository {
  find(name: string): RoleRecord | undefined
  /** The role whose name differs from this in nothing but case, if in anything. */
  findInAnyCase(name: string): RoleRecord | undefined
  findById(roleId: string): RoleRecord | undefined
  /** Those after `after` whose paths begin with `pathPrefix`, by name in the order of bytes. */
  list(after: string, pathPrefix: string, limit: number): readonly RoleRecord[]
  create(role: RoleRecord): void
  /** Writes all that can change of it. */
  update(role: RoleRecord): void
  /** Leaves no change in the trail. @param at - ISO 8601, UTC */
  touch(name: string, at: string, region: string): void
  /** With all policies of its own. @returns whether it was there */
  remove(name: string): boolean
}

export function createRolesRepository(db: Db): RolesRepository {
  const one = db.prepare<[name: string], RoleRow>('SELECT * FROM roles WHERE name = ?')
  const inAnyCase = db.prepare<[name: string], RoleRow>('SELECT * FROM roles WHERE name = ? COLLATE NOCASE')
  const byId = db.prepare<[roleId: string], RoleRow>('SELECT * FROM roles WHERE role_id = ?')
  const page = db.prepare<[after: string, prefix: string, prefix: string, limit: number], RoleRow>(
    'SELECT * FROM roles WHERE name > ? AND substr(path, 1, length(?)) = ? ORDER BY name LIMIT ?'
  )
  const insert = db.prepare<RoleRow>(`
    INSERT INTO roles (
      name, path, role_id, trust, description, max_session_s, tags, boundary, sessions_from, created_at, last_used_at,
      last_used_region)
    VALUES (
      @name, @path, @role_id, @trust, @description, @max_session_s, @tags, @boundary, @sessions_from, @created_at,
      @last_used_at, @last_used_region)`)
  const update = db.prepare<RoleRow>(`
    UPDATE roles SET trust = @trust, description = @description, max_session_s = @max_session_s, tags = @tags,
      boundary = @boundary, sessions_from = @sessions_from
    WHERE name = @name`)
  const touch = db.prepare<[at: string, region: string, name: string]>(
    'UPDATE roles SET last_used_at = ?, last_used_region = ? WHERE name = ?'
  )
  const remove = db.prepare<[name: string]>('DELETE FROM roles WHERE name = ?')
  const read = (row: RoleRow | undefined) => (row === undefined ? undefined : toRole(row))
  return {
    find: (name) => read(one.get(name)),
    findInAnyCase: (name) => read(inAnyCase.get(name)),
    findById: (roleId) => read(byId.get(roleId)),
    list: (after, pathPrefix, limit) => page.all(after, pathPrefix, pathPrefix, limit).map(toRole),
    create: (role) => void insert.run(fromRole(role)),
    update: (role) => void update.run(fromRole(role)),
    touch: (name, at, region) => void touch.run(at, region, name),
    remove: (name) => remove.run(name).changes > 0
  }
}
