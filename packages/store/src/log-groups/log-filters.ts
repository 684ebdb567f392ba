import type { Db } from '../sqlite-addon.ts'

/** Filters of log groups, of one kind. Lists are by group and name, in bytes. */
export interface LogFilters<Filter> {
  find(group: string, name: string): Filter | undefined
  /** The group has a row. */
  put(filter: Filter): void
  /** @returns whether there was one */
  remove(group: string, name: string): boolean
  /** @param group - Undefined: of all */
  list(group?: string): readonly Filter[]
}

export function createLogFilters<Filter extends { readonly group: string; readonly name: string }>(
  db: Db,
  table: 'subscription_filters' | 'metric_filters'
): LogFilters<Filter> {
  const find = db
    .prepare<[string, string], string>(`SELECT body FROM ${table} WHERE group_name = ? AND name = ?`)
    .pluck()
  const put = db.prepare<[string, string, string]>(`INSERT INTO ${table} (group_name, name, body) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET body = excluded.body`)
  const remove = db.prepare<[string, string]>(`DELETE FROM ${table} WHERE group_name = ? AND name = ?`)
  const list = db
    .prepare<[string | null], string>(
      `SELECT body FROM ${table} WHERE group_name = coalesce(?, group_name) ORDER BY group_name, name`
    )
    .pluck()
  const read = (body: string): Filter => JSON.parse(body) as Filter
  return {
    find(group, name) {
      const body = find.get(group, name)
      return body === undefined ? undefined : read(body)
    },
    put: (filter) => void put.run(filter.group, filter.name, JSON.stringify(filter)),
    remove: (group, name) => remove.run(group, name).changes > 0,
    list: (group) => list.all(group ?? null).map(read)
  }
}
