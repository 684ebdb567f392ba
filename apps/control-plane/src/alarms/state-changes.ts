import { randomUUID } from 'node:crypto'
import type { ArnScope } from '@hearth/shared'
import type { AlarmRecord, AlarmState, AlarmStatus, AlarmsRepository, NewAlarmSending } from '@hearth/store'
import { actionBody, changeOf } from './alarm-texts.ts'
import { stateItem } from './history-items.ts'
import { actionsOf, alarmArn } from './model.ts'

/** A state that was found or set. */
export interface NewState {
  readonly value: AlarmState
  readonly reason: string
  readonly reasonData: string | undefined
}

export interface StateChangesDeps {
  readonly repository: Pick<AlarmsRepository, 'setStatus'>
  readonly scope: ArnScope
  /** There is something to send. */
  readonly onSendings: () => void
}

/**
 * Notes an alarm's state; with another value than before also what is to be sent because of it, in the same
 * transaction.
 *
 * @param at - Unix time in ms
 * @returns whether the alarm has another state now
 */
export type ChangeState = (alarm: AlarmRecord, next: NewState, at: number) => boolean

export function createStateChanges({ repository, scope, onSendings }: StateChangesDeps): ChangeState {
  return (alarm, { value, reason, reasonData }, at) => {
    const { status: before, settings } = alarm
    const isChange = before.value !== value
    const after: AlarmStatus = {
      value,
      reason,
      reasonData,
      updatedAt: at,
      transitionedAt: isChange ? at : before.transitionedAt
    }
    if (!isChange) {
      repository.setStatus(alarm, after, undefined, [])
      return false
    }
    const of = { alarm: alarm.name, alarmType: settings.type, createdAt: at }
    const detail = changeOf(alarm, before, after)
    const resources = [alarmArn(scope, alarm.name)]
    const sendings: NewAlarmSending[] = [
      { ...of, id: randomUUID(), kind: 'event', target: '', body: JSON.stringify({ resources, detail }) }
    ]
    if (settings.actionsEnabled) {
      const body = actionBody(scope, alarm, before, after)
      for (const target of new Set(actionsOf(settings, value))) {
        sendings.push({ ...of, id: randomUUID(), kind: 'action', target, body })
      }
    }
    if (!repository.setStatus(alarm, after, stateItem(alarm, before, after), sendings)) return false
    onSendings()
    return true
  }
}
