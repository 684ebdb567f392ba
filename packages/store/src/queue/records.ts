import type { Db } from '../sqlite-addon.ts'
import type { Backlog, Condition, InvocationRecord, ListQuery, TotalBacklog } from './types.ts'

/** Columns of a record: all but the payload, which may be 1 MB. */
export const RECORD = `request_id, function_name, qualifier, state, due_at, accepted_at, started_at, ended_at, attempts,
  condition, error_type, error_message`
const STATES = ['waiting', 'claimed', 'succeeded', 'failed'] as const

export interface RecordRow {
  readonly request_id: string
  readonly function_name: string
  readonly qualifier: string
  readonly state: number
  readonly due_at: number
  readonly accepted_at: number
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly attempts: number
  readonly condition: string | null
  readonly error_type: string | null
  readonly error_message: string | null
}

interface Parameters {
  readonly name: string
  readonly running: string
  readonly at: number
  readonly id: string
  readonly limit: number
}

/** Which rows have a status, in a way that an index serves however many others there are. */
const STATUSES = {
  all: 'function_name = @name',
  succeeded: 'function_name = @name AND state = 2',
  failed: 'function_name = @name AND state = 3',
  running: 'function_name = @name AND request_id IN (SELECT value FROM json_each(@running))',
  queued: `request_id IN (
      SELECT request_id FROM events INDEXED BY events_due WHERE state = 0 AND function_name = @name
      UNION ALL SELECT request_id FROM events INDEXED BY events_claimed WHERE state = 1 AND function_name = @name)
    AND request_id NOT IN (SELECT value FROM json_each(@running))`
} as const

/** Lists of events and of what waits. */
export function createRecordLists(db: Db) {
  const pages = Object.fromEntries(
    Object.entries(STATUSES).map(([status, condition]) => [
      status,
      db.prepare<Parameters, RecordRow>(`
        SELECT ${RECORD} FROM events WHERE ${condition} AND (accepted_at, request_id) < (@at, @id)
          AND @running IS NOT NULL
        ORDER BY accepted_at DESC, request_id DESC LIMIT @limit`)
    ])
  ) as Record<keyof typeof STATUSES, ReturnType<typeof db.prepare<Parameters, RecordRow>>>
  // The totals are made before the limit counts.
  const backlog = db.prepare<[limit: number], Backlog & { readonly total: number; readonly oldest: number }>(`
    SELECT *, sum(waiting) OVER () AS total, min(oldestAt) OVER () AS oldest FROM (
      SELECT function_name AS functionName, count(*) AS waiting, min(accepted_at) AS oldestAt
      FROM events WHERE state = 0 GROUP BY function_name)
    ORDER BY waiting DESC LIMIT ?`)
  return {
    list({ functionName, status, running, before, limit }: ListQuery): readonly InvocationRecord[] {
      const rows = pages[status ?? 'all'].all({
        name: functionName,
        running: JSON.stringify(running),
        at: before?.acceptedAt ?? Number.MAX_SAFE_INTEGER,
        id: before?.requestId ?? '',
        limit
      })
      return rows.map(toRecord)
    },
    backlog(limit: number): TotalBacklog {
      const rows = backlog.all(limit)
      return {
        waiting: rows[0]?.total ?? 0,
        oldestAt: rows[0]?.oldest,
        functions: rows.map(({ functionName, waiting, oldestAt }) => ({ functionName, waiting, oldestAt }))
      }
    }
  }
}

export function toRecord(row: RecordRow): InvocationRecord {
  return {
    requestId: row.request_id,
    functionName: row.function_name,
    qualifier: row.qualifier,
    state: STATES[row.state]!,
    acceptedAt: row.accepted_at,
    dueAt: row.due_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    attempts: row.attempts,
    condition: (row.condition ?? undefined) as Condition | undefined,
    errorType: row.error_type ?? undefined,
    errorMessage: row.error_message ?? undefined
  }
}
