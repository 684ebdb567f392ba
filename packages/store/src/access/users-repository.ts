import type { Db } from '../sqlite-addon.ts'
import { fromUser, toUser, type UserRow } from './rows.ts'
import type { UserRecord } from './types.ts'

/** Users in SQLite. */
export interface UsersRepository {
  find(name: string): UserRecord | undefined
  /** The user whose name differs from this in nothing but case, if in anything. */
  findInAnyCase(name: string): UserRecord | undefined
  findById(userId: string): UserRecord | undefined
  /** Those after `after` whose paths begin with `pathPrefix`, by name in the order of bytes. */
  list(after: string, pathPrefix: string, limit: number): readonly UserRecord[]
  create(user: UserRecord): void
  /** Writes all but the id and when it was made. Its keys follow a change of its name. */
  update(name: string, user: UserRecord): void
  /** With all policies of its own; it must have no keys any more. @returns whether it was there */
  remove(name: string): boolean
}

export function createUsersRepository(db: Db): UsersRepository {
  const one = db.prepare<[name: string], UserRow>('SELECT * FROM users WHERE name = ?')
  const inAnyCase = db.prepare<[name: string], UserRow>('SELECT * FROM users WHERE name = ? COLLATE NOCASE')
  const byId = db.prepare<[userId: string], UserRow>('SELECT * FROM users WHERE user_id = ?')
  const page = db.prepare<[after: string, prefix: string, prefix: string, limit: number], UserRow>(
    'SELECT * FROM users WHERE name > ? AND substr(path, 1, length(?)) = ? ORDER BY name LIMIT ?'
  )
  const insert = db.prepare<UserRow>(`
    INSERT INTO users (name, path, user_id, tags, boundary, created_at)
    VALUES (@name, @path, @user_id, @tags, @boundary, @created_at)`)
  const update = db.prepare<UserRow & { readonly known: string }>(
    'UPDATE users SET name = @name, path = @path, tags = @tags, boundary = @boundary WHERE name = @known'
  )
  const remove = db.prepare<[name: string]>('DELETE FROM users WHERE name = ?')
  const read = (row: UserRow | undefined) => (row === undefined ? undefined : toUser(row))
  return {
    find: (name) => read(one.get(name)),
    findInAnyCase: (name) => read(inAnyCase.get(name)),
    findById: (userId) => read(byId.get(userId)),
    list: (after, pathPrefix, limit) => page.all(after, pathPrefix, pathPrefix, limit).map(toUser),
    create: (user) => void insert.run(fromUser(user)),
    update: (known, user) => void update.run({ ...fromUser(user), known }),
    remove: (name) => remove.run(name).changes > 0
  }
}
