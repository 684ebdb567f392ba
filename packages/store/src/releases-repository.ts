import type { ReleasePlan, ReleaseRecord, ReleaseState, ReleaseWatch } from '@hearth/shared'
import type { Db } from './sqlite-addon.ts'

interface ReleaseRow {
  id: string
  function: string
  alias: string
  state: ReleaseState
  step: number
  plan: string
  progress: string
  created_at: string
}

/** What of a release changes while it goes on, beside its state and step. */
type Progress = Pick<ReleaseRecord, 'stepStartedAt' | 'pausedAt' | 'tallies' | 'events'>

/** Releases in SQLite. At most one of an alias is under way: the table sees to it. */
export interface ReleasesRepository {
  find(id: string): ReleaseRecord | undefined
  /** The one that is running or paused. */
  findUnderWay(functionName: string, alias: string): ReleaseRecord | undefined
  /** Newest first. */
  list(functionName: string, limit: number): readonly ReleaseRecord[]
  put(release: ReleaseRecord): void
  /** Removes all but the newest `keep` of a function that are at their end. */
  prune(functionName: string, keep: number): void
}

export function createReleasesRepository(db: Db): ReleasesRepository {
  const select = db.prepare<[id: string], ReleaseRow>('SELECT * FROM releases WHERE id = ?')
  const underWay = db.prepare<[functionName: string, alias: string], ReleaseRow>(
    `SELECT * FROM releases WHERE function = ? AND alias = ? AND state IN ('running', 'paused')`
  )
  const page = db.prepare<[functionName: string, limit: number], ReleaseRow>(
    'SELECT * FROM releases WHERE function = ? ORDER BY created_at DESC, rowid DESC LIMIT ?'
  )
  const insert = db.prepare<ReleaseRow>(`
    INSERT INTO releases (id, function, alias, state, step, plan, progress, created_at)
    VALUES (@id, @function, @alias, @state, @step, @plan, @progress, @created_at)`)
  const move = db.prepare<ReleaseRow>(
    'UPDATE releases SET state = @state, step = @step, progress = @progress WHERE id = @id'
  )
  // Counts alone are no change that the gateway must hear of; a column that is named in SET would fire its trigger.
  const note = db.prepare<[progress: string, id: string]>('UPDATE releases SET progress = ? WHERE id = ?')
  const prune = db.prepare<{ functionName: string; keep: number }>(`
    DELETE FROM releases WHERE function = @functionName AND state NOT IN ('running', 'paused') AND id NOT IN (
      SELECT id FROM releases WHERE function = @functionName ORDER BY created_at DESC, rowid DESC LIMIT @keep)`)
  return {
    find(id) {
      const row = select.get(id)
      return row && toRelease(row)
    },
    findUnderWay(functionName, alias) {
      const row = underWay.get(functionName, alias)
      return row && toRelease(row)
    },
    list: (functionName, limit) => page.all(functionName, limit).map(toRelease),
    put(release) {
      const row = toRow(release)
      const before = select.get(release.id)
      if (before === undefined) insert.run(row)
      else if (before.state === row.state && before.step === row.step) note.run(row.progress, row.id)
      else move.run(row)
    },
    prune(functionName, keep) {
      prune.run({ functionName, keep })
    }
  }
}

/** The reading half, as the gateway needs it. */
export function prepareReleaseWatches(db: Db): () => readonly ReleaseWatch[] {
  const select = db.prepare<[], Pick<ReleaseRow, 'id' | 'step' | 'plan'>>(
    `SELECT id, step, plan FROM releases WHERE state IN ('running', 'paused')`
  )
  return () => select.all().map(({ id, step, plan }) => toReleaseWatch(id, step, plan))
}

export function toReleaseWatch(id: string, step: number, plan: string): ReleaseWatch {
  const { toVersion, maxP99Ms } = JSON.parse(plan) as ReleasePlan
  return { id, step, version: toVersion, maxP99Ms }
}

function toRow(release: ReleaseRecord): ReleaseRow {
  const { stepStartedAt, pausedAt, tallies, events } = release
  return {
    id: release.id,
    function: release.functionName,
    alias: release.alias,
    state: release.state,
    step: release.step,
    plan: JSON.stringify(release.plan),
    progress: JSON.stringify({ stepStartedAt, pausedAt, tallies, events } satisfies Progress),
    created_at: release.createdAt
  }
}

function toRelease(row: ReleaseRow): ReleaseRecord {
  const plan = JSON.parse(row.plan) as ReleasePlan
  const progress = JSON.parse(row.progress) as Progress
  return {
    id: row.id,
    functionName: row.function,
    alias: row.alias,
    state: row.state,
    step: row.step,
    // JSON has no undefined: members that were not set are absent.
    plan: { ...plan, maxP99Ms: plan.maxP99Ms },
    stepStartedAt: progress.stepStartedAt,
    pausedAt: progress.pausedAt,
    tallies: progress.tallies ?? [],
    events: progress.events,
    createdAt: row.created_at
  }
}
