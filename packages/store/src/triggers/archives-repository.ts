import type { EventArchive, EventReplay, ReplayState } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** Which of a list; at most one of these is said. */
export interface ArchiveFilter {
  readonly prefix?: string | undefined
  /** A bus of archives, the name of an archive of replays. */
  readonly source?: string | undefined
  readonly state?: ReplayState | undefined
}

/** Archives of event buses and their replays in SQLite. Lists are by name, those after `after`. */
export interface ArchivesRepository {
  find(name: string): EventArchive | undefined
  put(archive: EventArchive): void
  remove(name: string): void
  count(): number
  hasBus(bus: string): boolean
  list(filter: Omit<ArchiveFilter, 'state'>, after: string, limit: number): readonly EventArchive[]
  findReplay(name: string): EventReplay | undefined
  /** Those that have not ended. @param archiveId - Undefined: of all archives */
  openReplays(archiveId?: string): readonly EventReplay[]
  putReplay(replay: EventReplay): void
  /** @returns how many */
  removeReplays(endedBefore: number): number
  listReplays(filter: ArchiveFilter, after: string, limit: number): readonly EventReplay[]
}

interface Row {
  name: string
  id: string
  bus: string
  pattern: string | null
  description: string | null
  retention_days: number
  created_at: number
}

interface ReplayRow {
  name: string
  id: string
  archive: string
  archive_id: string
  bus: string
  settings: string
  state: ReplayState
  reason: string | null
  last_event_at: number | null
  started_at: number
  ended_at: number | null
}

type Listed = { prefix: string; source: string | null; state: string | null; after: string; limit: number }

/** In byte order; a prefix is compared as it is, without wildcards. */
const NAMED = 'substr(name, 1, length(@prefix)) = @prefix AND name > @after ORDER BY name LIMIT @limit'
const OPEN = 'SELECT * FROM event_replays WHERE ended_at IS NULL AND archive_id = coalesce(?, archive_id) ORDER BY name'

export function createArchivesRepository(db: Db): ArchivesRepository {
  const find = db.prepare<[string], Row>('SELECT * FROM event_archives WHERE name = ?')
  const put =
    db.prepare<Row>(`INSERT INTO event_archives (name, id, bus, pattern, description, retention_days, created_at)
    VALUES (@name, @id, @bus, @pattern, @description, @retention_days, @created_at)
    ON CONFLICT (name) DO UPDATE SET pattern = excluded.pattern, description = excluded.description,
      retention_days = excluded.retention_days`)
  const remove = db.prepare<[string]>('DELETE FROM event_archives WHERE name = ?')
  const count = db.prepare<[], number>('SELECT count(*) FROM event_archives').pluck()
  const hasBus = db.prepare<[string], number>('SELECT 1 FROM event_archives WHERE bus = ? LIMIT 1').pluck()
  const list = db.prepare<Omit<Listed, 'state'>, Row>(
    `SELECT * FROM event_archives WHERE bus = coalesce(@source, bus) AND ${NAMED}`
  )
  const findReplay = db.prepare<[string], ReplayRow>('SELECT * FROM event_replays WHERE name = ?')
  const open = db.prepare<[string | null], ReplayRow>(OPEN)
  const putReplay =
    db.prepare<ReplayRow>(`INSERT INTO event_replays (name, id, archive, archive_id, bus, settings, state, reason,
      last_event_at, started_at, ended_at)
    VALUES (@name, @id, @archive, @archive_id, @bus, @settings, @state, @reason, @last_event_at, @started_at, @ended_at)
    ON CONFLICT (name) DO UPDATE SET state = excluded.state, reason = excluded.reason,
      last_event_at = excluded.last_event_at, ended_at = excluded.ended_at`)
  const removeReplays = db.prepare<[number]>('DELETE FROM event_replays WHERE ended_at < ?')
  const listReplays = db.prepare<Listed, ReplayRow>(`SELECT * FROM event_replays
    WHERE archive = coalesce(@source, archive) AND state = coalesce(@state, state) AND ${NAMED}`)
  return {
    find(name) {
      const row = find.get(name)
      return row && toArchive(row)
    },
    put: ({ retentionDays, createdAt, pattern = null, description = null, ...archive }) =>
      void put.run({ ...archive, pattern, description, retention_days: retentionDays, created_at: createdAt }),
    remove: (name) => void remove.run(name),
    count: () => count.get()!,
    hasBus: (bus) => hasBus.get(bus) !== undefined,
    list: ({ prefix = '', source = null }, after, limit) => list.all({ prefix, source, after, limit }).map(toArchive),
    findReplay(name) {
      const row = findReplay.get(name)
      return row && toReplay(row)
    },
    openReplays: (archiveId) => open.all(archiveId ?? null).map(toReplay),
    putReplay({ name, id, archive, archiveId, bus, state, reason, lastEventAt, startedAt, endedAt, ...settings }) {
      putReplay.run({
        name,
        id,
        archive,
        archive_id: archiveId,
        bus,
        settings: JSON.stringify(settings),
        state,
        reason: reason ?? null,
        last_event_at: lastEventAt ?? null,
        started_at: startedAt,
        ended_at: endedAt ?? null
      })
    },
    removeReplays: (endedBefore) => removeReplays.run(endedBefore).changes,
    listReplays: ({ prefix = '', source = null, state = null }, after, limit) =>
      listReplays.all({ prefix, source, state, after, limit }).map(toReplay)
  }
}

/** The reading half, which the gateway has: archives, and the replays that have not ended. */
export function prepareArchiveList(
  db: Db
): () => { readonly archives: readonly EventArchive[]; readonly replays: readonly EventReplay[] } {
  const archives = db.prepare<[], Row>('SELECT * FROM event_archives ORDER BY name')
  const replays = db.prepare<[string | null], ReplayRow>(OPEN)
  return () => ({ archives: archives.all().map(toArchive), replays: replays.all(null).map(toReplay) })
}

function toArchive({ name, id, bus, pattern, description, retention_days, created_at }: Row): EventArchive {
  return {
    name,
    id,
    bus,
    pattern: pattern ?? undefined,
    description: description ?? undefined,
    retentionDays: retention_days,
    createdAt: created_at
  }
}

function toReplay(row: ReplayRow): EventReplay {
  return {
    ...(JSON.parse(row.settings) as Pick<EventReplay, 'description' | 'rules' | 'eventsFrom' | 'eventsUntil'>),
    name: row.name,
    id: row.id,
    archive: row.archive,
    archiveId: row.archive_id,
    bus: row.bus,
    state: row.state,
    reason: row.reason ?? undefined,
    lastEventAt: row.last_event_at ?? undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined
  }
}
