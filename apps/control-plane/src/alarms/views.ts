import type { ArnScope } from '@hearth/shared'
import type { AlarmQuery, AlarmRecord, MetricKey } from '@hearth/store'
import { dimensionsOf } from '../metrics-api/keys.ts'
import { alarmArn, isCompositeAlarm, isMetricAlarm } from './model.ts'

const PLAIN_STATISTICS = new Set(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'])

/** An alarm as AWS's clients get it: what was not set is not there. @see reference: monitoring §5.3 */
export function toView(alarm: AlarmRecord, scope: ArnScope): Readonly<Record<string, unknown>> {
  const { settings, status } = alarm
  const common = {
    AlarmName: alarm.name,
    AlarmArn: alarmArn(scope, alarm.name),
    AlarmDescription: settings.description,
    AlarmConfigurationUpdatedTimestamp: new Date(alarm.configuredAt),
    ActionsEnabled: settings.actionsEnabled,
    OKActions: settings.okActions,
    AlarmActions: settings.alarmActions,
    InsufficientDataActions: settings.insufficientDataActions,
    StateValue: status.value,
    StateReason: status.reason,
    StateReasonData: status.reasonData,
    StateUpdatedTimestamp: new Date(status.updatedAt),
    StateTransitionedTimestamp: new Date(status.transitionedAt)
  }
  if (isCompositeAlarm(alarm)) return said({ ...common, AlarmRule: alarm.settings.rule })
  if (!isMetricAlarm(alarm)) throw new Error('an alarm is of one of two types')
  const { metric, stat, period, unit, queries, ...rest } = alarm.settings
  const isPlain = stat !== undefined && PLAIN_STATISTICS.has(stat)
  return said({
    ...common,
    ...(metric === undefined ? { Dimensions: [] } : metricOf(metric)),
    Statistic: isPlain ? stat : undefined,
    ExtendedStatistic: isPlain ? undefined : stat,
    Period: period,
    Unit: unit,
    EvaluationPeriods: rest.evaluationPeriods,
    DatapointsToAlarm: rest.datapointsToAlarm,
    Threshold: rest.threshold,
    ComparisonOperator: rest.comparisonOperator,
    TreatMissingData: rest.treatMissingData,
    EvaluateLowSampleCountPercentile: rest.lowSampleCount,
    Metrics: queries?.map(queryView)
  })
}

function queryView({ id, metricStat, expression, label, returnData, period }: AlarmQuery) {
  return said({
    Id: id,
    MetricStat:
      metricStat &&
      said({
        Metric: metricOf(metricStat.metric),
        Period: metricStat.period,
        Stat: metricStat.stat,
        Unit: metricStat.unit
      }),
    Expression: expression,
    Label: label,
    ReturnData: returnData ?? true,
    Period: period
  })
}

function metricOf(key: MetricKey) {
  return { MetricName: key.name, Namespace: key.namespace, Dimensions: dimensionsOf(key) }
}

function said(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
