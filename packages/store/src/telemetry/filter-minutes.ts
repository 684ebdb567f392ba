import type { Db } from '../sqlite-addon.ts'

/** A minute in which a metric filter had events. */
export interface FilterMinute {
  readonly group: string
  readonly filter: string
  /** Unix time in ms of its beginning. */
  readonly minute: number
}

/** Minutes of metric filters that have default values, until it is known whether they need one. */
export interface FilterMinutes {
  note(minute: FilterMinute, isMatched: boolean, now: number): void
  /** Those without events since then, which are forgotten with it. @returns the ones in which nothing matched */
  takeQuiet(touchedBefore: number, limit: number): readonly FilterMinute[]
}

/** @param db - Of `telemetry.db` */
export function createFilterMinutes(db: Db): FilterMinutes {
  const note = db.prepare(
    `INSERT INTO metric_filter_minutes (group_name, filter, minute, is_matched, touched_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET is_matched = max(is_matched, excluded.is_matched), touched_at = excluded.touched_at`
  )
  const quiet = db.prepare<[number, number], FilterMinute & { readonly isMatched: number }>(
    `SELECT group_name AS "group", filter, minute, is_matched AS isMatched FROM metric_filter_minutes
     WHERE touched_at < ? LIMIT ?`
  )
  const remove = db.prepare('DELETE FROM metric_filter_minutes WHERE group_name = ? AND filter = ? AND minute = ?')
  return {
    note: ({ group, filter, minute }, isMatched, now) => void note.run(group, filter, minute, isMatched ? 1 : 0, now),
    takeQuiet(touchedBefore, limit) {
      const rows = quiet.all(touchedBefore, limit)
      for (const { group, filter, minute } of rows) remove.run(group, filter, minute)
      return rows.filter(({ isMatched }) => isMatched === 0)
    }
  }
}
