import type { ArnScope } from '@hearth/shared'
import type { AlarmQuery, AlarmRecord, AlarmStatus } from '@hearth/store'
import { javaTime } from './java-text.ts'
import { alarmArn, isMetricAlarm } from './model.ts'

/** What functions and webhooks are sent. @see reference: monitoring §5.4, events/cloudwatch-alarm-action.json */
export function actionBody(scope: ArnScope, alarm: AlarmRecord, before: AlarmStatus, after: AlarmStatus): string {
  return JSON.stringify({
    source: 'aws.cloudwatch',
    alarmArn: alarmArn(scope, alarm.name),
    accountId: scope.accountId,
    time: javaTime(after.updatedAt),
    region: scope.region,
    alarmData: changeOf(alarm, before, after)
  })
}

/** Detail of the event `CloudWatch Alarm State Change`. */
export function changeOf(alarm: AlarmRecord, before: AlarmStatus, after: AlarmStatus) {
  return {
    alarmName: alarm.name,
    state: stateOf(after),
    previousState: stateOf(before),
    configuration: configurationOf(alarm)
  }
}

function stateOf({ value, reason, reasonData, updatedAt }: AlarmStatus) {
  return { value, reason, ...(reasonData === undefined ? {} : { reasonData }), timestamp: javaTime(updatedAt) }
}

function configurationOf(alarm: AlarmRecord) {
  const { settings, id } = alarm
  const description = settings.description === undefined ? {} : { description: settings.description }
  if (!isMetricAlarm(alarm)) {
    const { rule } = settings as { readonly rule: string }
    return { ...description, alarmRule: rule }
  }
  const { metric, stat, period, unit, queries } = alarm.settings
  const single = metric && [{ id, metricStat: { metric, period: period!, stat: stat!, unit }, returnData: true }]
  return { ...description, metrics: (queries ?? single ?? []).map(queryOf) }
}

function queryOf({ id, metricStat, expression, label, returnData = true, period }: AlarmQuery) {
  return {
    id,
    ...(metricStat === undefined ? {} : { metricStat: metricStatOf(metricStat) }),
    ...(expression === undefined ? {} : { expression }),
    ...(label === undefined ? {} : { label }),
    ...(period === undefined ? {} : { period }),
    returnData
  }
}

function metricStatOf({ metric, period, stat, unit }: NonNullable<AlarmQuery['metricStat']>) {
  const { namespace, name, dimensions } = metric
  return {
    metric: { namespace, name, dimensions: Object.fromEntries(dimensions) },
    period,
    stat,
    ...(unit === undefined ? {} : { unit })
  }
}
