import { z } from 'zod'
import { tagContext } from '../iam/parameters.ts'
import { monitoringError } from '../metrics-api/errors.ts'
import { keyOf } from '../metrics-api/keys.ts'
import { type MonitoringOperation, monitoringOperation } from '../metrics-api/operation.ts'
import { Dimensions, Flag, listOf, MetricName, Namespace, Num, Unit } from '../metrics-api/values.ts'
import { tagsOf } from './alarm-service.ts'
import { alarmArn } from './model.ts'
import { Actions, AlarmName, Positive, Query, Statistic, Tags, toQuery } from './parameters.ts'

const Common = {
  AlarmName,
  AlarmDescription: z.string().max(1_024).optional(),
  ActionsEnabled: Flag.default(true),
  OKActions: Actions,
  AlarmActions: Actions,
  InsufficientDataActions: Actions,
  Tags: Tags.optional()
}

interface CommonInput {
  readonly AlarmDescription?: string | undefined
  readonly ActionsEnabled: boolean
  readonly OKActions: readonly string[]
  readonly AlarmActions: readonly string[]
  readonly InsufficientDataActions: readonly string[]
}

function actionsIn(input: CommonInput) {
  return {
    description: input.AlarmDescription,
    actionsEnabled: input.ActionsEnabled,
    okActions: input.OKActions,
    alarmActions: input.AlarmActions,
    insufficientDataActions: input.InsufficientDataActions
  }
}

/** What policies may look at. */
function contextOf({
  AlarmActions,
  OKActions,
  InsufficientDataActions,
  Tags: tags
}: CommonInput & { Tags?: Parameters<typeof tagContext>[0] }) {
  return { 'cloudwatch:AlarmActions': [...AlarmActions, ...OKActions, ...InsufficientDataActions], ...tagContext(tags) }
}

/** Members that stand for what this server does not have. */
const UNAVAILABLE = {
  ThresholdMetricId: 'anomaly detection',
  EvaluationCriteria: 'PromQL alarms',
  EvaluationInterval: 'PromQL alarms',
  EvaluationWindow: 'windows by the clock',
  WarmUpConfiguration: 'warm-up'
}
const AnyUnavailable = Object.fromEntries(Object.keys(UNAVAILABLE).map((name) => [name, z.unknown().optional()]))

function refuseUnavailable(input: object): void {
  const given = input as Readonly<Record<string, unknown>>
  const found = Object.entries(UNAVAILABLE).find(([name]) => given[name] !== undefined)
  if (found === undefined) return
  throw monitoringError(
    'InvalidParameterValue',
    `The parameter ${found[0]} is not supported by this server: it does not have ${found[1]}.`
  )
}

const putMetricAlarm = monitoringOperation({
  name: 'PutMetricAlarm',
  note: 'Actions are functions and webhooks (`https://…`); topics and the actions of other services, anomaly detection and PromQL are refused by name',
  input: z.object({
    ...Common,
    ...AnyUnavailable,
    MetricName: MetricName.optional(),
    Namespace: Namespace.optional(),
    Statistic: Statistic.optional(),
    ExtendedStatistic: z.string().min(1).max(64).optional(),
    Dimensions: Dimensions.default([]),
    Period: Positive.optional(),
    Unit: Unit.optional(),
    EvaluationPeriods: Positive,
    DatapointsToAlarm: Positive.optional(),
    Threshold: Num.optional(),
    ComparisonOperator: z.enum([
      'GreaterThanOrEqualToThreshold',
      'GreaterThanThreshold',
      'LessThanThreshold',
      'LessThanOrEqualToThreshold',
      'LessThanLowerOrGreaterThanUpperThreshold',
      'LessThanLowerThreshold',
      'GreaterThanUpperThreshold'
    ]),
    TreatMissingData: z.string().min(1).max(255).optional(),
    EvaluateLowSampleCountPercentile: z.string().min(1).max(255).optional(),
    Metrics: listOf(Query, 100).optional()
  }),
  target: (input, { scope }) => ({ resource: alarmArn(scope, input.AlarmName), context: contextOf(input) }),
  run(input, { alarms }) {
    refuseUnavailable(input)
    const { MetricName: name, Namespace: namespace, Statistic: plain, ExtendedStatistic: extended } = input
    if (plain !== undefined && extended !== undefined) {
      throw monitoringError(
        'InvalidParameterCombination',
        'The parameters Statistic and ExtendedStatistic are mutually exclusive and you have specified both.'
      )
    }
    if ((name === undefined) !== (namespace === undefined)) {
      const absent = name === undefined ? 'MetricName' : 'Namespace'
      throw monitoringError('MissingParameter', `The parameter ${absent} is required.`)
    }
    if (input.Threshold === undefined) {
      throw monitoringError('MissingParameter', 'The parameter Threshold is required.')
    }
    // Clients send empty lists for what is not meant.
    const queries = input.Metrics === undefined || input.Metrics.length === 0 ? undefined : input.Metrics.map(toQuery)
    alarms.put(
      input.AlarmName,
      {
        type: 'MetricAlarm',
        ...actionsIn(input),
        metric: name === undefined ? undefined : keyOf(namespace!, name, input.Dimensions),
        stat: plain ?? extended,
        period: input.Period,
        unit: input.Unit,
        queries,
        evaluationPeriods: input.EvaluationPeriods,
        datapointsToAlarm: input.DatapointsToAlarm,
        threshold: input.Threshold,
        comparisonOperator: input.ComparisonOperator,
        treatMissingData: input.TreatMissingData,
        lowSampleCount: input.EvaluateLowSampleCountPercentile
      },
      { tags: alarms.find(input.AlarmName) === undefined ? tagsOf(input.Tags) : undefined }
    )
    return undefined
  }
})

const putCompositeAlarm = monitoringOperation({
  name: 'PutCompositeAlarm',
  note: 'Suppressors of actions are refused',
  input: z.object({
    ...Common,
    AlarmRule: z.string().min(1).max(10_240),
    ActionsSuppressor: z.string().optional(),
    ActionsSuppressorWaitPeriod: z.unknown().optional(),
    ActionsSuppressorExtensionPeriod: z.unknown().optional()
  }),
  target: (input, { scope }) => ({ resource: alarmArn(scope, input.AlarmName), context: contextOf(input) }),
  run(input, { alarms }) {
    if (input.ActionsSuppressor !== undefined && input.ActionsSuppressor !== '') {
      throw monitoringError('InvalidParameterValue', 'The parameter ActionsSuppressor is not supported by this server.')
    }
    alarms.put(
      input.AlarmName,
      { type: 'CompositeAlarm', ...actionsIn(input), rule: input.AlarmRule },
      { tags: alarms.find(input.AlarmName) === undefined ? tagsOf(input.Tags) : undefined }
    )
    return undefined
  }
})

export const PUT_OPERATIONS: readonly MonitoringOperation[] = [putMetricAlarm, putCompositeAlarm]
