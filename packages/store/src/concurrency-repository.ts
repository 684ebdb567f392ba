import type { ProvisionedConcurrency, ProvisionedReport, ProvisionedStatus, ProvisionedWish } from '@hearth/shared'
import type { Db } from './sqlite-addon.ts'
import type { Reservation } from './types.ts'

interface ProvisionedRow {
  function: string
  qualifier: string
  requested: number
  revision_id: string
  status: ProvisionedStatus
  status_reason: string | null
  allocated: number
  available: number
  last_modified: string
}

/** Reserved and provisioned concurrency. Rows go when their function, version or alias goes. */
export interface ConcurrencyRepository {
  /** Undefined: nothing is reserved. */
  reserved(functionName: string): number | undefined
  /** @param executions - Undefined takes the reservation away. */
  setReserved(functionName: string, executions: number | undefined): void
  /**
   * What of the account is spoken for: reservations, and what is provisioned for functions without one.
   *
   * @param without - Name of a function that is left out.
   */
  claimed(without?: string): number
  /** What is requested for all versions and aliases of a function but `without`. */
  requested(functionName: string, without?: string): number
  find(functionName: string, qualifier: string): ProvisionedConcurrency | undefined
  /** Of one function: by qualifier, in byte order, those after `after`. */
  list(functionName: string, after: string, limit: number): readonly ProvisionedConcurrency[]
  put(config: ProvisionedConcurrency): void
  remove(functionName: string, qualifier: string): void
  /** Writes how far a request is. Nothing is written when it is of another revision, or says nothing new. */
  note(report: ProvisionedReport): void
}

export function createConcurrencyRepository(db: Db): ConcurrencyRepository {
  const selectReserved = db
    .prepare<[functionName: string], number>('SELECT executions FROM reserved_concurrency WHERE function = ?')
    .pluck()
  const writeReserved = db.prepare<[functionName: string, executions: number]>(
    `INSERT INTO reserved_concurrency (function, executions) VALUES (?, ?)
     ON CONFLICT (function) DO UPDATE SET executions = excluded.executions`
  )
  const removeReserved = db.prepare<[functionName: string]>('DELETE FROM reserved_concurrency WHERE function = ?')
  const sumClaimed = db
    .prepare<{ without: string }, number>(
      `SELECT (SELECT coalesce(sum(executions), 0) FROM reserved_concurrency WHERE function <> @without)
         + (SELECT coalesce(sum(requested), 0) FROM provisioned_concurrency
            WHERE function <> @without AND function NOT IN (SELECT function FROM reserved_concurrency))`
    )
    .pluck()
  const sumRequested = db
    .prepare<[functionName: string, without: string], number>(
      'SELECT coalesce(sum(requested), 0) FROM provisioned_concurrency WHERE function = ? AND qualifier <> ?'
    )
    .pluck()
  const select = db.prepare<[functionName: string, qualifier: string], ProvisionedRow>(
    'SELECT * FROM provisioned_concurrency WHERE function = ? AND qualifier = ?'
  )
  const page = db.prepare<[functionName: string, after: string, limit: number], ProvisionedRow>(
    'SELECT * FROM provisioned_concurrency WHERE function = ? AND qualifier > ? ORDER BY qualifier LIMIT ?'
  )
  const write = db.prepare<ProvisionedRow>(`
    INSERT INTO provisioned_concurrency (
      function, qualifier, requested, revision_id, status, status_reason, allocated, available, last_modified)
    VALUES (
      @function, @qualifier, @requested, @revision_id, @status, @status_reason, @allocated, @available, @last_modified)
    ON CONFLICT (function, qualifier) DO UPDATE SET
      requested = @requested, revision_id = @revision_id, status = @status, status_reason = @status_reason,
      allocated = @allocated, available = @available, last_modified = @last_modified`)
  const remove = db.prepare<[functionName: string, qualifier: string]>(
    'DELETE FROM provisioned_concurrency WHERE function = ? AND qualifier = ?'
  )
  const note = db.prepare<Omit<ProvisionedRow, 'requested' | 'last_modified'>>(`
    UPDATE provisioned_concurrency
    SET status = @status, status_reason = @status_reason, allocated = @allocated, available = @available
    WHERE function = @function AND qualifier = @qualifier AND revision_id = @revision_id
      AND (status, status_reason, allocated, available) IS NOT (@status, @status_reason, @allocated, @available)`)
  return {
    reserved: (functionName) => selectReserved.get(functionName),
    setReserved(functionName, executions) {
      if (executions === undefined) removeReserved.run(functionName)
      else writeReserved.run(functionName, executions)
    },
    claimed: (without = '') => sumClaimed.get({ without })!,
    requested: (functionName, without = '') => sumRequested.get(functionName, without)!,
    find(functionName, qualifier) {
      const row = select.get(functionName, qualifier)
      return row && toProvisioned(row)
    },
    list: (functionName, after, limit) => page.all(functionName, after, limit).map(toProvisioned),
    put: ({ requested, lastModified, ...report }) =>
      void write.run({ ...toRow(report), requested, last_modified: lastModified }),
    remove: (functionName, qualifier) => void remove.run(functionName, qualifier),
    note: (report) => void note.run(toRow(report))
  }
}

/** The reading half, as the gateway needs it. */
export function prepareReservations(db: Db): () => readonly Reservation[] {
  const select = db.prepare<[], Reservation>(
    'SELECT function AS functionName, executions AS reserved FROM reserved_concurrency'
  )
  return () => select.all()
}

/** The same of what is provisioned. */
export function prepareProvisionedWishes(db: Db): () => readonly ProvisionedWish[] {
  const select = db.prepare<[], ProvisionedWish>(`
    SELECT p.function AS functionName, p.qualifier, coalesce(a.version, p.qualifier) AS version, p.requested,
      p.revision_id AS revisionId
    FROM provisioned_concurrency p
    LEFT JOIN aliases a ON a.function = p.function AND a.name = p.qualifier
    ORDER BY p.function, p.qualifier`)
  return () => select.all()
}

function toRow(report: ProvisionedReport): Omit<ProvisionedRow, 'requested' | 'last_modified'> {
  return {
    function: report.functionName,
    qualifier: report.qualifier,
    revision_id: report.revisionId,
    status: report.status,
    status_reason: report.statusReason ?? null,
    allocated: report.allocated,
    available: report.available
  }
}

function toProvisioned(row: ProvisionedRow): ProvisionedConcurrency {
  return {
    functionName: row.function,
    qualifier: row.qualifier,
    requested: row.requested,
    revisionId: row.revision_id,
    status: row.status,
    statusReason: row.status_reason ?? undefined,
    allocated: row.allocated,
    available: row.available,
    lastModified: row.last_modified
  }
}
