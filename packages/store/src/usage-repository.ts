import type { Db } from './sqlite-addon.ts'

/** What is stored in all. */
export interface Usage {
  readonly functions: number
  /** Bytes of packages as uploaded; every version counts its own, as AWS counts. */
  readonly codeBytes: number
}

export interface UsageRepository {
  read(): Usage
}

export function createUsageRepository(db: Db): UsageRepository {
  const sum = db.prepare<[], Usage>(
    `SELECT count(*) FILTER (WHERE version = '$LATEST') AS functions, coalesce(sum(code_size), 0) AS codeBytes
     FROM functions`
  )
  return { read: () => sum.get()! }
}
