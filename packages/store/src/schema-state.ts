import { existsSync } from 'node:fs'
import { type Db, openDatabase } from './sqlite-addon.ts'

export interface SchemaState {
  /** Of the last migration; 0: an empty database. */
  readonly version: number
  readonly migrations: readonly { readonly name: string; readonly appliedAt: string }[]
}

/** What was done to a database, without its contents. */
export function readSchemaState(db: Db): SchemaState {
  const version = db.pragma('user_version', { simple: true }) as number
  const migrations = db
    .prepare<[], { name: string; appliedAt: string }>(
      'SELECT name, applied_at AS appliedAt FROM migrations ORDER BY number'
    )
    .all()
  return { version, migrations }
}

/** As {@link readSchemaState}, of a database that nobody need have open. @returns why not, where it cannot be read */
export function inspectSchema(file: string): SchemaState | string {
  if (!existsSync(file)) return 'it is not there'
  let db: Db | undefined
  try {
    db = openDatabase(file, { readonly: true, fileMustExist: true, timeout: 1_000 })
    return readSchemaState(db)
  } catch (err) {
    return (err as { code?: string }).code ?? (err as Error).name
  } finally {
    db?.close()
  }
}
