import { type ArnScope, HearthError, MathError, parseFunctionRef } from '@hearth/shared'
import { type AlarmQuery, type AlarmSettings, type MetricAlarmSettings, parseStatistic } from '@hearth/store'
import { monitoringError } from '../metrics-api/errors.ts'
import { BAND_COMPARISONS, COMPARISONS } from './comparison.ts'
import { windowOf } from './evaluation-window.ts'
import { seriesShown } from './math.ts'
import { allActionsOf, periodOf } from './model.ts'

const DAY_S = 86_400
const WEEK_S = 604_800
const MAX_QUERIES = 20
const MAX_METRICS = 10
const QUERY_ID = /^[a-z][A-Za-z0-9_]*$/
const PLAIN_STATISTICS = new Set(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'])
const MISSING_DATA = ['breaching', 'notBreaching', 'ignore', 'missing']
const LOW_SAMPLE_COUNT = ['evaluate', 'ignore']

/**
 * What of a metric alarm must fit together.
 *
 * @throws HearthError with CloudWatch's code; nothing has been written
 * @see reference: monitoring §5.1
 */
export function checkMetricAlarm(settings: MetricAlarmSettings): void {
  const { evaluationPeriods, datapointsToAlarm, comparisonOperator, treatMissingData, lowSampleCount } = settings
  if (settings.queries === undefined) checkSingle(settings)
  else checkQueries(settings.queries, settings)
  if (BAND_COMPARISONS.has(comparisonOperator)) {
    throw invalid(`ComparisonOperator ${comparisonOperator} needs anomaly detection, which this server does not have.`)
  }
  if (!Object.hasOwn(COMPARISONS, comparisonOperator)) {
    throw invalid(`The value ${comparisonOperator} for parameter ComparisonOperator is not supported.`)
  }
  if (datapointsToAlarm !== undefined && datapointsToAlarm > evaluationPeriods) {
    throw invalid('DatapointsToAlarm must be less than or equal to EvaluationPeriods.')
  }
  if (treatMissingData !== undefined && !MISSING_DATA.includes(treatMissingData)) {
    throw invalid(
      `The value ${treatMissingData} for parameter TreatMissingData must be one of [${MISSING_DATA.join(', ')}].`
    )
  }
  if (lowSampleCount !== undefined && !LOW_SAMPLE_COUNT.includes(lowSampleCount)) {
    throw invalid(
      `The value ${lowSampleCount} for parameter EvaluateLowSampleCountPercentile must be one of [${LOW_SAMPLE_COUNT.join(', ')}].`
    )
  }
  checkSpan(periodOf(settings), evaluationPeriods)
}

function checkSpan(period: number, evaluationPeriods: number): void {
  const span = period * evaluationPeriods
  if (period < 3_600 && span > DAY_S) {
    throw invalid('Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).')
  }
  if (span > WEEK_S) {
    throw invalid(
      'Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800).'
    )
  }
}

function checkSingle({ metric, stat, period }: MetricAlarmSettings): void {
  if (metric === undefined) throw missing('MetricName')
  if (stat === undefined) throw missing('Statistic or ExtendedStatistic')
  if (period === undefined) throw missing('Period')
  checkStatistic(stat, PLAIN_STATISTICS.has(stat) ? 'Statistic' : 'ExtendedStatistic')
  checkPeriod(period, 'Period')
}

function checkStatistic(stat: string, path: string): void {
  try {
    parseStatistic(stat)
  } catch (err) {
    if (!(err instanceof HearthError)) throw err
    throw invalid(`The value ${stat} for parameter ${path} is not supported.`)
  }
}

function checkPeriod(period: number, path: string): void {
  if (period === 10 || period === 20 || period === 30 || period % 60 === 0) return
  throw invalid(`The parameter ${path} must be 10, 20, 30 or a multiple of 60.`)
}

function checkQueries(queries: readonly AlarmQuery[], settings: MetricAlarmSettings): void {
  const given = (['metric', 'stat', 'period', 'unit'] as const).find((member) => settings[member] !== undefined)
  if (given !== undefined) {
    const name = { metric: 'MetricName', stat: 'Statistic', period: 'Period', unit: 'Unit' }[given]
    throw monitoringError(
      'InvalidParameterCombination',
      `The parameters Metrics and ${name} are mutually exclusive and you have specified both.`
    )
  }
  if (queries.length === 0) throw missing('Metrics')
  if (
    queries.length > MAX_QUERIES ||
    queries.filter(({ metricStat }) => metricStat !== undefined).length > MAX_METRICS
  ) {
    throw invalid(`An alarm can have up to ${MAX_METRICS} metrics, and ${MAX_QUERIES} queries in all.`)
  }
  const ids = new Set<string>()
  for (const [i, query] of queries.entries()) {
    const path = `Metrics.member.${i + 1}`
    const { id, metricStat, expression } = query
    if (!QUERY_ID.test(id)) {
      throw invalid(
        `The value ${id} for parameter ${path}.Id must begin with a small letter and have letters, digits and _ only.`
      )
    }
    if (ids.has(id)) throw invalid(`The value ${id} for parameter ${path}.Id is not unique.`)
    ids.add(id)
    if ((metricStat === undefined) === (expression === undefined)) {
      throw invalid(`Exactly one of ${path}.MetricStat and ${path}.Expression must be specified.`)
    }
    if (metricStat !== undefined) {
      checkStatistic(metricStat.stat, `${path}.MetricStat.Stat`)
      checkPeriod(metricStat.period, `${path}.MetricStat.Period`)
    } else if (query.period !== undefined) {
      checkPeriod(query.period, `${path}.Period`)
    }
  }
  if (queries.filter(({ returnData }) => returnData !== false).length !== 1) {
    throw invalid('Metrics list must contain exactly one metric matching ReturnData=true')
  }
  const periods = new Set(queries.flatMap(({ metricStat, period }) => metricStat?.period ?? period ?? []))
  if (periods.size !== 1) {
    throw invalid(periods.size === 0 ? 'Period must not be null' : 'All metrics of an alarm must have the same Period.')
  }
  checkExpressions(queries, settings)
}

/** Works them out over nothing: what can be wrong with them is found. */
function checkExpressions(queries: readonly AlarmQuery[], settings: MetricAlarmSettings): void {
  const shown = queries.find(({ returnData }) => returnData !== false)!
  try {
    const window = windowOf(settings, 0)
    const columns = new Map(
      queries.flatMap(({ id, metricStat }) =>
        metricStat === undefined ? [] : [[id, window.starts.map(() => 1)] as const]
      )
    )
    const series = seriesShown(queries, window, columns)
    if (shown.expression !== undefined && series.length !== 1) {
      throw new MathError(`${shown.id} comes to ${series.length} time series, and an alarm watches one`)
    }
  } catch (err) {
    if (!(err instanceof MathError)) throw err
    throw invalid(`Error in expression '${shown.expression ?? shown.id}': ${err.message}.`)
  }
}

export interface ActionChecks {
  readonly scope: ArnScope
  /** @throws HearthError when nothing could be sent there */
  readonly checkWebhook: (url: string) => void
}

/** Services whose resources AWS's alarms can act on, and this server's cannot. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  sns: 'topics',
  sqs: 'queues',
  autoscaling: 'auto scaling',
  automate: 'actions on instances',
  swf: 'actions on instances',
  ssm: 'OpsCenter',
  'ssm-incidents': 'Incident Manager',
  aiops: 'investigations'
}

/**
 * Where an alarm can send to: functions and webhooks. Whether there is such a function is asked when it is sent, as on AWS.
 *
 * @throws HearthError with CloudWatch's code
 */
export function checkActions(settings: AlarmSettings, { scope, checkWebhook }: ActionChecks): void {
  for (const target of allActionsOf(settings)) {
    if (!target.startsWith('arn:')) {
      checkWebhook(target)
      continue
    }
    const [, , service = '', region = ''] = target.split(':')
    if (service !== 'lambda') {
      const what = Object.hasOwn(UNAVAILABLE, service) ? UNAVAILABLE[service] : undefined
      if (what === undefined) throw invalid(`Invalid arn syntax: ${target}`)
      throw invalid(
        `The action ${target} is not supported by this server: ${what} are not available yet. A function can take it, or a webhook.`
      )
    }
    if (region !== scope.region) {
      throw invalid(`Invalid region ${region} specified. Only ${scope.region} is supported.`)
    }
    try {
      parseFunctionRef(scope, target)
    } catch (err) {
      if (!(err instanceof HearthError)) throw err
      throw invalid(`Invalid arn syntax: ${target}`)
    }
  }
}

function invalid(message: string): HearthError {
  return monitoringError('ValidationError', message)
}

function missing(parameter: string): HearthError {
  return monitoringError('MissingParameter', `The parameter ${parameter} is required.`)
}
