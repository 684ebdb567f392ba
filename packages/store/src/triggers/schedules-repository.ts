import type { Schedule, ScheduleGroup, ScheduleSettings } from '@hearth/shared'
import type { Db } from '../sqlite-addon.ts'

/** Where a page of schedules goes on. */
export interface SchedulePosition {
  readonly group: string
  readonly name: string
}

/** Schedules and their groups in SQLite. */
export interface SchedulesRepository {
  find(group: string, name: string): Schedule | undefined
  put(schedule: Schedule): void
  /** @param id - Only when it is still this one. @returns whether there was one */
  remove(group: string, name: string, id?: string): boolean
  /** By group and name. @param group - Undefined: of all */
  list(group: string | undefined, prefix: string, after: SchedulePosition, limit: number): readonly Schedule[]
  findGroup(name: string): ScheduleGroup | undefined
  putGroup(group: ScheduleGroup): void
  /** With all its schedules. */
  removeGroup(name: string): void
  listGroups(prefix: string, after: string, limit: number): readonly ScheduleGroup[]
}

interface Row {
  group_name: string
  name: string
  id: string
  settings: string
  anchor: number
  active_from: number
  created_at: number
  modified_at: number
}

interface GroupRow {
  name: string
  tags: string
  created_at: number
  modified_at: number
}

export function createSchedulesRepository(db: Db): SchedulesRepository {
  const find = db.prepare<[string, string], Row>('SELECT * FROM schedules WHERE group_name = ? AND name = ?')
  const put = db.prepare<Row>(`INSERT INTO schedules (group_name, name, id, settings, anchor, active_from, created_at,
      modified_at)
    VALUES (@group_name, @name, @id, @settings, @anchor, @active_from, @created_at, @modified_at)
    ON CONFLICT (group_name, name) DO UPDATE SET settings = excluded.settings, anchor = excluded.anchor,
      active_from = excluded.active_from, modified_at = excluded.modified_at`)
  const remove = db.prepare<[string, string, string | null]>(
    'DELETE FROM schedules WHERE group_name = ? AND name = ? AND id = coalesce(?, id)'
  )
  const list = db.prepare<
    { group: string | null; prefix: string; afterGroup: string; after: string; limit: number },
    Row
  >(`SELECT * FROM schedules WHERE group_name = coalesce(@group, group_name)
    AND substr(name, 1, length(@prefix)) = @prefix AND (group_name, name) > (@afterGroup, @after)
    ORDER BY group_name, name LIMIT @limit`)
  const findGroup = db.prepare<[string], GroupRow>('SELECT * FROM schedule_groups WHERE name = ?')
  const putGroup = db.prepare<GroupRow>(`INSERT INTO schedule_groups (name, tags, created_at, modified_at)
    VALUES (@name, @tags, @created_at, @modified_at)
    ON CONFLICT (name) DO UPDATE SET tags = excluded.tags, modified_at = excluded.modified_at`)
  const empty = db.prepare<[string]>('DELETE FROM schedules WHERE group_name = ?')
  const dropGroup = db.prepare<[string]>('DELETE FROM schedule_groups WHERE name = ?')
  const removeGroup = db.transaction((name: string) => {
    empty.run(name)
    dropGroup.run(name)
  })
  const listGroups = db.prepare<{ prefix: string; after: string; limit: number }, GroupRow>(
    `SELECT * FROM schedule_groups WHERE substr(name, 1, length(@prefix)) = @prefix AND name > @after
     ORDER BY name LIMIT @limit`
  )
  return {
    find(group, name) {
      const row = find.get(group, name)
      return row && toSchedule(row)
    },
    put({ group, name, id, anchor, activeFrom, createdAt, modifiedAt, ...settings }) {
      put.run({
        group_name: group,
        name,
        id,
        settings: JSON.stringify(settings),
        anchor,
        active_from: activeFrom,
        created_at: createdAt,
        modified_at: modifiedAt
      })
    },
    remove: (group, name, id) => remove.run(group, name, id ?? null).changes > 0,
    list: (group, prefix, after, limit) =>
      list.all({ group: group ?? null, prefix, afterGroup: after.group, after: after.name, limit }).map(toSchedule),
    findGroup(name) {
      const row = findGroup.get(name)
      return row && toGroup(row)
    },
    putGroup: ({ name, tags, createdAt, modifiedAt }) =>
      void putGroup.run({ name, tags: JSON.stringify(tags), created_at: createdAt, modified_at: modifiedAt }),
    removeGroup: (name) => void removeGroup.immediate(name),
    listGroups: (prefix, after, limit) => listGroups.all({ prefix, after, limit }).map(toGroup)
  }
}

/** The reading half, which the gateway has. */
export function prepareScheduleList(db: Db): () => readonly Schedule[] {
  const all = db.prepare<[], Row>('SELECT * FROM schedules ORDER BY group_name, name')
  return () => all.all().map(toSchedule)
}

function toSchedule(row: Row): Schedule {
  return {
    ...(JSON.parse(row.settings) as ScheduleSettings),
    group: row.group_name,
    name: row.name,
    id: row.id,
    anchor: row.anchor,
    activeFrom: row.active_from,
    createdAt: row.created_at,
    modifiedAt: row.modified_at
  }
}

function toGroup({ name, tags, created_at, modified_at }: GroupRow): ScheduleGroup {
  return {
    name,
    tags: JSON.parse(tags) as Record<string, string>,
    createdAt: created_at,
    modifiedAt: modified_at
  }
}
