import type { Db } from '../sqlite-addon.ts'
import { createPointWriter, type PointRow, valuesOf } from './metric-store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** How long values are told apart by periods of this many seconds, and by which ones then. @see reference: monitoring §4 */
const TIERS = [
  { period: 1, keepMs: 3 * HOUR_MS, next: 60 },
  { period: 60, keepMs: 15 * DAY_MS, next: 300 },
  { period: 300, keepMs: 63 * DAY_MS, next: 3_600 },
  { period: 3_600, keepMs: 455 * DAY_MS, next: undefined }
] as const

const REPORTS_KEPT_MS = 2 * DAY_MS
/** Series looked at in one step. */
const SERIES = 50

/**
 * Moves values to wider periods as they grow old, and removes the oldest, with the series that have none left.
 *
 * @param rows - Of values, at most so many moved or removed in one step
 * @returns one step of bounded work; it says whether there may be more to do now
 */
export function createRollUp(db: Db, now: () => Date, rows = 500): () => boolean {
  const writePoint = createPointWriter(db)
  const nextSeries = db
    .prepare<[number, number], number>('SELECT id FROM metric_series WHERE id > ? ORDER BY id LIMIT ?')
    .pluck()
  const old = db.prepare<[number, number, number, number], PointRow>(
    'SELECT * FROM metric_points WHERE series = ? AND period = ? AND at < ? ORDER BY at LIMIT ?'
  )
  const remove = db.prepare('DELETE FROM metric_points WHERE series = ? AND period = ? AND at = ? AND unit = ?')
  const removeSeries = db.prepare(
    `DELETE FROM metric_series WHERE id = ? AND last_at < ?
     AND NOT EXISTS (SELECT 1 FROM metric_points WHERE series = metric_series.id)`
  )
  const removeReports = db.prepare(
    'DELETE FROM metric_reports WHERE id IN (SELECT id FROM metric_reports WHERE at < ? LIMIT ?)'
  )
  /** The last series that is done. */
  let position = 0

  /** @returns how many rows there is room for still */
  function rollUp(id: number, room: number): number {
    let left = room
    for (const { period, keepMs, next } of TIERS) {
      if (left === 0) return 0
      // Whole periods of the next tier, so that it is never told apart within one.
      const width = (next ?? period) * 1_000
      const before = Math.floor((now().getTime() - keepMs) / width) * width
      const moved = old.all(id, period, before, left)
      left -= moved.length
      for (const row of moved) {
        if (next !== undefined) writePoint(id, next, Math.floor(row.at / width) * width, row.unit, valuesOf(row))
        remove.run(id, period, row.at, row.unit)
      }
    }
    return left
  }

  const step = db.transaction((): boolean => {
    removeReports.run(now().getTime() - REPORTS_KEPT_MS, rows)
    const ids = nextSeries.all(position, SERIES)
    let left = rows
    for (const id of ids) {
      left = rollUp(id, left)
      // There may be more of this one.
      if (left === 0) return true
      removeSeries.run(id, now().getTime() - DAY_MS)
      position = id
    }
    if (ids.length === SERIES) return true
    position = 0
    return false
  })
  return () => step.immediate()
}
