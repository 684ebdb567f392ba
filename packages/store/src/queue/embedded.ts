import { createIdempotencyKeys, type IdempotencyKeys } from '../idempotency-keys.ts'
import { migrate } from '../migrations.ts'
import { readSchemaState } from '../schema-state.ts'
import { type Db, openDatabase } from '../sqlite-addon.ts'
import { createArchiveTable } from './archive-table.ts'
import { createDeliveryTable } from './delivery-table.ts'
import { createFunctionUsageTable } from './function-usage-table.ts'
import type { Held, KeyOperation, Operation, Span, WriterData } from './operations.ts'
import { createReceiptTable } from './receipt-table.ts'
import { createRecordLists, RECORD, type RecordRow, toRecord } from './records.ts'
import type { Fire, QueuedEvent } from './types.ts'
import { createUsageTable } from './usage-table.ts'

interface Row extends RecordRow {
  readonly throttles: number
  readonly trace_id: string
  readonly client_context: string
  readonly payload: Buffer
}

/** The queue in one SQLite file, whose lock this process holds while it lives. */
export interface EmbeddedQueue {
  /** All or nothing. @returns an answer for each. @throws SqliteError */
  apply(operations: readonly Operation[], bytes: Uint8Array): unknown[]
  /**
   * As many as can be done, in one transaction. @returns an answer for each, and which have none
   *
   * @throws SqliteError when none can, for the disk is full
   */
  applySome(
    operations: readonly Operation[],
    bytes: Uint8Array
  ): { readonly answers: unknown[]; readonly failed: number[] }
  close(): void
}

/** @throws SchemaError, AddonMismatchError, SqliteError (SQLITE_BUSY: another gateway has it) */
export function openEmbeddedQueue({ file, migrationsDir, maxPages, busyMs, held }: WriterData): EmbeddedQueue {
  const db = openDatabase(file, { timeout: busyMs })
  try {
    // Ownership is the kernel's lock: it ends with the process, however that ends.
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    migrate(db, migrationsDir, () => new Date())
    if (maxPages > 0) db.pragma(`max_page_count = ${maxPages}`)
    // What an earlier process had is nobody's any more.
    release(db, held)
    return embedded(db)
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

function embedded(db: Db): EmbeddedQueue {
  const insert = db.prepare(`INSERT INTO events (request_id, function_name, qualifier, state, due_at, accepted_at,
    trace_id, client_context, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (request_id) DO NOTHING`)
  const take = db.prepare<[string, number, number], Row>(`UPDATE events SET state = 1 WHERE rowid IN (
    SELECT rowid FROM events WHERE state = 0 AND function_name = ? AND due_at <= ? ORDER BY due_at LIMIT ?) RETURNING *`)
  const nextDue = db.prepare<[string], { due: number | null }>(
    'SELECT min(due_at) AS due FROM events WHERE state = 0 AND function_name = ?'
  )
  const end = db.prepare(`UPDATE events SET state = ?, condition = ?, started_at = ?, ended_at = ?, attempts = ?,
    error_type = ?, error_message = ?, payload = CASE ? WHEN 2 THEN NULL ELSE payload END
    WHERE request_id = ? AND state = 1`)
  const again = db.prepare(`UPDATE events SET state = 0, due_at = ?, throttles = ?, started_at = ?, attempts = ?,
    error_type = ?, error_message = ?, trace_id = coalesce(?, trace_id) WHERE request_id = ? AND state = 1`)
  const groups = db.prepare<[], { functionName: string; dueAt: number }>(
    'SELECT function_name AS functionName, min(due_at) AS dueAt FROM events WHERE state = 0 GROUP BY function_name'
  )
  const find = db.prepare<[string], RecordRow>(`SELECT ${RECORD} FROM events WHERE request_id = ?`)
  const lists = createRecordLists(db)
  const deliveries = createDeliveryTable(db)
  const redrive = db.prepare(`UPDATE events SET state = 0, due_at = ?, accepted_at = ?, attempts = 0, throttles = 0,
    started_at = NULL, ended_at = NULL, condition = NULL, error_type = NULL, error_message = NULL WHERE rowid IN (
    SELECT rowid FROM events WHERE function_name = ? AND state = 3 ORDER BY accepted_at LIMIT ?)`)
  const prune = db.prepare(
    'DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE ended_at < ? ORDER BY ended_at LIMIT ?)'
  )

  const fire = db.prepare<[key: string, dueAt: number]>(`INSERT INTO fires (key, due_at) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at > due_at`)
  const fires = db.prepare<[], Fire>('SELECT key, due_at AS dueAt FROM fires')
  const forgetFires = db.prepare<[string]>('DELETE FROM fires WHERE key IN (SELECT value FROM json_each(?))')
  const receipts = createReceiptTable(db)
  const keys = createIdempotencyKeys(db)
  const archives = createArchiveTable(db)
  const usage = createUsageTable(db)
  const functionUsage = createFunctionUsageTable(db)

  function one(op: Operation, bytes: Uint8Array): unknown {
    switch (op.kind) {
      case 'enqueue': {
        const payload = bodyOf(op, bytes)
        const state = op.claimed ? 1 : 0
        const at = op.acceptedAt
        if (op.fired !== undefined && fire.run(op.fired.key, op.fired.dueAt).changes === 0) return undefined
        const first = op.receipt && receipts.note(op.receipt, at)
        if (first !== undefined) return first
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
        const { changes } = end.run(
          state,
          op.condition,
          startedAt ?? null,
          endedAt,
          attempts,
          ...failure,
          state,
          op.requestId
        )
        // Asked a second time, after nobody knew whether the first was done, it sends nothing twice.
        if (changes > 0) for (const delivery of op.deliveries) deliveries.add(delivery, bodyOf(delivery, bytes))
        return undefined
      }
      case 'retry': {
        const { startedAt, attempts, errorType, errorMessage } = op.result
        const traceId = op.traceId ?? null
        again.run(op.dueAt, op.throttles, startedAt ?? null, attempts, errorType, errorMessage, traceId, op.requestId)
        return undefined
      }
      case 'waiting':
        return groups.all()
      case 'find': {
        const row = find.get(op.requestId)
        return row && toRecord(row)
      }
      case 'list':
        return lists.list(op.query)
      case 'backlog':
        return lists.backlog(op.limit)
      case 'pending-deliveries':
        return deliveries.pending()
      case 'claim-deliveries':
        return deliveries.claim(op.now, op.limit, op.except)
      case 'end-delivery':
        deliveries.end(op.id, op.isDelivered, op.result)
        return undefined
      case 'retry-delivery':
        deliveries.retry(op.id, op.dueAt, op.result)
        return undefined
      case 'list-deliveries':
        return deliveries.list(op.requestId)
      case 'redrive':
        return redrive.run(op.now, op.now, op.functionName, op.limit).changes
      case 'prune':
        deliveries.prune(op.endedBefore, op.limit)
        return prune.run(op.endedBefore, op.limit).changes
      case 'list-fires':
        return fires.all()
      case 'note-fire':
        fire.run(op.fire.key, op.fire.dueAt)
        return undefined
      case 'forget-fires':
        forgetFires.run(JSON.stringify(op.keys))
        return undefined
      case 'list-usage':
        return usage.list(op.query)
      case 'put-usage':
        usage.put(op.days)
        return undefined
      case 'prune-usage':
        return usage.prune(op.before, op.limit)
      case 'schema':
        return readSchemaState(db)
      case 'add-function-usage':
      case 'day-of-function-usage':
      case 'provisioned-blocks':
      case 'prune-function-usage':
        return functionUsage.apply(op)
      case 'receive':
        return receipts.note(op.receipt, op.now)
      case 'prune-receipts':
        return receipts.prune(op.now, op.limit)
      case 'findKey':
      case 'reserveKey':
      case 'concludeKey':
      case 'forgetKey':
      case 'pruneKeys':
        return applyToKeys(keys, op)
      default:
        if (op.kind !== 'archive') return archives.apply(op, undefined)
        if (op.receipt !== undefined && receipts.note(op.receipt, op.archivedAt) !== undefined) return undefined
        return archives.apply(op, bodyOf(op, bytes))
    }
  }

  const all = db.transaction((operations: readonly Operation[], bytes: Uint8Array) =>
    operations.map((op) => one(op, bytes))
  )
  const inSavepoint = db.transaction(one)
  const some = db.transaction((operations: readonly Operation[], bytes: Uint8Array) => {
    const answers: unknown[] = []
    const failed: number[] = []
    for (const [index, op] of operations.entries()) {
      try {
        answers[index] = inSavepoint(op, bytes)
      } catch (thrown) {
        // A full disk ends the whole transaction, and with it what was done before.
        if (!db.inTransaction) throw thrown
        failed.push(index)
      }
    }
    return { answers, failed }
  })
  return {
    apply: (operations, bytes) => all.immediate(operations, bytes),
    applySome: (operations, bytes) => some.immediate(operations, bytes),
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

function bodyOf({ start, length }: Span, bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
}

/** What an earlier process or thread had, and this process does not, is nobody's any more. */
function release(db: Db, { events, deliveries, refused }: Held): void {
  db.prepare('DELETE FROM events WHERE request_id IN (SELECT value FROM json_each(?))').run(JSON.stringify(refused))
  db.prepare('UPDATE events SET state = 0 WHERE state = 1 AND request_id NOT IN (SELECT value FROM json_each(?))').run(
    JSON.stringify(events)
  )
  db.prepare('UPDATE deliveries SET state = 0 WHERE state = 1 AND id NOT IN (SELECT value FROM json_each(?))').run(
    JSON.stringify(deliveries)
  )
}
