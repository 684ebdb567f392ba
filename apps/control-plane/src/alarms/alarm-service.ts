import { randomBytes, randomUUID } from 'node:crypto'
import { type ArnScope, type HearthError } from '@hearth/shared'
import type {
  AlarmFilter,
  AlarmHistoryItem,
  AlarmHistoryQuery,
  AlarmRecord,
  AlarmSettings,
  AlarmState,
  AlarmsRepository
} from '@hearth/store'
import { type Tag, type Tags, withTags } from '../access/tags.ts'
import { monitoringError } from '../metrics-api/errors.ts'
import { type ActionChecks, checkActions, checkMetricAlarm } from './checks.ts'
import { checkRule } from './composite.ts'
import { configurationItem } from './history-items.ts'
import { allActionsOf } from './model.ts'
import { INITIAL_REASON } from './reason.ts'
import type { ChangeState } from './state-changes.ts'
import { toView } from './views.ts'

/** Alarms: the use cases behind CloudWatch's API and /v1. */
export interface AlarmService {
  readonly scope: ArnScope
  find(name: string): AlarmRecord | undefined
  /** @throws HearthError RESOURCE_NOT_FOUND */
  get(name: string): AlarmRecord
  /**
   * Makes an alarm, or says anew what it is: its state stays until it is looked at, which is soon.
   *
   * @param wish.tags - Undefined: as they are
   * @param wish.secrets - Of webhooks, by URL. One that is not named is as it was, or a new one
   * @throws HearthError with CloudWatch's codes; nothing has been written
   */
  put(
    name: string,
    settings: AlarmSettings,
    wish: { readonly tags?: Tags | undefined; readonly secrets?: ReadonlyMap<string, string> }
  ): AlarmWritten
  /** Those that there are of them. @returns how many */
  delete(names: readonly string[]): number
  list(after: string, limit: number, filter?: AlarmFilter): readonly AlarmRecord[]
  /** Lasts until the alarm is looked at. @throws HearthError RESOURCE_NOT_FOUND */
  setState(
    name: string,
    state: { readonly value: AlarmState; readonly reason: string; readonly reasonData: string | undefined }
  ): void
  /** Those that are not there are passed over. */
  setActionsEnabled(names: readonly string[], isEnabled: boolean): void
  history(query: AlarmHistoryQuery): readonly AlarmHistoryItem[]
  /** @throws HearthError RESOURCE_NOT_FOUND */
  changeTags(name: string, change: (tags: Tags) => Tags): void
}

export interface AlarmWritten {
  readonly alarm: AlarmRecord
  readonly created: boolean
  /** Secrets that were made, which nobody has been told yet, by URL. */
  readonly newSecrets: ReadonlyMap<string, string>
}

export interface AlarmServiceDeps extends ActionChecks {
  readonly repository: AlarmsRepository
  readonly now: () => Date
  readonly exclusively: <T>(work: () => T) => T
  readonly changeState: ChangeState
  /** The alarm is to be looked at. */
  readonly onPut: (name: string) => void
  /** An alarm has another state now. */
  readonly onChange: (name: string) => void
}

/** Of this server. Source: the quota of AWS. */
const MAX_ALARMS = 5_000
const SECRET_BYTES = 32

export function createAlarmService(deps: AlarmServiceDeps): AlarmService {
  const { repository, scope, now, exclusively, changeState, onPut, onChange } = deps
  const get = (name: string): AlarmRecord => {
    const alarm = repository.find(name)
    if (alarm === undefined) throw notFound()
    return alarm
  }

  function write(alarm: AlarmRecord, what: 'created' | 'updated', secrets: ReadonlyMap<string, string>): void {
    repository.put(alarm, secrets, configurationItem(alarm, what, alarm.configuredAt, toView(alarm, scope)))
  }

  /** What the messages to an alarm's webhooks are signed with. */
  function secretsOf(name: string, settings: AlarmSettings, wanted: ReadonlyMap<string, string>) {
    const all = new Map<string, string>()
    const made = new Map<string, string>()
    for (const url of allActionsOf(settings)) {
      if (url.startsWith('arn:')) continue
      const known = wanted.get(url) ?? repository.secretOf(name, url)
      const secret = known ?? `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`
      all.set(url, secret)
      if (known === undefined) made.set(url, secret)
    }
    return { all, made }
  }

  return {
    scope,
    find: (name) => repository.find(name),
    get,
    put(name, settings, { tags, secrets = new Map() }) {
      if (settings.type === 'MetricAlarm') checkMetricAlarm(settings)
      checkActions(settings, deps)
      const written = exclusively((): AlarmWritten => {
        const before = repository.find(name)
        if (before !== undefined && before.settings.type !== settings.type) {
          throw monitoringError('ValidationError', `There is an alarm ${name} of another type already.`)
        }
        if (settings.type === 'CompositeAlarm') checkRule(settings.rule, name, scope, repository)
        if (before === undefined && repository.count() >= MAX_ALARMS) {
          throw monitoringError('LimitExceeded', `There are ${MAX_ALARMS} alarms already; no more are taken.`)
        }
        const at = now().getTime()
        const { all, made } = secretsOf(name, settings, secrets)
        const alarm: AlarmRecord = {
          name,
          id: before?.id ?? randomUUID(),
          settings,
          tags: tags ?? before?.tags ?? {},
          status: before?.status ?? {
            value: 'INSUFFICIENT_DATA',
            reason: INITIAL_REASON,
            updatedAt: at,
            transitionedAt: at
          },
          configuredAt: at
        }
        write(alarm, before === undefined ? 'created' : 'updated', all)
        return { alarm, created: before === undefined, newSecrets: made }
      })
      onPut(name)
      return written
    },
    delete(names) {
      return exclusively(() => {
        let count = 0
        for (const name of new Set(names)) {
          const alarm = repository.find(name)
          if (alarm === undefined) continue
          const item = configurationItem(alarm, 'deleted', now().getTime(), toView(alarm, scope))
          if (repository.remove(name, item)) count++
        }
        return count
      })
    },
    list: (after, limit, filter) => repository.list(after, limit, filter),
    setState(name, { value, reason, reasonData }) {
      const isChange = exclusively(() => changeState(get(name), { value, reason, reasonData }, now().getTime()))
      if (isChange) onChange(name)
    },
    setActionsEnabled(names, isEnabled) {
      exclusively(() => {
        for (const name of new Set(names)) {
          const before = repository.find(name)
          if (before === undefined || before.settings.actionsEnabled === isEnabled) continue
          const settings: AlarmSettings = { ...before.settings, actionsEnabled: isEnabled }
          const alarm = { ...before, settings, configuredAt: now().getTime() }
          write(alarm, 'updated', secretsOf(name, settings, new Map()).all)
        }
      })
    },
    history: (query) => repository.history(query),
    changeTags(name, change) {
      exclusively(() => {
        repository.putTags(name, change(get(name).tags))
      })
    }
  }
}

/** AWS says no more. */
function notFound(): HearthError {
  return monitoringError('ResourceNotFound', '')
}

/** @throws HearthError with CloudWatch's codes */
export function tagsOf(tags: readonly Tag[] | undefined): Tags | undefined {
  return tags === undefined ? undefined : withTags({}, tags)
}
