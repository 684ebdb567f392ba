import type { Db } from './sqlite-addon.ts'

/** What is stored in all. */
export interface Usage {
  readonly functions: number
  /** Bytes of packages as uploaded; every version of a function or layer counts its own, as AWS counts. */
  readonly codeBytes: number
}

export interface UsageRepository {
  read(): Usage
}

export function createUsageRepository(db: Db): UsageRepository {
  const sum = db.prepare<[], Usage>(
    `SELECT (SELECT count(*) FROM functions WHERE version = '$LATEST') AS functions,
       (SELECT coalesce(sum(code_size), 0) FROM functions)
         + (SELECT coalesce(sum(code_size), 0) FROM layer_versions) AS codeBytes`
  )
  return { read: () => sum.get()! }
}
