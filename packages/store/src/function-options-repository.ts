import type { Db } from './sqlite-addon.ts'

export type RecursiveLoop = 'Allow' | 'Terminate'
export type RuntimeUpdate = 'Auto' | 'FunctionUpdate'

/** What functions are told beside their configuration. Rows go when their function goes. */
export interface FunctionOptionsRepository {
  /** Undefined: never set. */
  recursiveLoop(name: string): RecursiveLoop | undefined
  setRecursiveLoop(name: string, value: RecursiveLoop): void
  /** Undefined: never set. */
  runtimeUpdate(name: string, version: string): RuntimeUpdate | undefined
  setRuntimeUpdate(name: string, version: string, value: RuntimeUpdate): void
  /** Id of the function's code signing config. */
  codeSigning(name: string): string | undefined
  /** @param id - Undefined takes it away. */
  setCodeSigning(name: string, id: string | undefined): void
  /** Names of the functions that have the config, in byte order, those after `after`. */
  listByCodeSigning(id: string, after: string, limit: number): readonly string[]
  /** Runs `work` under the write lock, so that what it sees cannot be overtaken. */
  exclusively<T>(work: () => T): T
}

export function createFunctionOptionsRepository(db: Db): FunctionOptionsRepository {
  const select = db.prepare<
    [name: string],
    { recursive_loop: RecursiveLoop | null; code_signing: string | null } | undefined
  >('SELECT recursive_loop, code_signing FROM function_options WHERE name = ?')
  const writeLoop = db.prepare<[name: string, value: RecursiveLoop]>(
    `INSERT INTO function_options (name, recursive_loop) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET recursive_loop = excluded.recursive_loop`
  )
  const writeSigning = db.prepare<[name: string, id: string | null]>(
    `INSERT INTO function_options (name, code_signing) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET code_signing = excluded.code_signing`
  )
  const bySigning = db
    .prepare<[id: string, after: string, limit: number], string>(
      'SELECT name FROM function_options WHERE code_signing = ? AND name > ? ORDER BY name LIMIT ?'
    )
    .pluck()
  const selectUpdate = db
    .prepare<[name: string, version: string], RuntimeUpdate>(
      'SELECT update_on FROM runtime_updates WHERE name = ? AND version = ?'
    )
    .pluck()
  const writeUpdate = db.prepare<[name: string, version: string, value: RuntimeUpdate]>(
    `INSERT INTO runtime_updates (name, version, update_on) VALUES (?, ?, ?)
     ON CONFLICT (name, version) DO UPDATE SET update_on = excluded.update_on`
  )
  const run = db.transaction((work: () => unknown) => work())

  return {
    recursiveLoop: (name) => select.get(name)?.recursive_loop ?? undefined,
    setRecursiveLoop: (name, value) => void writeLoop.run(name, value),
    runtimeUpdate: (name, version) => selectUpdate.get(name, version),
    setRuntimeUpdate: (name, version, value) => void writeUpdate.run(name, version, value),
    codeSigning: (name) => select.get(name)?.code_signing ?? undefined,
    setCodeSigning: (name, id) => void writeSigning.run(name, id ?? null),
    listByCodeSigning: (id, after, limit) => bySigning.all(id, after, limit),
    exclusively: <T>(work: () => T) => run.immediate(work) as T
  }
}
