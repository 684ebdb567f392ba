import type { Db } from '../sqlite-addon.ts'
import type { ArchiveTotal, ReplayProgress, ReplayQuery } from './archive-types.ts'
import type { ArchiveOperation } from './operations.ts'

interface ReplayRow {
  readonly id: string
  readonly last_seq: number
  readonly event_at: number | null
  readonly event_seq: number | null
  readonly state: ReplayProgress['state']
  readonly reason: string
  readonly ended_at: number | null
}

/** Bytes of one answer to `read-replay`, unless its first event alone has more. */
const READ_BYTES = 1_048_576

/** Archived events and replays in SQLite. */
export function createArchiveTable(db: Db) {
  const insert = db.prepare('INSERT INTO archived_events (archive, event_at, archived_at, event) VALUES (?, ?, ?, ?)')
  const add = db.prepare(`INSERT INTO archives (id, events, bytes) VALUES (?, 1, ?)
    ON CONFLICT (id) DO UPDATE SET events = events + 1, bytes = bytes + excluded.bytes`)
  const totals = db.prepare<[], ArchiveTotal>('SELECT id, events, bytes FROM archives')
  const oldest = db.prepare<[archive: string, before: number, limit: number], { seq: number; bytes: number }>(
    `SELECT seq, length(event) AS bytes FROM archived_events WHERE archive = ? AND archived_at < ?
     ORDER BY archived_at LIMIT ?`
  )
  const remove = db.prepare<[seq: number]>('DELETE FROM archived_events WHERE seq = ?')
  const subtract = db.prepare('UPDATE archives SET events = events - ?, bytes = bytes - ? WHERE id = ?')
  const drop = db.prepare<[id: string]>('DELETE FROM archives WHERE id = ?')
  const begin = db.prepare<[id: string]>(`INSERT INTO replays (id, last_seq, state)
    VALUES (?, coalesce((SELECT max(seq) FROM archived_events), 0), 'RUNNING') ON CONFLICT (id) DO NOTHING`)
  const find = db.prepare<[id: string], ReplayRow>('SELECT * FROM replays WHERE id = ?')
  const list = db.prepare<[], ReplayRow>('SELECT * FROM replays')
  const next = db.prepare<
    { archive: string; at: number; seq: number; until: number; lastSeq: number; limit: number },
    { eventAt: number; seq: number; event: Buffer }
  >(`SELECT event_at AS eventAt, seq, event FROM archived_events
    WHERE archive = @archive AND (event_at, seq) > (@at, @seq) AND event_at <= @until AND seq <= @lastSeq
    ORDER BY event_at, seq LIMIT @limit`)
  const advance = db.prepare('UPDATE replays SET event_at = ?, event_seq = ? WHERE id = ?')
  const end = db.prepare('UPDATE replays SET state = ?, reason = ?, ended_at = ? WHERE id = ?')
  const forget = db.prepare<[string]>('DELETE FROM replays WHERE id IN (SELECT value FROM json_each(?))')
  const countDue = db
    .prepare<[name: string, now: number, most: number], number>(
      'SELECT count(*) FROM (SELECT 1 FROM events WHERE state = 0 AND function_name = ? AND due_at <= ? LIMIT ?)'
    )
    .pluck()

  function prune(archive: string, before: number, limit: number): number {
    const rows = oldest.all(archive, before, limit)
    for (const { seq } of rows) remove.run(seq)
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    if (rows.length > 0) subtract.run(rows.length, bytes, archive)
    return rows.length
  }

  function read({ replay, archive, from, until, limit }: ReplayQuery) {
    const row = find.get(replay)
    if (row === undefined) return []
    const found: { eventAt: number; seq: number; event: Buffer }[] = []
    let bytes = 0
    const position = { at: row.event_at ?? from, seq: row.event_seq ?? 0 }
    for (const one of next.iterate({ archive, ...position, until, lastSeq: row.last_seq, limit })) {
      bytes += one.event.length
      if (found.length > 0 && bytes > READ_BYTES) break
      found.push(one)
    }
    return found
  }

  return {
    /** @param event - Of the operation `archive` */
    apply(op: ArchiveOperation, event: Buffer | undefined): unknown {
      switch (op.kind) {
        case 'archive':
          for (const archive of op.archives) {
            insert.run(archive, op.eventAt, op.archivedAt, event)
            add.run(archive, op.length)
          }
          return undefined
        case 'archive-totals':
          return totals.all()
        case 'prune-archive':
          return prune(op.archive, op.before, op.limit)
        case 'drop-archive': {
          const gone = prune(op.archive, Number.MAX_SAFE_INTEGER, op.limit)
          if (gone < op.limit) drop.run(op.archive)
          return gone
        }
        case 'begin-replay':
          begin.run(op.id)
          return toProgress(find.get(op.id)!)
        case 'read-replay':
          return read(op.query)
        case 'advance-replay':
          advance.run(op.position.eventAt, op.position.seq, op.id)
          return undefined
        case 'end-replay':
          end.run(op.state, op.reason, op.at, op.id)
          return undefined
        case 'list-replays':
          return list.all().map(toProgress)
        case 'forget-replays':
          forget.run(JSON.stringify(op.ids))
          return undefined
        case 'count-due':
          return countDue.get(op.functionName, op.now, op.most)
      }
    }
  }
}

function toProgress({ id, state, reason, event_at, event_seq, ended_at }: ReplayRow): ReplayProgress {
  const position = event_at === null ? undefined : { eventAt: event_at, seq: event_seq! }
  return { id, state, reason, position, endedAt: ended_at ?? undefined }
}
