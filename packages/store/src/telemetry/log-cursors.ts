import type { LogPosition } from '../logs/types.ts'
import type { Db } from '../sqlite-addon.ts'

/** How far somebody who follows logs is in one group. */
export interface LogCursor {
  /** The last event that is done; undefined: none yet. */
  readonly position: LogPosition | undefined
  /** The last event of what is under way: after a crash just this is to be done again. */
  readonly until: LogPosition | undefined
}

/** Durable places of those who follow logs. What is done in one turn with metrics is one transaction with them. */
export interface LogCursors {
  /** Makes it known where it is not. @returns since when events are for it, Unix time in ms */
  register(reader: string, since: number): number
  readers(): readonly string[]
  /** With all its cursors. */
  removeReader(reader: string): void
  find(reader: string, group: string): LogCursor | undefined
  /** What was under way is done. */
  save(reader: string, group: string, position: LogPosition | undefined): void
  /** Notes what is about to be handed over. There is a cursor, or none: then it begins at the group's first event. */
  plan(reader: string, group: string, until: LogPosition): void
  /** Groups with cursors. */
  groups(): readonly string[]
  /** A group that is gone. */
  removeGroup(group: string): void
  transaction(work: () => void): void
}

interface CursorRow {
  readonly segment: number
  readonly offset: number
  readonly until_segment: number | null
  readonly until_offset: number | null
}

/** Before the first event of a group. */
const START = { segment: -1, offset: -1 }

/** @param db - Of `telemetry.db` */
export function createLogCursors(db: Db): LogCursors {
  const register = db.prepare('INSERT INTO log_readers (name, since) VALUES (?, ?) ON CONFLICT DO NOTHING')
  const since = db.prepare<[string], number>('SELECT since FROM log_readers WHERE name = ?').pluck()
  const readers = db.prepare<[], string>('SELECT name FROM log_readers').pluck()
  const removeReader = db.prepare('DELETE FROM log_readers WHERE name = ?')
  const find = db.prepare<[string, string], CursorRow>('SELECT * FROM log_cursors WHERE reader = ? AND group_name = ?')
  const save = db.prepare(
    `INSERT INTO log_cursors (reader, group_name, segment, offset) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET segment = excluded.segment, offset = excluded.offset, until_segment = NULL, until_offset = NULL`
  )
  const plan = db.prepare(
    `INSERT INTO log_cursors (reader, group_name, segment, offset, until_segment, until_offset)
     VALUES (?, ?, ${START.segment}, ${START.offset}, ?, ?)
     ON CONFLICT DO UPDATE SET until_segment = excluded.until_segment, until_offset = excluded.until_offset`
  )
  const groups = db.prepare<[], string>('SELECT DISTINCT group_name FROM log_cursors').pluck()
  const removeGroup = db.prepare('DELETE FROM log_cursors WHERE group_name = ?')
  return {
    register(reader, from) {
      register.run(reader, from)
      return since.get(reader)!
    },
    readers: () => readers.all(),
    removeReader: (reader) => void removeReader.run(reader),
    find(reader, group) {
      const row = find.get(reader, group)
      return row && toCursor(row)
    },
    save(reader, group, position = START) {
      save.run(reader, group, position.segment, position.offset)
    },
    plan: (reader, group, until) => void plan.run(reader, group, until.segment, until.offset),
    groups: () => groups.all(),
    removeGroup: (group) => void removeGroup.run(group),
    transaction(work) {
      db.transaction(work).immediate()
    }
  }
}

function toCursor(row: CursorRow): LogCursor {
  const { segment, offset, until_segment: untilSegment, until_offset: untilOffset } = row
  return {
    position: segment === START.segment ? undefined : { segment, offset },
    until: untilSegment === null || untilOffset === null ? undefined : { segment: untilSegment, offset: untilOffset }
  }
}
