import type { Db } from '../sqlite-addon.ts'
import type { AlarmHistoryItem, AlarmHistoryQuery, AlarmHistoryType, AlarmType, NewAlarmHistoryItem } from './types.ts'

interface Row {
  id: number
  alarm: string
  alarm_type: string
  at: number
  type: string
  summary: string
  data: string
}

interface Bounds {
  alarm: string | null
  types: string
  type: string | null
  from: number
  to: number
  after: number
  limit: number
}

/** Of all alarms together; beyond it the oldest go first. */
const MAX_ITEMS = 500_000

/** What became of alarms. */
export function createAlarmHistory(db: Db) {
  const add = db.prepare<Omit<Row, 'id'>>(
    'INSERT INTO alarm_history (alarm, alarm_type, at, type, summary, data) VALUES (@alarm, @alarm_type, @at, @type, @summary, @data)'
  )
  const page = (isAscending: boolean, ofOne: boolean) =>
    db.prepare<Bounds, Row>(`SELECT * FROM alarm_history
      WHERE ${ofOne ? 'alarm = @alarm' : '@alarm IS NULL'} AND id ${isAscending ? '>' : '<'} @after
      AND type = coalesce(@type, type) AND alarm_type IN (SELECT value FROM json_each(@types))
      AND at >= @from AND at < @to ORDER BY id ${isAscending ? 'ASC' : 'DESC'} LIMIT @limit`)
  const pages = { one: [page(false, true), page(true, true)], all: [page(false, false), page(true, false)] } as const
  const prune = db.prepare<{ before: number; most: number; limit: number }>(
    `DELETE FROM alarm_history WHERE id IN (SELECT id FROM alarm_history
      WHERE at < @before OR id <= (SELECT max(id) FROM alarm_history) - @most ORDER BY id LIMIT @limit)`
  )
  return {
    add({ alarmType, ...rest }: NewAlarmHistoryItem): void {
      add.run({ ...rest, alarm_type: alarmType })
    },
    list(query: AlarmHistoryQuery): readonly AlarmHistoryItem[] {
      const { alarm, alarmTypes = ['MetricAlarm', 'CompositeAlarm'], isAscending } = query
      const statement = pages[alarm === undefined ? 'all' : 'one'][isAscending ? 1 : 0]
      return statement
        .all({
          alarm: alarm ?? null,
          types: JSON.stringify(alarmTypes),
          type: query.type ?? null,
          from: query.from ?? 0,
          to: query.to ?? Number.MAX_SAFE_INTEGER,
          after: query.after ?? (isAscending ? 0 : Number.MAX_SAFE_INTEGER),
          limit: query.limit
        })
        .map(toItem)
    },
    prune: (before: number, limit: number): boolean => prune.run({ before, most: MAX_ITEMS, limit }).changes === limit
  }
}

function toItem({ alarm_type, type, ...rest }: Row): AlarmHistoryItem {
  return { ...rest, alarmType: alarm_type as AlarmType, type: type as AlarmHistoryType }
}
