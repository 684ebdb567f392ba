import type { ArnScope } from '@hearth/shared'
import { type AlarmRecord, type MetricStore, parseStatistic } from '@hearth/store'
import { slotsOf } from './alarm-data.ts'
import { childrenOf, holds, parseRule } from './composite.ts'
import { type EvaluationRules, evaluate, type MissingData, samplesFor } from './evaluate.ts'
import { windowOf } from './evaluation-window.ts'
import { javaTime } from './java-text.ts'
import { alarmArn, type CompositeAlarm, type MetricAlarm } from './model.ts'
import { INITIAL_REASON, reasonDataFor, reasonFor } from './reason.ts'
import type { NewState } from './state-changes.ts'

/**
 * The state that an alarm's metric calls for.
 *
 * @param at - Unix time in ms
 * @returns undefined: the state stays
 */
export function judgeMetric(
  { settings }: MetricAlarm,
  at: number,
  metrics: Pick<MetricStore, 'points'>
): NewState | undefined {
  const window = windowOf(settings, at)
  const rules = rulesOf(settings)
  const found = evaluate(slotsOf(settings, window, metrics), rules)
  if (found.state === undefined) return undefined
  const shown = settings.queries?.find((query) => query.returnData !== false)
  const facts = {
    queriedAt: at,
    statistic: settings.stat ?? shown?.metricStat?.stat,
    unit: settings.unit ?? shown?.metricStat?.unit,
    period: window.period
  }
  return {
    value: found.state,
    reason: reasonFor(found.state, found, rules),
    reasonData: reasonDataFor(found, rules, facts)
  }
}

function rulesOf(settings: MetricAlarm['settings']): EvaluationRules {
  const { evaluationPeriods, datapointsToAlarm, threshold, comparisonOperator, treatMissingData, metric } = settings
  return {
    evaluationPeriods,
    datapointsToAlarm,
    threshold,
    comparisonOperator,
    // Source: monitoring §5.2: tables' metrics have no values while nothing is asked of the tables.
    treatMissingData:
      metric?.namespace === 'AWS/DynamoDB' ? 'ignore' : ((treatMissingData ?? 'missing') as MissingData),
    minSamples: settings.lowSampleCount === 'ignore' ? samplesOf(settings.stat) : undefined
  }
}

function samplesOf(stat: string | undefined): number | undefined {
  if (stat === undefined) return undefined
  const statistic = parseStatistic(stat)
  return statistic.kind === 'percentile' ? samplesFor(statistic.percent) : undefined
}

/** The state that the states of others call for. @param find - An alarm by its name */
export function judgeComposite(
  alarm: CompositeAlarm,
  scope: ArnScope,
  find: (name: string) => AlarmRecord | undefined
): NewState {
  const rule = parseRule(alarm.settings.rule, scope)
  const children = childrenOf(rule).flatMap((name) => find(name) ?? [])
  const states = new Map(children.map(({ name, status }) => [name, status.value]))
  const value = holds(rule, (name) => states.get(name)) ? 'ALARM' : 'OK'
  const newest = children.toSorted((a, b) => b.status.transitionedAt - a.status.transitionedAt)
  const [last] = newest
  const isNew = alarm.status.reason === INITIAL_REASON
  return {
    value,
    reason:
      isNew || last === undefined
        ? `${alarmArn(scope, alarm.name)} was created and its alarm rule evaluates to ${value}`
        : `${alarmArn(scope, last.name)} transitioned to ${last.status.value} at ${longTime(last.status.transitionedAt)}`,
    reasonData: JSON.stringify({
      triggeringAlarms: newest.slice(0, isNew ? 0 : 1).map(({ name, status }) => ({
        arn: alarmArn(scope, name),
        state: { value: status.value, timestamp: javaTime(status.transitionedAt) }
      }))
    })
  }
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December'
]

/** `Friday 22 July, 2022 15:57:45 UTC` */
function longTime(at: number): string {
  const date = new Date(at)
  const time = date.toISOString().slice(11, 19)
  const day = String(date.getUTCDate()).padStart(2, '0')
  return `${DAYS[date.getUTCDay()]} ${day} ${MONTHS[date.getUTCMonth()]}, ${date.getUTCFullYear()} ${time} UTC`
}
