import { HearthError } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'
import type { MetricKey } from './types.ts'

/** Ids kept in memory; more are looked up. */
const CACHED = 50_000
const HOUR_MS = 3_600_000
/** The longest list that is made at once. */
const MAX_LISTED = 100_000

interface Known {
  readonly id: number
  lastAt: number
}

interface SeriesRow {
  readonly id: number
  readonly namespace: string
  readonly name: string
  readonly dimensions: string
  readonly last_at: number
}

/** Series by what identifies them; each is made at its first value. */
export function createSeriesTable(
  db: Db,
  limits: { readonly maxCustomSeries: number; readonly maxPlatformSeries: number }
) {
  const known = new Map<string, Known>()
  const select = db.prepare<[string, string, string], SeriesRow>(
    'SELECT * FROM metric_series WHERE namespace = ? AND name = ? AND dimensions = ?'
  )
  const insert = db.prepare('INSERT INTO metric_series (namespace, name, dimensions, last_at) VALUES (?, ?, ?, ?)')
  const touch = db.prepare('UPDATE metric_series SET last_at = ? WHERE id = ?')
  const countCustom = db
    .prepare<[], number>("SELECT count(*) FROM metric_series WHERE namespace NOT GLOB 'AWS/*'")
    .pluck()
  const countPlatform = db
    .prepare<[], number>("SELECT count(*) FROM metric_series WHERE namespace GLOB 'AWS/*'")
    .pluck()
  const list = db.prepare<[string | null, string | null, number, number], SeriesRow>(
    `SELECT * FROM metric_series WHERE namespace = coalesce(?, namespace) AND name = coalesce(?, name) AND last_at >= ?
     ORDER BY namespace, name, dimensions LIMIT ?`
  )
  /** Counted once, then kept up: series are many. */
  let custom: number | undefined
  let platform: number | undefined

  /** @returns undefined when there is no room for one more of the platform's */
  function make(key: MetricKey, dimensions: string, at: number): number | undefined {
    if (key.namespace.startsWith('AWS/')) {
      platform ??= countPlatform.get()!
      if (platform >= limits.maxPlatformSeries) return undefined
      platform++
    } else {
      custom ??= countCustom.get()!
      if (custom >= limits.maxCustomSeries) {
        throw new HearthError(
          'LIMIT_EXCEEDED',
          `There are ${custom} custom metrics already, each distinct set of dimensions counted; no more are taken.`,
          { awsStatus: 400 }
        )
      }
      custom++
    }
    return Number(insert.run(key.namespace, key.name, dimensions, at).lastInsertRowid)
  }

  return {
    /** Finds or makes it, and notes that it has a value at `at`. @throws HearthError LIMIT_EXCEEDED */
    idOf(key: MetricKey, at: number): number | undefined {
      const dimensions = JSON.stringify(key.dimensions)
      const name = `${key.namespace}\n${key.name}\n${dimensions}`
      let entry = known.get(name)
      if (entry === undefined) {
        const row = select.get(key.namespace, key.name, dimensions)
        const id = row?.id ?? make(key, dimensions, at)
        if (id === undefined) return undefined
        entry = { id, lastAt: row?.last_at ?? at }
        if (known.size >= CACHED) known.delete(known.keys().next().value!)
        known.set(name, entry)
      }
      if (at >= entry.lastAt + HOUR_MS) {
        touch.run(at, entry.id)
        entry.lastAt = at
      }
      return entry.id
    },
    find(key: MetricKey): number | undefined {
      const dimensions = JSON.stringify(key.dimensions)
      return select.get(key.namespace, key.name, dimensions)?.id
    },
    list(
      { namespace, name }: { namespace?: string | undefined; name?: string | undefined },
      since: number
    ): MetricKey[] {
      return list.all(namespace ?? null, name ?? null, since, MAX_LISTED).map((row) => ({
        namespace: row.namespace,
        name: row.name,
        dimensions: JSON.parse(row.dimensions) as MetricKey['dimensions']
      }))
    },
    /** After a transaction that did not come to its end, or series that were removed. */
    forget(): void {
      known.clear()
      custom = undefined
      platform = undefined
    }
  }
}
