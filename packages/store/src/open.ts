import { existsSync } from 'node:fs'
import { migrate, SCHEMA_VERSION, SchemaError, schemaVersion } from './migrations.ts'
import { type Db, openDatabase } from './sqlite-addon.ts'

export interface OpenOptions {
  /** Neither creates nor migrates; the file must be there with the schema of this build. */
  readonly readonly?: boolean
  readonly now?: () => Date
}

/** How long a statement waits for another process's write lock. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens (or creates) the database and brings it to the newest migration; safe to call from every process.
 *
 * @throws SchemaError, AddonMismatchError
 */
export function openStore(file: string, migrationsDir: string, options: OpenOptions = {}): Db {
  if (options.readonly === true) return openReadOnly(file)
  const db = openDatabase(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    migrate(db, migrationsDir, options.now ?? (() => new Date()))
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/**
 * Opens an existing database for reading, beside a process that writes it.
 *
 * @throws SchemaError when the file or its schema is not there yet, or is another build's
 */
export function openReadOnly(file: string): Db {
  if (!existsSync(file))
    throw new SchemaError(`there is no database at ${file} yet: the control plane makes it at its first start`)
  const db = openDatabase(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    const version = schemaVersion(db)
    if (version === SCHEMA_VERSION) return db
    throw new SchemaError(
      version < SCHEMA_VERSION
        ? `the database at ${file} has schema ${version} and ${SCHEMA_VERSION} is needed: the control plane brings it up at its start`
        : `the database at ${file} has schema ${version}, made by a newer Hearth; this one knows ${SCHEMA_VERSION}`
    )
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** Whether the database takes writes now: the write lock is taken and given back, nothing is written. */
export function isWritable(db: Db): boolean {
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch {
    if (db.open && db.inTransaction) db.exec('ROLLBACK')
    return false
  }
}

/**
 * Makes this process the only writer of a data folder. The lock is the kernel's: it ends with the process, however
 * that ends.
 *
 * @returns gives the lock back
 * @throws SchemaError when another process has it
 */
export function lockDataDir(file: string): () => void {
  const db = openDatabase(file, { timeout: 0 })
  try {
    // Nothing is ever written to it: no journal is to lie about.
    db.pragma('journal_mode = MEMORY')
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    if ((cause as { code?: string }).code !== 'SQLITE_BUSY') throw cause
    throw new SchemaError(`another control plane is using this data folder (${file} is locked)`, { cause })
  }
  return () => {
    db.close()
  }
}
