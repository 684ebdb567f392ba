import { createIdempotencyKeys, type IdempotencyKeys } from '../idempotency-keys.ts'
import { migrate } from '../migrations.ts'
import { type Db, openDatabase } from '../sqlite-addon.ts'
import type { KeyOperation, Operation } from './operations.ts'
import type { Condition, InvocationRecord, QueuedEvent } from './types.ts'

/** How long a start waits for a process that is about to end. */
const BUSY_TIMEOUT_MS = 5_000
const STATES = ['waiting', 'claimed', 'succeeded', 'failed'] as const

interface Row {
  readonly request_id: string
  readonly function_name: string
  readonly qualifier: string
  readonly state: number
  readonly due_at: number
  readonly accepted_at: number
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly attempts: number
  readonly throttles: number
  readonly condition: string | null
  readonly error_type: string | null
  readonly error_message: string | null
  readonly trace_id: string
  readonly client_context: string
  readonly payload: Buffer
}

/** The queue in one SQLite file, whose lock this process holds while it lives. */
export interface EmbeddedQueue {
  /** All or nothing. @returns an answer for each. @throws SqliteError */
  apply(operations: readonly Operation[], bytes: Uint8Array): unknown[]
  close(): void
}

/** @throws SchemaError, AddonMismatchError, SqliteError (SQLITE_BUSY: another gateway has it) */
export function openEmbeddedQueue(file: string, migrationsDir: string, maxPages = 0): EmbeddedQueue {
  const db = openDatabase(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    // Ownership is the kernel's lock: it ends with the process, however that ends.
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    migrate(db, migrationsDir, () => new Date())
    if (maxPages > 0) db.pragma(`max_page_count = ${maxPages}`)
    // What an earlier process had is nobody's any more.
    db.exec('UPDATE events SET state = 0 WHERE state = 1')
    return embedded(db)
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

function embedded(db: Db): EmbeddedQueue {
  const insert = db.prepare(`INSERT INTO events (request_id, function_name, qualifier, state, due_at, accepted_at,
    trace_id, client_context, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const take = db.prepare<[string, number, number], Row>(`UPDATE events SET state = 1 WHERE rowid IN (
    SELECT rowid FROM events WHERE state = 0 AND function_name = ? AND due_at <= ? ORDER BY due_at LIMIT ?) RETURNING *`)
  const nextDue = db.prepare<[string], { due: number | null }>(
    'SELECT min(due_at) AS due FROM events WHERE state = 0 AND function_name = ?'
  )
  const end = db.prepare(`UPDATE events SET state = ?, condition = ?, started_at = ?, ended_at = ?, attempts = ?,
    error_type = ?, error_message = ?, payload = CASE ? WHEN 2 THEN NULL ELSE payload END
    WHERE request_id = ? AND state = 1`)
  const again = db.prepare(`UPDATE events SET state = 0, due_at = ?, throttles = ?, started_at = ?, attempts = ?,
    error_type = ?, error_message = ? WHERE request_id = ? AND state = 1`)
  const groups = db.prepare<[], { functionName: string; dueAt: number }>(
    'SELECT function_name AS functionName, min(due_at) AS dueAt FROM events WHERE state = 0 GROUP BY function_name'
  )
  const find = db.prepare<[string], Row>('SELECT * FROM events WHERE request_id = ?')
  const list = db.prepare<[string, string, number], Row>(`SELECT * FROM events WHERE function_name = ?
    AND state IN (SELECT value FROM json_each(?)) ORDER BY accepted_at DESC LIMIT ?`)
  const redrive = db.prepare(`UPDATE events SET state = 0, due_at = ?, accepted_at = ?, attempts = 0, throttles = 0,
    ended_at = NULL, condition = NULL WHERE rowid IN (
    SELECT rowid FROM events WHERE function_name = ? AND state = 3 ORDER BY accepted_at LIMIT ?)`)
  const prune = db.prepare(
    'DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE ended_at < ? ORDER BY ended_at LIMIT ?)'
  )

  const keys = createIdempotencyKeys(db)

  function one(op: Operation, bytes: Uint8Array): unknown {
    switch (op.kind) {
      case 'enqueue': {
        const payload = Buffer.from(bytes.buffer, bytes.byteOffset + op.start, op.length)
        const state = op.claimed ? 1 : 0
        const at = op.acceptedAt
        insert.run(op.requestId, op.functionName, op.qualifier, state, at, at, op.traceId, op.clientContext, payload)
        if (op.keyed !== undefined) keys.conclude(op.keyed.request, op.keyed.answer, at)
        return undefined
      }
      case 'claim': {
        const rows = take.all(op.functionName, op.now, op.limit).sort((a, b) => a.due_at - b.due_at)
        return { events: rows.map(toEvent), nextDueAt: nextDue.get(op.functionName)?.due ?? undefined }
      }
      case 'complete': {
        const state = op.condition === 'Success' ? 2 : 3
        const { startedAt, endedAt, attempts, errorType, errorMessage } = op.result
        const failure = state === 2 ? [null, null] : [errorType, errorMessage]
        end.run(state, op.condition, startedAt ?? null, endedAt, attempts, ...failure, state, op.requestId)
        return undefined
      }
      case 'retry': {
        const { startedAt, attempts, errorType, errorMessage } = op.result
        again.run(op.dueAt, op.throttles, startedAt ?? null, attempts, errorType, errorMessage, op.requestId)
        return undefined
      }
      case 'waiting':
        return groups.all()
      case 'find': {
        const row = find.get(op.requestId)
        return row && toRecord(row)
      }
      case 'list': {
        const states = JSON.stringify(op.states.map((state) => STATES.indexOf(state)))
        return list.all(op.functionName, states, op.limit).map(toRecord)
      }
      case 'redrive':
        return redrive.run(op.now, op.now, op.functionName, op.limit).changes
      case 'prune':
        return prune.run(op.endedBefore, op.limit).changes
      default:
        return applyToKeys(keys, op)
    }
  }

  const all = db.transaction((operations: readonly Operation[], bytes: Uint8Array) =>
    operations.map((op) => one(op, bytes))
  )
  return {
    apply: (operations, bytes) => all.immediate(operations, bytes),
    close() {
      db.close()
    }
  }
}

function applyToKeys(keys: IdempotencyKeys, op: KeyOperation): unknown {
  switch (op.kind) {
    case 'findKey':
      return keys.find(op.caller, op.key, op.now)
    case 'reserveKey':
      return keys.reserve(op.request, op.now)
    case 'concludeKey':
      keys.conclude(op.request, op.answer, op.now)
      return undefined
    case 'forgetKey':
      keys.forget(op.caller, op.key)
      return undefined
    case 'pruneKeys':
      return keys.prune(op.now, op.limit)
  }
}

function toEvent(row: Row): QueuedEvent {
  return {
    requestId: row.request_id,
    functionName: row.function_name,
    qualifier: row.qualifier,
    traceId: row.trace_id,
    clientContext: row.client_context,
    payload: row.payload,
    acceptedAt: row.accepted_at,
    attempts: row.attempts,
    throttles: row.throttles
  }
}

function toRecord(row: Row): InvocationRecord {
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
