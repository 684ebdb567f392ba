import type { AlarmRecord, AlarmSending, AlarmStatus, NewAlarmHistoryItem } from '@hearth/store'

/** Source: the model, HistoryData and HistorySummary. */
const MAX_DATA_CHARS = 4_095
const MAX_SUMMARY_CHARS = 255

type Written = 'created' | 'updated' | 'deleted'

const KINDS: Readonly<Record<Written, string>> = { created: 'Create', updated: 'Update', deleted: 'Delete' }

/** @param at - Unix time in ms @param view - As AWS's clients see the alarm */
export function configurationItem(alarm: AlarmRecord, what: Written, at: number, view: object): NewAlarmHistoryItem {
  return {
    ...of(alarm, at),
    type: 'ConfigurationUpdate',
    summary: shortened(`Alarm "${alarm.name}" ${what}`),
    data: firstThatFits(
      { version: '1.0', type: KINDS[what], [`${what}Alarm`]: view },
      { version: '1.0', type: KINDS[what] }
    )
  }
}

export function stateItem(alarm: AlarmRecord, before: AlarmStatus, after: AlarmStatus): NewAlarmHistoryItem {
  const stateOf = ({ value, reason, reasonData }: AlarmStatus, withData: boolean) => ({
    stateValue: value,
    stateReason: reason,
    ...(withData && reasonData !== undefined ? { stateReasonData: jsonOrText(reasonData) } : {})
  })
  const data = (ofOld: boolean, ofNew: boolean) => ({
    version: '1.0',
    oldState: stateOf(before, ofOld),
    newState: stateOf(after, ofNew)
  })
  return {
    ...of(alarm, after.updatedAt),
    type: 'StateUpdate',
    summary: `Alarm updated from ${before.value} to ${after.value}`,
    data: firstThatFits(data(true, true), data(false, true), data(false, false))
  }
}

/** @param error - Undefined: it has arrived */
export function actionItem(sending: AlarmSending, at: number, error: string | undefined): NewAlarmHistoryItem {
  const { target, body } = sending
  const known = {
    actionState: error === undefined ? 'Succeeded' : 'Failed',
    notificationResource: target,
    ...(error === undefined ? {} : { error })
  }
  return {
    alarm: sending.alarm,
    alarmType: sending.alarmType,
    at,
    type: 'Action',
    summary: shortened(
      error === undefined
        ? `Successfully executed action ${target}`
        : `Failed to execute action ${target}. Received error: "${error}"`
    ),
    data: firstThatFits({ ...known, publishedMessage: body }, known)
  }
}

function of({ name, settings }: AlarmRecord, at: number) {
  return { alarm: name, alarmType: settings.type, at }
}

function firstThatFits(...candidates: readonly object[]): string {
  const texts = candidates.map((candidate) => JSON.stringify(candidate))
  return texts.find((text) => text.length <= MAX_DATA_CHARS) ?? '{"version":"1.0"}'
}

function shortened(text: string): string {
  return text.slice(0, MAX_SUMMARY_CHARS)
}

/** What SetAlarmState brings along may be anything. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
