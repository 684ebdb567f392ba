import type { LogGroup, LogGroupClass, LogRemoval, LogStream, MetricFilter, SubscriptionFilter } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'
import { createLogFilters, type LogFilters } from './log-filters.ts'

/** What is said of log groups in SQLite: settings, streams that were made by name, filters, what was removed. */
export interface LogGroupsRepository {
  findGroup(name: string): LogGroup | undefined
  putGroup(group: LogGroup): void
  /** Its streams and filters go too, and so do its events, whether the group has a row or not. @param at - Unix time in ms */
  removeGroup(name: string, at: number): void
  /** In the order of their names, in bytes. */
  listGroups(): readonly LogGroup[]
  findStream(group: string, name: string): LogStream | undefined
  /** The group has a row. */
  addStream(group: string, stream: LogStream): void
  removeStream(group: string, name: string, at: number): void
  listStreams(group: string): readonly LogStream[]
  listRemovals(group: string): readonly LogRemoval[]
  /** Of all groups. */
  listAllRemovals(): readonly LogRemoval[]
  /**
   * Of a group whose files have none of these events any more.
   *
   * @param until - Unix times in ms: those of this time and before, of the whole group and of its streams
   */
  forgetRemovals(group: string, until: { readonly whole: number; readonly streams: number }): void
  readonly subscriptions: LogFilters<SubscriptionFilter>
  readonly metricFilters: LogFilters<MetricFilter>
  /** Another number than before: something of it has changed. */
  revision(): number
}

interface GroupRow {
  name: string
  created_at: number
  retention_days: number | null
  class: string
  is_deletion_refused: number
  tags: string
}

export function createLogGroupsRepository(db: Db): LogGroupsRepository {
  const findGroup = db.prepare<[string], GroupRow>('SELECT * FROM log_groups WHERE name = ?')
  const putGroup =
    db.prepare<GroupRow>(`INSERT INTO log_groups (name, created_at, retention_days, class, is_deletion_refused, tags)
    VALUES (@name, @created_at, @retention_days, @class, @is_deletion_refused, @tags)
    ON CONFLICT (name) DO UPDATE SET retention_days = excluded.retention_days,
      is_deletion_refused = excluded.is_deletion_refused, tags = excluded.tags`)
  const removeGroup = db.prepare<[string]>('DELETE FROM log_groups WHERE name = ?')
  const listGroups = db.prepare<[], GroupRow>('SELECT * FROM log_groups ORDER BY name')
  const stream = 'SELECT name, created_at AS createdAt FROM log_streams WHERE group_name = ?'
  const findStream = db.prepare<[string, string], LogStream>(`${stream} AND name = ?`)
  const addStream = db.prepare<[string, string, number]>(
    'INSERT INTO log_streams (group_name, name, created_at) VALUES (?, ?, ?)'
  )
  const removeStream = db.prepare<[string, string]>('DELETE FROM log_streams WHERE group_name = ? AND name = ?')
  const listStreams = db.prepare<[string], LogStream>(`${stream} ORDER BY name`)
  const note = db.prepare<[string, string, number]>(`INSERT INTO log_removals (group_name, stream_name, removed_at)
    VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET removed_at = max(removed_at, excluded.removed_at)`)
  const forgetStreams = db.prepare<[string]>("DELETE FROM log_removals WHERE group_name = ? AND stream_name <> ''")
  const listRemovals = db.prepare<[string], LogRemoval>(`${REMOVALS} WHERE group_name = ? ORDER BY stream_name`)
  const listAllRemovals = db.prepare<[], LogRemoval>(REMOVALS)
  const forget = db.prepare<[string, number, number]>(`DELETE FROM log_removals
    WHERE group_name = ? AND removed_at <= CASE stream_name WHEN '' THEN ? ELSE ? END`)
  const revision = db.prepare<[], number>('SELECT revision FROM log_revision').pluck()
  const removeWhole = db.transaction((name: string, at: number) => {
    removeGroup.run(name)
    // The group's says it of all its streams.
    forgetStreams.run(name)
    note.run(name, '', at)
  })
  const removePart = db.transaction((group: string, name: string, at: number) => {
    removeStream.run(group, name)
    note.run(group, name, at)
  })
  return {
    findGroup(name) {
      const row = findGroup.get(name)
      return row && toGroup(row)
    },
    putGroup: (group) => void putGroup.run(toRow(group)),
    removeGroup: (name, at) => {
      removeWhole.immediate(name, at)
    },
    listGroups: () => listGroups.all().map(toGroup),
    findStream: (group, name) => findStream.get(group, name),
    addStream: (group, { name, createdAt }) => void addStream.run(group, name, createdAt),
    removeStream: (group, name, at) => {
      removePart.immediate(group, name, at)
    },
    listStreams: (group) => listStreams.all(group),
    listRemovals: (group) => listRemovals.all(group),
    listAllRemovals: () => listAllRemovals.all(),
    forgetRemovals: (group, { whole, streams }) => void forget.run(group, whole, streams),
    subscriptions: createLogFilters<SubscriptionFilter>(db, 'subscription_filters'),
    metricFilters: createLogFilters<MetricFilter>(db, 'metric_filters'),
    revision: () => revision.get()!
  }
}

const REMOVALS = 'SELECT group_name AS "group", stream_name AS stream, removed_at AS at FROM log_removals'

/** What whoever keeps the files has to know. */
export interface LogSettings {
  /** Days, of the groups that are not kept for ever. */
  readonly retention: ReadonlyMap<string, number>
  readonly removals: readonly LogRemoval[]
}

/** The reading half, which the gateway has. */
export interface LogSettingsReader {
  /** Another number than before: {@link read} may say something else. */
  revision(): number
  read(): LogSettings
  findGroup(name: string): { readonly retentionDays: number | undefined } | undefined
  hasStream(group: string, name: string): boolean
}

export function prepareLogSettings(db: Db): LogSettingsReader {
  const revision = db.prepare<[], number>('SELECT revision FROM log_revision').pluck()
  const retention = db
    .prepare<[], [string, number]>('SELECT name, retention_days FROM log_groups WHERE retention_days IS NOT NULL')
    .raw()
  const removals = db.prepare<[], LogRemoval>(REMOVALS)
  const findGroup = db.prepare<[string], number | null>('SELECT retention_days FROM log_groups WHERE name = ?').pluck()
  const hasStream = db
    .prepare<[string, string], number>('SELECT 1 FROM log_streams WHERE group_name = ? AND name = ?')
    .pluck()
  return {
    revision: () => revision.get()!,
    read: () => ({ retention: new Map(retention.all()), removals: removals.all() }),
    findGroup(name) {
      const days = findGroup.get(name)
      return days === undefined ? undefined : { retentionDays: days ?? undefined }
    },
    hasStream: (group, name) => hasStream.get(group, name) !== undefined
  }
}

function toGroup(row: GroupRow): LogGroup {
  return {
    name: row.name,
    createdAt: row.created_at,
    retentionDays: row.retention_days ?? undefined,
    class: row.class as LogGroupClass,
    isDeletionRefused: row.is_deletion_refused === 1,
    tags: JSON.parse(row.tags) as Record<string, string>
  }
}

function toRow(group: LogGroup): GroupRow {
  return {
    name: group.name,
    created_at: group.createdAt,
    retention_days: group.retentionDays ?? null,
    class: group.class,
    is_deletion_refused: group.isDeletionRefused ? 1 : 0,
    tags: JSON.stringify(group.tags)
  }
}
