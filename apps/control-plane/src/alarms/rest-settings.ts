import { HearthError } from '@hearth/shared'
import type { AlarmQuery, AlarmRecord, AlarmSettings, MetricKey } from '@hearth/store'
import { alarmArn } from './model.ts'
import type { Action, AlarmBody, AlarmView } from './rest-schemas.ts'

const OPERATORS = {
  '>=': 'GreaterThanOrEqualToThreshold',
  '>': 'GreaterThanThreshold',
  '<': 'LessThanThreshold',
  '<=': 'LessThanOrEqualToThreshold'
} as const
const SIGNS = new Map<string, keyof typeof OPERATORS>(
  Object.entries(OPERATORS).map(([sign, name]) => [name, sign as keyof typeof OPERATORS])
)

/** What a body asks for. @param arnOf - Of a function, by whatever it is named with @throws HearthError VALIDATION_FAILED */
export function settingsIn(body: AlarmBody, arnOf: (functionRef: string) => string): AlarmSettings {
  const targets = (actions: readonly Action[]): string[] =>
    actions.map((action) => ('webhook' in action ? action.webhook.url : arnOf(action.function)))
  const common = {
    description: body.description ?? undefined,
    actionsEnabled: body.actionsEnabled,
    okActions: targets(body.actions.ok),
    alarmActions: targets(body.actions.alarm),
    insufficientDataActions: targets(body.actions.insufficientData)
  }
  const given = (['metric', 'queries', 'rule'] as const).filter((member) => body[member] !== undefined)
  if (given.length !== 1) throw invalid('metric', 'exactly one of metric, queries and rule is needed')
  if (body.rule !== undefined) {
    const other = (
      ['threshold', 'comparison', 'statistic', 'period', 'datapointsToAlarm', 'missingData'] as const
    ).find((member) => body[member] !== undefined)
    if (other !== undefined) throw invalid(other, 'an alarm on other alarms has none')
    return { type: 'CompositeAlarm', ...common, rule: body.rule }
  }
  if (body.threshold === undefined) throw invalid('threshold', 'a number is needed')
  if (body.comparison === undefined) throw invalid('comparison', 'one of >=, >, < and <= is needed')
  return {
    type: 'MetricAlarm',
    ...common,
    metric: body.metric && keyIn(body.metric),
    stat: body.statistic,
    // What is usual; queries say theirs themselves.
    period: body.metric === undefined ? body.period : (body.period ?? 60),
    unit: body.unit,
    queries: body.queries?.map(queryIn),
    evaluationPeriods: body.evaluationPeriods,
    datapointsToAlarm: body.datapointsToAlarm,
    threshold: body.threshold,
    comparisonOperator: OPERATORS[body.comparison],
    treatMissingData: body.missingData,
    lowSampleCount: body.lowSampleCount
  }
}

function queryIn({
  id,
  metric,
  statistic,
  period,
  unit,
  expression,
  label,
  watched
}: NonNullable<AlarmBody['queries']>[number]): AlarmQuery {
  if (metric !== undefined && statistic === undefined) throw invalid(`queries.${id}.statistic`, 'a metric needs one')
  return {
    id,
    ...(metric === undefined
      ? { period }
      : { metricStat: { metric: keyIn(metric), period: period ?? 60, stat: statistic!, unit } }),
    expression,
    label,
    returnData: watched
  }
}

function keyIn({ namespace, name, dimensions }: NonNullable<AlarmBody['metric']>): MetricKey {
  return { namespace, name, dimensions: Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)) }
}

/** Secrets of webhooks that a body names, by URL. */
export function secretsIn({ actions }: AlarmBody): ReadonlyMap<string, string> {
  const all = [...actions.alarm, ...actions.ok, ...actions.insufficientData]
  return new Map(
    all.flatMap((action) =>
      'webhook' in action && action.webhook.secret !== undefined ? [[action.webhook.url, action.webhook.secret]] : []
    )
  )
}

/** @param made - Secrets that are shown once, by URL */
export function toRestView(
  alarm: AlarmRecord,
  scope: Parameters<typeof alarmArn>[0],
  made: ReadonlyMap<string, string> = new Map()
): AlarmView {
  const { settings, status } = alarm
  const actionView = (target: string) => {
    if (target.startsWith('arn:')) return { arn: target }
    const secret = made.get(target)
    return { webhook: { url: target, ...(secret === undefined ? {} : { secret }) } }
  }
  const metric = settings.type === 'MetricAlarm' ? settings : undefined
  return {
    name: alarm.name,
    arn: alarmArn(scope, alarm.name),
    description: settings.description ?? '',
    state: status.value,
    reason: status.reason,
    reasonData: dataOf(status.reasonData),
    stateChangedAt: new Date(status.transitionedAt).toISOString(),
    metric: metric?.metric === undefined ? null : metricView(metric.metric),
    statistic: metric?.stat ?? null,
    period: metric?.period ?? null,
    unit: metric?.unit ?? null,
    queries: metric?.queries?.map(queryView) ?? null,
    rule: settings.type === 'CompositeAlarm' ? settings.rule : null,
    threshold: metric?.threshold ?? null,
    comparison: metric === undefined ? null : (SIGNS.get(metric.comparisonOperator) ?? null),
    evaluationPeriods: metric?.evaluationPeriods ?? null,
    datapointsToAlarm: metric?.datapointsToAlarm ?? null,
    missingData: metric?.treatMissingData ?? null,
    lowSampleCount: metric?.lowSampleCount ?? null,
    actions: {
      alarm: settings.alarmActions.map(actionView),
      ok: settings.okActions.map(actionView),
      insufficientData: settings.insufficientDataActions.map(actionView)
    },
    actionsEnabled: settings.actionsEnabled,
    tags: { ...alarm.tags },
    lastModified: new Date(alarm.configuredAt).toISOString()
  }
}

function queryView({ id, metricStat, expression, label, returnData, period }: AlarmQuery) {
  return {
    id,
    metric: metricStat === undefined ? null : metricView(metricStat.metric),
    statistic: metricStat?.stat ?? null,
    period: metricStat?.period ?? period ?? null,
    unit: metricStat?.unit ?? null,
    expression: expression ?? null,
    label: label ?? null,
    watched: returnData !== false
  }
}

function metricView({ namespace, name, dimensions }: MetricKey) {
  return { namespace, name, dimensions: Object.fromEntries(dimensions) }
}

function dataOf(text: string | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = text === undefined ? null : JSON.parse(text)
    return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown> | null) : null
  } catch {
    // SetAlarmState takes any text.
    return null
  }
}

function invalid(path: string, message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', `${path}: ${message}`, { errors: [{ path: `body.${path}`, message }] })
}
