import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Db } from './sqlite-addon.ts'

/** The schema that this build of Hearth reads and writes: the number of its newest migration. */
export const SCHEMA_VERSION = 21

/** The database and this build do not fit; the message says why. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly sha256: string
}

/**
 * Applies what is missing of `dir`, all of it or nothing. Safe to call from several processes at once.
 *
 * @throws SchemaError when an applied file was edited, or the database was made by a newer Hearth
 */
export function migrate(db: Db, dir: string, now: () => Date): void {
  const migrations = readMigrations(dir)
  db.exec(`CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT`)
  const newest = migrations.at(-1)?.number ?? 0
  if (schemaVersion(db) > newest) {
    throw new SchemaError(
      `the database has schema ${schemaVersion(db)}, made by a newer Hearth; this one knows ${newest}`
    )
  }
  const applied = db.prepare<[], { number: number; sha256: string }>('SELECT number, sha256 FROM migrations')
  const record = db.prepare('INSERT INTO migrations (number, name, sha256, applied_at) VALUES (?, ?, ?, ?)')
  const missing = (): readonly Migration[] => {
    const known = new Map(applied.all().map(({ number, sha256 }) => [number, sha256]))
    const edited = migrations.find(({ number, sha256 }) => (known.get(number) ?? sha256) !== sha256)
    if (edited !== undefined) {
      throw new SchemaError(`migration ${edited.name} was edited after it had been applied to this database`)
    }
    return migrations.filter(({ number }) => !known.has(number))
  }
  if (missing().length === 0) return
  // In one transaction, so in one sync of the disk. Under the lock it is looked again: another process may have been first.
  const apply = db.transaction(() => {
    for (const { number, name, sql, sha256 } of missing()) {
      db.exec(sql)
      record.run(number, name, sha256, now().toISOString())
    }
    db.pragma(`user_version = ${newest}`)
  })
  apply.immediate()
}

/** Number of the last migration that was applied to `db`; 0 for an empty database. */
export function schemaVersion(db: Db): number {
  return db.pragma('user_version', { simple: true }) as number
}

function readMigrations(dir: string): readonly Migration[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file, index) => {
      const number = Number.parseInt(file, 10)
      if (number !== index + 1)
        throw new SchemaError(`migrations must be numbered without gaps: ${file} is number ${index + 1}`)
      const sql = readFileSync(path.join(dir, file), 'utf8')
      return { number, name: file, sql, sha256: createHash('sha256').update(sql).digest('hex') }
    })
}
