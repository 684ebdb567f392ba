import type { SecretBox } from '../secret-box.ts'
import type { Db } from '../sqlite-addon.ts'
import { createAlarmHistory } from './alarm-history.ts'
import type {
  AlarmHistoryItem,
  AlarmHistoryQuery,
  AlarmRecord,
  AlarmSending,
  AlarmSettings,
  AlarmState,
  AlarmStatus,
  AlarmType,
  NewAlarmHistoryItem,
  NewAlarmSending
} from './types.ts'

/** Alarms in SQLite. Whatever belongs together is one transaction. */
export interface AlarmsRepository {
  find(name: string): AlarmRecord | undefined
  /** By name in byte order, those after `after`. */
  list(after: string, limit: number, filter?: AlarmFilter): readonly AlarmRecord[]
  count(): number
  /** A new alarm, or its settings and tags; the state of one that is there stays. @param secrets - Of webhooks, by URL: all of them */
  put(alarm: AlarmRecord, secrets: ReadonlyMap<string, string>, item: NewAlarmHistoryItem): void
  putTags(name: string, tags: AlarmRecord['tags']): void
  /** @returns whether there was one */
  remove(name: string, item: NewAlarmHistoryItem): boolean
  /** What the messages of an alarm to a webhook are signed with. */
  secretOf(alarm: string, url: string): string | undefined
  /**
   * Notes a state, with what it is told by, in one transaction.
   *
   * @param id - Nothing is done when the alarm is another since
   * @returns whether it was done
   */
  setStatus(
    alarm: { readonly name: string; readonly id: string },
    status: AlarmStatus,
    item: NewAlarmHistoryItem | undefined,
    sendings: readonly NewAlarmSending[]
  ): boolean
  /** Those that are due, the oldest first. */
  dueSendings(now: number, limit: number): readonly AlarmSending[]
  /** When the next is due, Unix time in ms. */
  nextSendingAt(): number | undefined
  /** Tries it again later, and with it all else that is for the same target. */
  retrySending(sending: Pick<AlarmSending, 'id' | 'kind' | 'target'>, dueAt: number): void
  /** It has arrived, or is given up. */
  endSending(id: string, item: NewAlarmHistoryItem | undefined): void
  history(query: AlarmHistoryQuery): readonly AlarmHistoryItem[]
  /** Removes what is older, and the oldest beyond a bound. @param before - Unix time in ms. @returns whether there may be more */
  pruneHistory(before: number, limit: number): boolean
}

export interface AlarmFilter {
  readonly prefix?: string | undefined
  readonly types?: readonly AlarmType[] | undefined
  readonly state?: AlarmState | undefined
}

interface Row {
  name: string
  id: string
  type: string
  settings: string
  tags: string
  state: string
  reason: string
  reason_data: string | null
  updated_at: number
  transitioned_at: number
  configured_at: number
}

interface SendingRow {
  id: string
  alarm: string
  alarm_type: string
  kind: string
  target: string
  body: string
  created_at: number
  due_at: number
  attempts: number
}

export function createAlarmsRepository(db: Db, box: SecretBox): AlarmsRepository {
  const history = createAlarmHistory(db)
  const find = db.prepare<[string], Row>('SELECT * FROM alarms WHERE name = ?')
  const list = db.prepare<
    { after: string; prefix: string; types: string; state: string | null; limit: number },
    Row
  >(`SELECT * FROM alarms WHERE name > @after AND substr(name, 1, length(@prefix)) = @prefix
    AND state = coalesce(@state, state) AND type IN (SELECT value FROM json_each(@types)) ORDER BY name LIMIT @limit`)
  const count = db.prepare<[], number>('SELECT count(*) FROM alarms').pluck()
  const insert =
    db.prepare<Row>(`INSERT INTO alarms (name, id, type, settings, tags, state, reason, reason_data, updated_at,
      transitioned_at, configured_at)
    VALUES (@name, @id, @type, @settings, @tags, @state, @reason, @reason_data, @updated_at, @transitioned_at, @configured_at)
    ON CONFLICT (name) DO UPDATE SET type = excluded.type, settings = excluded.settings, tags = excluded.tags,
      configured_at = excluded.configured_at`)
  const putTags = db.prepare<[string, string]>('UPDATE alarms SET tags = ? WHERE name = ?')
  const remove = db.prepare<[string]>('DELETE FROM alarms WHERE name = ?')
  const dropSecrets = db.prepare<[string]>('DELETE FROM alarm_webhooks WHERE alarm = ?')
  const addSecret = db.prepare<[string, string, Buffer]>(
    'INSERT INTO alarm_webhooks (alarm, url, secret) VALUES (?, ?, ?)'
  )
  const secretOf = db
    .prepare<[string, string], Buffer>('SELECT secret FROM alarm_webhooks WHERE alarm = ? AND url = ?')
    .pluck()
  const setStatus = db.prepare<[string, string, string | null, number, number, string, string]>(
    `UPDATE alarms SET state = ?, reason = ?, reason_data = ?, updated_at = ?, transitioned_at = ?
     WHERE name = ? AND id = ?`
  )
  const addSending =
    db.prepare<SendingRow>(`INSERT INTO alarm_sendings (id, alarm, alarm_type, kind, target, body, created_at,
      due_at, attempts)
    VALUES (@id, @alarm, @alarm_type, @kind, @target, @body, @created_at, @due_at, @attempts)`)
  const due = db.prepare<[number, number], SendingRow>(
    'SELECT * FROM alarm_sendings WHERE due_at <= ? ORDER BY due_at, rowid LIMIT ?'
  )
  const nextAt = db.prepare<[], number | null>('SELECT min(due_at) FROM alarm_sendings').pluck()
  const retry = db.prepare<[number, string]>(
    'UPDATE alarm_sendings SET due_at = ?, attempts = attempts + 1 WHERE id = ?'
  )
  const postpone = db.prepare<[number, string, string, number]>(
    'UPDATE alarm_sendings SET due_at = ? WHERE kind = ? AND target = ? AND due_at < ?'
  )
  const endSending = db.prepare<[string]>('DELETE FROM alarm_sendings WHERE id = ?')

  const put = db.transaction((alarm: AlarmRecord, secrets: ReadonlyMap<string, string>, item: NewAlarmHistoryItem) => {
    insert.run(toRow(alarm))
    dropSecrets.run(alarm.name)
    for (const [url, secret] of secrets) {
      addSecret.run(alarm.name, url, box.seal(secret, alarmWebhookRecord(alarm.name, url)))
    }
    history.add(item)
  })
  const drop = db.transaction((name: string, item: NewAlarmHistoryItem): boolean => {
    if (remove.run(name).changes === 0) return false
    history.add(item)
    return true
  })
  const change = db.transaction(
    (
      { name, id }: { readonly name: string; readonly id: string },
      status: AlarmStatus,
      item: NewAlarmHistoryItem | undefined,
      sendings: readonly NewAlarmSending[]
    ): boolean => {
      const { value, reason, reasonData = null, updatedAt, transitionedAt } = status
      if (setStatus.run(value, reason, reasonData, updatedAt, transitionedAt, name, id).changes === 0) return false
      if (item !== undefined) history.add(item)
      for (const { alarmType, createdAt, ...rest } of sendings) {
        addSending.run({ ...rest, alarm_type: alarmType, created_at: createdAt, due_at: createdAt, attempts: 0 })
      }
      return true
    }
  )
  const putOff = db.transaction(({ id, kind, target }: Pick<AlarmSending, 'id' | 'kind' | 'target'>, dueAt: number) => {
    retry.run(dueAt, id)
    postpone.run(dueAt, kind, target, dueAt)
  })
  const end = db.transaction((id: string, item: NewAlarmHistoryItem | undefined) => {
    if (endSending.run(id).changes > 0 && item !== undefined) history.add(item)
  })

  return {
    find(name) {
      const row = find.get(name)
      return row && toAlarm(row)
    },
    list: (after, limit, { prefix = '', types = ['MetricAlarm', 'CompositeAlarm'], state } = {}) =>
      list.all({ after, prefix, types: JSON.stringify(types), state: state ?? null, limit }).map(toAlarm),
    count: () => count.get()!,
    put: (alarm, secrets, item) => void put.immediate(alarm, secrets, item),
    putTags: (name, tags) => void putTags.run(JSON.stringify(tags), name),
    remove: (name, item) => drop.immediate(name, item),
    secretOf(alarm, url) {
      const sealed = secretOf.get(alarm, url)
      return sealed && box.open(sealed, alarmWebhookRecord(alarm, url))
    },
    setStatus: (alarm, status, item, sendings) => change.immediate(alarm, status, item, sendings),
    dueSendings: (now, limit) => due.all(now, limit).map(toSending),
    nextSendingAt: () => nextAt.get() ?? undefined,
    retrySending: (sending, dueAt) => void putOff.immediate(sending, dueAt),
    endSending: (id, item) => void end.immediate(id, item),
    history: (query) => history.list(query),
    pruneHistory: (before, limit) => history.prune(before, limit)
  }
}

/** What a sealed secret is bound to: it opens in this row only. */
export function alarmWebhookRecord(alarm: string, url: string): string {
  return `alarm_webhooks/${alarm}/${url}`
}

function toRow({ name, id, settings, tags, status, configuredAt }: AlarmRecord): Row {
  return {
    name,
    id,
    type: settings.type,
    settings: JSON.stringify(settings),
    tags: JSON.stringify(tags),
    state: status.value,
    reason: status.reason,
    reason_data: status.reasonData ?? null,
    updated_at: status.updatedAt,
    transitioned_at: status.transitionedAt,
    configured_at: configuredAt
  }
}

function toAlarm(row: Row): AlarmRecord {
  return {
    name: row.name,
    id: row.id,
    settings: JSON.parse(row.settings) as AlarmSettings,
    tags: JSON.parse(row.tags) as Record<string, string>,
    status: {
      value: row.state as AlarmState,
      reason: row.reason,
      reasonData: row.reason_data ?? undefined,
      updatedAt: row.updated_at,
      transitionedAt: row.transitioned_at
    },
    configuredAt: row.configured_at
  }
}

function toSending(row: SendingRow): AlarmSending {
  return {
    id: row.id,
    alarm: row.alarm,
    alarmType: row.alarm_type as AlarmType,
    kind: row.kind as AlarmSending['kind'],
    target: row.target,
    body: row.body,
    createdAt: row.created_at,
    dueAt: row.due_at,
    attempts: row.attempts
  }
}
