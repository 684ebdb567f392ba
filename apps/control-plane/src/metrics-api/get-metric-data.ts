import {
  checkMath,
  evaluateMath,
  fromCursor,
  type ListQuery,
  MathError,
  type MathQuery,
  type Series,
  toCursor
} from '@hearth/shared'
import { z } from 'zod'
import { badToken, monitoringError } from './errors.ts'
import { keyOf } from './keys.ts'
import { type MonitoringDeps, monitoringOperation } from './operation.ts'
import { checkPeriod, checkStatistic, MAX_POINTS, readSeries, roundStart } from './series.ts'
import { Dimensions, Flag, Int, listOf, MetricName, Namespace, Time, Unit } from './values.ts'

/** Of all metrics of a request together: what is read at once holds others up. */
const MAX_READ = 500_000

export const MetricStat = z.object({
  Metric: z.object({ Namespace, MetricName, Dimensions: Dimensions.default([]) }),
  Period: Int,
  Stat: z.string(),
  Unit: Unit.optional()
})

export const MetricDataQuery = z.object({
  Id: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[a-z][a-zA-Z0-9_]*$/),
  MetricStat: MetricStat.optional(),
  Expression: z.string().min(1).max(2_048).optional(),
  Label: z.string().max(2_048).optional(),
  ReturnData: Flag.default(true),
  Period: Int.optional(),
  AccountId: z.string().optional()
})
export type MetricDataQuery = z.output<typeof MetricDataQuery>

interface Result {
  readonly id: string
  readonly label: string
  readonly times: readonly number[]
  readonly series: Series
}

/** Statistics of metrics, and what expressions make of them. */
export const getMetricData = monitoringOperation({
  name: 'GetMetricData',
  note: 'metric math without SEARCH, SORT, SLICE, TIME_SERIES, anomaly detection and Metrics Insights; `LabelOptions` is not looked at, and labels are taken as they are',
  input: z.object({
    MetricDataQueries: listOf(MetricDataQuery, 500, 1),
    StartTime: Time,
    EndTime: Time,
    ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending'),
    MaxDatapoints: Int.optional(),
    NextToken: z.string().optional(),
    LabelOptions: z.unknown().optional()
  }),
  target: () => '*',
  run(input, deps) {
    const { MetricDataQueries: queries, StartTime: start, EndTime: to, ScanBy: order } = input
    const { MaxDatapoints: max = MAX_POINTS } = input
    if (start >= to) {
      throw monitoringError('ValidationError', 'The parameter StartTime must be less than the parameter EndTime.')
    }
    if (max < 1 || max > MAX_POINTS) {
      throw monitoringError(
        'ValidationError',
        `The value ${max} for parameter MaxDatapoints is not between 1 and ${MAX_POINTS}.`
      )
    }
    const expressions = checkQueries(queries)
    const results = evaluate(queries, expressions, start, to, deps)
    if (order === 'TimestampDescending') for (const { times } of results) (times as number[]).reverse()
    return pageOfResults(results, max, input.NextToken, ['GetMetricData', queries, start, to, order])
  }
})

/** @throws HearthError (ValidationError) @returns expressions, read */
export function checkQueries(queries: readonly MetricDataQuery[]): MathQuery[] {
  const ids = new Set(queries.map(({ Id }) => Id))
  if (ids.size < queries.length) {
    throw monitoringError(
      'ValidationError',
      'The values for parameter Id in parameter MetricDataQueries are not unique.'
    )
  }
  return queries.flatMap(({ Id: id, MetricStat: metric, Expression: text, Period: period }) => {
    if ((metric === undefined) === (text === undefined)) {
      throw monitoringError('ValidationError', `The query ${id} must have either MetricStat or Expression.`)
    }
    if (metric !== undefined) {
      checkPeriod(metric.Period)
      checkStatistic(metric.Stat, `MetricStat.Stat of ${id}`)
    }
    if (period !== undefined) checkPeriod(period)
    return text === undefined ? [] : [{ id, expression: told(id, () => checkMath(text, ids)) }]
  })
}

function evaluate(
  queries: readonly MetricDataQuery[],
  expressions: readonly MathQuery[],
  start: number,
  to: number,
  { metrics, now }: MonitoringDeps
): Result[] {
  const read = new Map<string, Series>()
  let asked = 0
  let from = start
  for (const { Id: id, MetricStat: metric } of queries) {
    if (metric === undefined) continue
    const { Metric: named, Period: period, Stat: stat, Unit: unit } = metric
    const begin = roundStart(start, period, now().getTime())
    from = Math.min(from, begin)
    const points = Math.ceil((to - begin) / 1_000 / period)
    asked += points
    if (points > MAX_POINTS || asked > MAX_READ) {
      throw monitoringError(
        'ValidationError',
        `The request is for more than ${MAX_POINTS} datapoints of one metric or ${MAX_READ} of all. Increase Period, or decrease the time range.`
      )
    }
    const key = keyOf(named.Namespace, named.MetricName, named.Dimensions)
    read.set(id, readSeries(metrics, { key, period, stat, unit }, { from: begin, to }))
  }
  const worked = told('', () => evaluateMath(expressions, { metrics: read, from, to }))
  return queries
    .filter(({ ReturnData }) => ReturnData)
    .flatMap(({ Id: id, Label: label }) => {
      const metric = read.get(id)
      const all = metric === undefined ? (worked.get(id) ?? []) : [metric]
      return all.map((series) => ({
        id,
        label: label ?? (series.label === '' ? id : series.label),
        times: [...series.values.keys()],
        series
      }))
    })
}

/** All results go on side by side, so that a page has the same times of each. */
function pageOfResults(results: readonly Result[], max: number, cursor: string | undefined, query: ListQuery): object {
  const from = Number(fromCursor({ query, cursor, key: /^\d{1,9}$/, refusal: badToken }))
  const next = from + Math.max(1, Math.floor(max / Math.max(1, results.length)))
  const hasMore = results.some(({ times }) => times.length > next)
  return {
    MetricDataResults: results.map(({ id, label, times, series }) => {
      const page = times.slice(from, next)
      return {
        Id: id,
        Label: label,
        Timestamps: page.map((at) => new Date(at)),
        Values: page.map((at) => series.values.get(at)!),
        StatusCode: times.length > next ? 'PartialData' : 'Complete'
      }
    }),
    Messages: [],
    NextToken: hasMore ? toCursor(query, String(next)) : undefined
  }
}

/** What is wrong with an expression, as the caller is told. */
function told<T>(id: string, step: () => T): T {
  try {
    return step()
  } catch (err) {
    if (!(err instanceof MathError)) throw err
    throw monitoringError('ValidationError', `Error in expression '${err.id ?? id}': ${err.message}.`)
  }
}
