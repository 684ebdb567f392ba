import { createRequire } from 'node:module'
import type Sqlite from 'better-sqlite3'

/** An open SQLite connection. */
export type Db = Sqlite.Database

/** The machine's Node and the installed SQLite addon do not fit together; the message says what to type. */
export class AddonMismatchError extends Error {
  override readonly name = 'AddonMismatchError'
}

/**
 * The package that serves this Node. better-sqlite3 12 aborts the process on Node 24.19 and newer when a statement is
 * collected, and 13 ends in a segmentation fault on Node 20: both are installed, under two names.
 */
export function sqlitePackage(nodeVersion: string): 'better-sqlite3' | 'better-sqlite3-node22' {
  return Number.parseInt(nodeVersion, 10) < 22 ? 'better-sqlite3' : 'better-sqlite3-node22'
}

/**
 * Opens a database with the addon that fits this Node. Opening is what loads its native part, so one that is missing
 * or was built for another Node shows here.
 *
 * @throws AddonMismatchError
 */
export function openDatabase(file: string, options: Sqlite.Options): Db {
  const require = createRequire(import.meta.url)
  const name = sqlitePackage(process.versions.node)
  try {
    const Database = require(name) as typeof Sqlite
    return new Database(file, options)
  } catch (cause) {
    const problem = addonProblem(cause as NodeJS.ErrnoException)
    if (problem === undefined) throw cause
    throw new AddonMismatchError(`${name} ${problem} (Node ${process.versions.node}): run \`npm ci\` with this Node`, {
      cause
    })
  }
}

/** What is wrong with the addon, if this error of loading it says so. */
export function addonProblem({ code, message }: { code?: string | undefined; message: string }): string | undefined {
  if (code === 'ERR_DLOPEN_FAILED') return 'was built for another Node than this one'
  if (code === 'MODULE_NOT_FOUND' || message.startsWith('Could not locate the bindings file')) return 'is not installed'
  return undefined
}
