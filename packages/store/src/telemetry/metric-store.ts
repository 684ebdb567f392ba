import { HearthError } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'
import { combine, decodeDistribution, encodeDistribution } from './distribution.ts'
import { createSeriesTable } from './series-table.ts'
import type { MetricPoint, MetricQuery, MetricSample, MetricStore, StatisticSet } from './types.ts'

export interface MetricStoreOptions {
  readonly now: () => Date
  /** Series of namespaces other than `AWS/…`. */
  readonly maxCustomSeries: number
  /** Series of `AWS/…`: those beyond it are left out. */
  readonly maxPlatformSeries: number
}

export interface PointRow {
  readonly period: number
  readonly at: number
  readonly unit: string
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  readonly distribution: Buffer | null
}

const LIST_MS = 14 * 86_400_000
/** Three hours, and one by which a series' newest value may be later than is noted. */
const RECENT_MS = 4 * 3_600_000

export function createMetricStore(
  db: Db,
  { now, maxCustomSeries, maxPlatformSeries }: MetricStoreOptions
): MetricStore {
  const series = createSeriesTable(db, { maxCustomSeries, maxPlatformSeries })
  const insertPoint = createPointWriter(db)
  const isReportNew = db.prepare<[string, number]>(
    'INSERT INTO metric_reports (id, at) VALUES (?, ?) ON CONFLICT DO NOTHING'
  )
  const read = db.prepare<[number, number, number, number], PointRow>(
    `SELECT period, at, unit, count, sum, min, max, distribution FROM metric_points
     WHERE series = ? AND period = ? AND at >= ? AND at < ?`
  )

  const put = db.transaction((samples: readonly MetricSample[], report: string | undefined) => {
    if (report !== undefined && isReportNew.run(report, now().getTime()).changes === 0) return
    for (const { key, at, unit, resolution = 60, values } of samples) {
      if (values.count === 0) continue
      const id = series.idOf(key, at)
      if (id === undefined) continue
      const width = resolution * 1_000
      insertPoint(id, resolution, Math.floor(at / width) * width, unit, values)
    }
  })

  return {
    put(samples, report) {
      try {
        put.immediate(samples, report)
      } catch (thrown) {
        // What the transaction made of series is not there.
        series.forget()
        if ((thrown as { code?: unknown }).code !== 'SQLITE_CONSTRAINT_FOREIGNKEY') throw thrown
        // A series that was remembered is gone: too old, or of an outer transaction that came to nothing.
        put.immediate(samples, report)
      }
    },
    points({ key, from, to, period, unit }: MetricQuery): MetricPoint[] {
      const id = series.find(key)
      if (id === undefined) return []
      const width = period * 1_000
      const start = Math.floor(from / width) * width
      const found = new Map<string, { at: number; unit: string; values: StatisticSet }>()
      for (const tier of [1, 60, 300, 3_600]) {
        // What is kept for a wider period only cannot be told apart any more.
        if (tier > period) break
        for (const row of read.iterate(id, tier, start, to)) {
          if (unit !== undefined && row.unit !== unit) continue
          const at = Math.floor(row.at / width) * width
          const name = `${at} ${row.unit}`
          const known = found.get(name)
          const values = valuesOf(row)
          if (known === undefined) found.set(name, { at, unit: row.unit, values })
          else known.values = combine(known.values, values)
        }
      }
      return [...found.values()].sort((a, b) => a.at - b.at)
    },
    list: (filter) => series.list(filter, now().getTime() - (filter.recent === true ? RECENT_MS : LIST_MS))
  }
}

export function valuesOf(row: PointRow): StatisticSet {
  const { count, sum, min, max } = row
  return { count, sum, min, max, distribution: decodeDistribution(row.distribution, row) }
}

/** Adds values to what a series has at one time already. */
export function createPointWriter(db: Db) {
  const insert = db.prepare(
    `INSERT INTO metric_points (series, period, at, unit, count, sum, min, max, distribution)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
  )
  const find = db.prepare<[number, number, number, string], PointRow>(
    'SELECT * FROM metric_points WHERE series = ? AND period = ? AND at = ? AND unit = ?'
  )
  const update = db.prepare(
    `UPDATE metric_points SET count = ?, sum = ?, min = ?, max = ?, distribution = ?
     WHERE series = ? AND period = ? AND at = ? AND unit = ?`
  )
  return (id: number, period: number, at: number, unit: string, values: StatisticSet): void => {
    const { count, sum, min, max } = values
    if (![count, sum, min, max].every(Number.isFinite)) {
      throw new HearthError('VALIDATION_FAILED', 'The values of a metric must be finite numbers.')
    }
    if (insert.run(id, period, at, unit, count, sum, min, max, encodeDistribution(values)).changes === 1) return
    const all = combine(valuesOf(find.get(id, period, at, unit)!), complete(values))
    update.run(all.count, all.sum, all.min, all.max, encodeDistribution(all), id, period, at, unit)
  }
}

/** Equal values need no distribution: minimum and maximum say it. */
function complete(values: StatisticSet): StatisticSet {
  if (values.distribution !== undefined || values.min !== values.max) return values
  return { ...values, distribution: [[values.min, values.count]] }
}
