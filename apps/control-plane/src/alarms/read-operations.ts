import type { AlarmFilter, AlarmHistoryItem, AlarmRecord } from '@hearth/store'
import { z } from 'zod'
import { ANY_KEY, readPage } from '../http/cursor.ts'
import { badToken, monitoringError } from '../metrics-api/errors.ts'
import { keyOf } from '../metrics-api/keys.ts'
import { type MonitoringDeps, type MonitoringOperation, monitoringOperation } from '../metrics-api/operation.ts'
import { Dimensions, MetricName, Namespace, Time, Unit } from '../metrics-api/values.ts'
import type { AlarmService } from './alarm-service.ts'
import { childrenOf, parseRule } from './composite.ts'
import { alarmArn, allActionsOf, isCompositeAlarm, isMetricAlarm } from './model.ts'
import { AlarmName, MaxRecords, Names, Positive, StateValue, Statistic, Token, Types } from './parameters.ts'
import { toView } from './views.ts'

const PAGE = 50
const HISTORY_PAGE = 100
/** Alarms read from disk at a time. */
const READ = 200

/** Alarms after a name that a test takes, `limit` at most. */
function search(
  alarms: AlarmService,
  after: string,
  limit: number,
  filter: AlarmFilter,
  test: (alarm: AlarmRecord) => boolean
): readonly AlarmRecord[] {
  const found: AlarmRecord[] = []
  let start = after
  for (;;) {
    const page = alarms.list(start, READ, filter)
    for (const alarm of page) {
      if (test(alarm)) found.push(alarm)
      if (found.length === limit) return found
    }
    if (page.length < READ) return found
    start = page.at(-1)!.name
  }
}

const describeAlarms = monitoringOperation({
  name: 'DescribeAlarms',
  input: z.object({
    AlarmNames: Names.optional(),
    AlarmNamePrefix: AlarmName.optional(),
    AlarmTypes: Types.optional(),
    ChildrenOfAlarmName: AlarmName.optional(),
    ParentsOfAlarmName: AlarmName.optional(),
    StateValue: StateValue('stateValue').optional(),
    ActionPrefix: z.string().min(1).max(1_024).optional(),
    MaxRecords,
    NextToken: Token
  }),
  target: ({ AlarmNames: names = [] }, { scope }) =>
    names.length === 0 ? alarmArn(scope, '*') : names.map((name) => ({ resource: alarmArn(scope, name) })),
  run(input, { alarms, scope }) {
    const { MaxRecords: limit = PAGE, NextToken: cursor, ...filters } = input
    const { AlarmNames: names = [], AlarmNamePrefix: prefix, ActionPrefix: action } = filters
    if (names.length > 0 && prefix !== undefined) {
      throw monitoringError(
        'InvalidParameterCombination',
        'The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both.'
      )
    }
    const relatives = relativesOf(input, alarms)
    const wanted = names.length === 0 ? undefined : new Set(names)
    const types =
      input.AlarmTypes === undefined || input.AlarmTypes.length === 0
        ? relatives === undefined
          ? (['MetricAlarm'] as const)
          : undefined
        : input.AlarmTypes
    const isWanted = (alarm: AlarmRecord): boolean => {
      if (wanted !== undefined && !wanted.has(alarm.name)) return false
      if (relatives !== undefined && !relatives.has(alarm.name)) return false
      return action === undefined || allActionsOf(alarm.settings).some((target) => target.startsWith(action))
    }
    const { items: page, next } = readPage(
      { query: ['DescribeAlarms', filters], cursor, limit, key: ANY_KEY, refusal: badToken },
      (after, most) => search(alarms, after, most, { prefix, types, state: input.StateValue }, isWanted),
      ({ name }) => name
    )
    return {
      CompositeAlarms: page.filter(isCompositeAlarm).map((alarm) => toView(alarm, scope)),
      MetricAlarms: page.filter(isMetricAlarm).map((alarm) => toView(alarm, scope)),
      ...(next === undefined ? {} : { NextToken: next })
    }
  }
})

/** Names of those that an alarm's rule is about, or whose rules are about it. */
function relativesOf(
  {
    ChildrenOfAlarmName: parent,
    ParentsOfAlarmName: child
  }: { ChildrenOfAlarmName?: string | undefined; ParentsOfAlarmName?: string | undefined },
  alarms: AlarmService
): ReadonlySet<string> | undefined {
  if (parent !== undefined) {
    const alarm = alarms.find(parent)
    return new Set(
      alarm !== undefined && isCompositeAlarm(alarm) ? childrenOf(parseRule(alarm.settings.rule, alarms.scope)) : []
    )
  }
  if (child === undefined) return undefined
  const all = search(
    alarms,
    '',
    Number.MAX_SAFE_INTEGER,
    { types: ['CompositeAlarm'] },
    (alarm) => isCompositeAlarm(alarm) && childrenOf(parseRule(alarm.settings.rule, alarms.scope)).includes(child)
  )
  return new Set(all.map(({ name }) => name))
}

const describeAlarmsForMetric = monitoringOperation({
  name: 'DescribeAlarmsForMetric',
  input: z.object({
    MetricName,
    Namespace,
    Statistic: Statistic.optional(),
    ExtendedStatistic: z.string().max(64).optional(),
    Dimensions: Dimensions.default([]),
    Period: Positive.optional(),
    Unit: Unit.optional()
  }),
  target: (_input, { scope }) => alarmArn(scope, '*'),
  run(input, { alarms, scope }: MonitoringDeps) {
    const key = JSON.stringify(keyOf(input.Namespace, input.MetricName, input.Dimensions))
    const stat = input.Statistic ?? input.ExtendedStatistic
    const isAbout = ({ settings }: AlarmRecord): boolean => {
      if (settings.type !== 'MetricAlarm') return false
      const single = settings.metric === undefined ? [] : [{ ...settings, metric: settings.metric }]
      const all = [...single, ...(settings.queries ?? []).flatMap(({ metricStat }) => metricStat ?? [])]
      return all.some(
        (one) =>
          JSON.stringify(one.metric) === key &&
          (stat === undefined || one.stat === stat) &&
          (input.Period === undefined || one.period === input.Period) &&
          (input.Unit === undefined || one.unit === input.Unit)
      )
    }
    const found = search(alarms, '', Number.MAX_SAFE_INTEGER, { types: ['MetricAlarm'] }, isAbout)
    return { MetricAlarms: found.map((alarm) => toView(alarm, scope)) }
  }
})

const describeAlarmHistory = monitoringOperation({
  name: 'DescribeAlarmHistory',
  input: z.object({
    AlarmName: AlarmName.optional(),
    AlarmContributorId: z.string().min(1).max(16).optional(),
    AlarmTypes: Types.optional(),
    HistoryItemType: z
      .enum(['ConfigurationUpdate', 'StateUpdate', 'Action', 'AlarmContributorStateUpdate', 'AlarmContributorAction'])
      .optional(),
    StartDate: Time.optional(),
    EndDate: Time.optional(),
    MaxRecords,
    NextToken: Token,
    ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending')
  }),
  target: ({ AlarmName: name = '*' }, { scope }) => alarmArn(scope, name),
  run(input, { alarms }) {
    const { MaxRecords: limit = HISTORY_PAGE, NextToken: cursor, ...filters } = input
    const { AlarmTypes: types = [] } = filters
    const { items, next } = readPage(
      { query: ['DescribeAlarmHistory', filters], cursor, limit, key: /^\d{1,15}$/, refusal: badToken },
      (after, most) =>
        alarms.history({
          alarm: input.AlarmName,
          alarmTypes: types.length === 0 ? undefined : types,
          type: input.HistoryItemType,
          from: input.StartDate,
          to: input.EndDate,
          isAscending: input.ScanBy === 'TimestampAscending',
          after: after === '' ? undefined : Number(after),
          limit: most
        }),
      ({ id }) => String(id)
    )
    return { AlarmHistoryItems: items.map(itemView), ...(next === undefined ? {} : { NextToken: next }) }
  }
})

function itemView({ alarm, alarmType, at, type, summary, data }: AlarmHistoryItem) {
  return {
    AlarmName: alarm,
    AlarmType: alarmType,
    Timestamp: new Date(at),
    HistoryItemType: type,
    HistorySummary: summary,
    HistoryData: data
  }
}

export const READ_OPERATIONS: readonly MonitoringOperation[] = [
  describeAlarms,
  describeAlarmsForMetric,
  describeAlarmHistory
]
