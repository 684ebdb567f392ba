import type { Db } from '../sqlite-addon.ts'
import type { Delivery, DeliveryRecord, DeliveryResult, NewDelivery } from './types.ts'

const STATES = ['waiting', 'claimed', 'delivered', 'failed'] as const

interface Row {
  readonly id: string
  readonly request_id: string
  readonly function_name: string
  readonly qualifier: string
  readonly purpose: NewDelivery['purpose']
  readonly target: string
  readonly trace_id: string
  readonly attributes: string
  readonly state: number
  readonly due_at: number
  readonly created_at: number
  readonly ended_at: number | null
  readonly attempts: number
  readonly error: string
  readonly body: Buffer
}

/** Outcomes on their way. */
export function createDeliveryTable(db: Db) {
  const insert =
    db.prepare(`INSERT INTO deliveries (id, request_id, function_name, qualifier, purpose, target, trace_id,
    attributes, state, due_at, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`)
  const take = db.prepare<[now: number, except: string, limit: number], Row>(`UPDATE deliveries SET state = 1
    WHERE rowid IN (SELECT rowid FROM deliveries WHERE state = 0 AND due_at <= ?
      AND target NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at LIMIT ?) RETURNING *`)
  const nextDue = db
    .prepare<[except: string], number | null>(
      `SELECT due_at FROM deliveries WHERE state = 0 AND target NOT IN (SELECT value FROM json_each(?))
       ORDER BY due_at LIMIT 1`
    )
    .pluck()
  const end = db.prepare(`UPDATE deliveries SET state = ?, ended_at = ?, attempts = ?, error = ?,
    body = CASE ? WHEN 2 THEN NULL ELSE body END WHERE id = ? AND state = 1`)
  const again = db.prepare(
    'UPDATE deliveries SET state = 0, due_at = ?, attempts = ?, error = ? WHERE id = ? AND state = 1'
  )
  const ofEvent = db.prepare<
    [requestId: string],
    Row
  >(`SELECT id, request_id, function_name, qualifier, purpose, target,
    state, created_at, ended_at, attempts, error FROM deliveries WHERE request_id = ? ORDER BY created_at, id`)
  // Each from its own partial index, in which row numbers are too: they grow in the order in which rows are made.
  const firstOf = (state: 0 | 1) =>
    db.prepare<[], { readonly count: number; readonly first: number | null }>(
      `SELECT count(*) AS count, min(rowid) AS first FROM deliveries WHERE state = ${state}`
    )
  const [waiting, claimed] = [firstOf(0), firstOf(1)]
  const createdAt = db.prepare<[row: number], number>('SELECT created_at FROM deliveries WHERE rowid = ?').pluck()
  const prune = db.prepare(
    'DELETE FROM deliveries WHERE rowid IN (SELECT rowid FROM deliveries WHERE ended_at < ? ORDER BY ended_at LIMIT ?)'
  )
  return {
    add(delivery: Omit<NewDelivery, 'body'>, body: Buffer): void {
      const { id, requestId, functionName, qualifier, purpose, target, traceId, attributes, createdAt } = delivery
      const columns = [id, requestId, functionName, qualifier, purpose, target, traceId, attributes]
      insert.run(...columns, createdAt, createdAt, body)
    },
    claim(now: number, limit: number, except: readonly string[]) {
      const left = JSON.stringify(except)
      const rows = take.all(now, left, limit).sort((a, b) => a.due_at - b.due_at)
      return { deliveries: rows.map(toDelivery), nextDueAt: nextDue.get(left) ?? undefined }
    },
    end(id: string, isDelivered: boolean, { at, attempts, error }: DeliveryResult): void {
      const state = isDelivered ? 2 : 3
      end.run(state, at, attempts, error, state, id)
    },
    retry(id: string, dueAt: number, { attempts, error }: DeliveryResult): void {
      again.run(dueAt, attempts, error, id)
    },
    pending(): { readonly count: number; readonly oldestAt: number | undefined } {
      const [one, other] = [waiting.get()!, claimed.get()!]
      const firsts = [one.first, other.first].filter((row) => row !== null)
      return {
        count: one.count + other.count,
        oldestAt: firsts.length === 0 ? undefined : createdAt.get(Math.min(...firsts))
      }
    },
    list: (requestId: string): readonly DeliveryRecord[] => ofEvent.all(requestId).map(toDeliveryRecord),
    prune(endedBefore: number, limit: number): void {
      prune.run(endedBefore, limit)
    }
  }
}

function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    requestId: row.request_id,
    functionName: row.function_name,
    qualifier: row.qualifier,
    purpose: row.purpose,
    target: row.target,
    traceId: row.trace_id,
    attributes: row.attributes,
    body: row.body,
    createdAt: row.created_at,
    attempts: row.attempts
  }
}

function toDeliveryRecord(row: Row): DeliveryRecord {
  return {
    id: row.id,
    requestId: row.request_id,
    functionName: row.function_name,
    qualifier: row.qualifier,
    purpose: row.purpose,
    target: row.target,
    state: STATES[row.state]!,
    createdAt: row.created_at,
    attempts: row.attempts,
    endedAt: row.ended_at ?? undefined,
    error: row.error
  }
}
