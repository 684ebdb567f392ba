import { createRequire } from 'node:module'
import type Sqlite from 'better-sqlite3'

/** An open SQLite connection. */
export type Db = Sqlite.Database

/** The machine's Node and the installed SQLite addon do not fit together; the message says what to type. */
export class AddonMismatchError extends Error {
  override readonly name = 'AddonMismatchError'
}

/**
 * Loads better-sqlite3 after checking that it fits this Node: 13.x on Node 20 ends in a segmentation fault, which
 * tells nobody anything.
 *
 * @throws AddonMismatchError
 */
export function loadSqlite(nodeVersion: string = process.versions.node): typeof Sqlite {
  const require = createRequire(import.meta.url)
  const { version } = require('better-sqlite3/package.json') as { version: string }
  const problem = addonProblem(nodeVersion, version)
  if (problem !== undefined) throw new AddonMismatchError(problem)
  return require('better-sqlite3') as typeof Sqlite
}

/** Why better-sqlite3 `addonVersion` can't run on Node `nodeVersion`; undefined when it can. */
export function addonProblem(nodeVersion: string, addonVersion: string): string | undefined {
  if (major(addonVersion) >= 13 && major(nodeVersion) < 22) {
    return `better-sqlite3 ${addonVersion} needs Node 22 or newer and this is Node ${nodeVersion}: run \`npm install\` again with this Node`
  }
  return undefined
}

/** Opening is what loads the native part, so an addon that was built for another Node shows here. */
export function openDatabase(file: string, options: Sqlite.Options): Db {
  const Database = loadSqlite()
  try {
    return new Database(file, options)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_DLOPEN_FAILED') throw cause
    throw new AddonMismatchError(
      `better-sqlite3 was built for another Node than this one (${process.versions.node}): run \`npm rebuild better-sqlite3\``,
      { cause }
    )
  }
}

function major(version: string): number {
  return Number.parseInt(version, 10)
}
