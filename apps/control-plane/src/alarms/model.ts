import type { ArnScope } from '@hearth/shared'
import type { AlarmRecord, AlarmSettings, CompositeAlarmSettings, MetricAlarmSettings } from '@hearth/store'

/** The service that calls functions for alarms. */
export const ALARM_SERVICE = 'lambda.alarms.cloudwatch.amazonaws.com'

export type MetricAlarm = AlarmRecord<MetricAlarmSettings>
export type CompositeAlarm = AlarmRecord<CompositeAlarmSettings>

export function alarmArn({ region, accountId }: ArnScope, name: string): string {
  return `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`
}

/** @returns undefined when it is none of this server */
export function alarmNameIn(scope: ArnScope, arn: string): string | undefined {
  const start = alarmArn(scope, '')
  return arn.startsWith(start) && arn.length > start.length ? arn.slice(start.length) : undefined
}

export function isMetricAlarm(alarm: AlarmRecord): alarm is MetricAlarm {
  return alarm.settings.type === 'MetricAlarm'
}

export function isCompositeAlarm(alarm: AlarmRecord): alarm is CompositeAlarm {
  return alarm.settings.type === 'CompositeAlarm'
}

/** Seconds of a metric alarm's periods. */
export function periodOf({ period, queries = [] }: MetricAlarmSettings): number {
  if (period !== undefined) return period
  const periods = queries.flatMap((query) => query.metricStat?.period ?? query.period ?? [])
  return periods[0] ?? 60
}

/** What is sent when the alarm comes into a state. */
export function actionsOf(settings: AlarmSettings, state: AlarmRecord['status']['value']): readonly string[] {
  if (state === 'ALARM') return settings.alarmActions
  return state === 'OK' ? settings.okActions : settings.insufficientDataActions
}

/** Each once. */
export function allActionsOf(settings: AlarmSettings): readonly string[] {
  const { okActions, alarmActions, insufficientDataActions } = settings
  return [...new Set([...alarmActions, ...okActions, ...insufficientDataActions])]
}
