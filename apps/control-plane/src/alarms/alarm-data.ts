import {
  combineStatistics,
  type MetricAlarmSettings,
  type MetricKey,
  type MetricStore,
  parseStatistic,
  type Statistic,
  type StatisticSet,
  statisticOf
} from '@hearth/store'
import { type Datapoint, evaluationRange, type Slot } from './evaluate.ts'
import { computeShown } from './math.ts'
import { periodOf } from './model.ts'

const DAY_S = 86_400

/** When an alarm is looked at, and what of. */
export interface EvaluationWindow {
  /** Seconds. */
  readonly period: number
  /** How often there is something new to see, and what periods begin and end at, in seconds. */
  readonly step: number
  /** Beginnings of its periods, oldest first: Unix times in ms. */
  readonly starts: readonly number[]
}

/**
 * The latest whole periods. They move by the minute (10 s for shorter periods, 5 min and an hour for the longest), as AWS's do,
 * so a period of five minutes ends at any minute.
 *
 * @param now - Unix time in ms
 */
export function windowOf(settings: MetricAlarmSettings, now: number): EvaluationWindow {
  const period = periodOf(settings)
  const step = stepOf(period, settings.evaluationPeriods)
  const end = Math.floor(now / (step * 1_000)) * step * 1_000
  const count = evaluationRange(settings.evaluationPeriods)
  const starts = Array.from({ length: count }, (_, i) => end - (count - i) * period * 1_000)
  return { period, step, starts }
}

function stepOf(period: number, evaluationPeriods: number): number {
  if (period < 60) return 10
  if (period % 3_600 === 0 && period * evaluationPeriods > DAY_S) return 3_600
  return period >= 3_600 && period % 300 === 0 ? 300 : 60
}

/** Values of one metric in each period of a window. */
export function pointsIn(
  metrics: Pick<MetricStore, 'points'>,
  { metric, stat, unit }: { readonly metric: MetricKey; readonly stat: string; readonly unit?: string | undefined },
  { period, step, starts }: EvaluationWindow
): readonly (Datapoint | undefined)[] {
  const from = starts[0]!
  const width = period * 1_000
  const sets = new Array<StatisticSet | undefined>(starts.length)
  for (const point of metrics.points({ key: metric, from, to: starts.at(-1)! + width, period: step, unit })) {
    const index = Math.floor((point.at - from) / width)
    const known = sets[index]
    sets[index] = known === undefined ? point.values : combineStatistics(known, point.values)
  }
  const statistic: Statistic = parseStatistic(stat)
  return starts.map((at, i) => {
    const values = sets[i]
    const value = values && statisticOf(values, statistic)
    return value === undefined ? undefined : { at, value, sampleCount: values!.count }
  })
}

/** What an alarm sees now. */
export function slotsOf(
  { metric, stat = '', unit, queries = [] }: MetricAlarmSettings,
  window: EvaluationWindow,
  metrics: Pick<MetricStore, 'points'>
): readonly Slot[] {
  const { starts } = window
  if (metric !== undefined) {
    const points = pointsIn(metrics, { metric, stat, unit }, window)
    return starts.map((at, i) => ({ at, point: points[i] }))
  }
  const shown = queries.find((query) => query.returnData !== false)!
  if (shown.metricStat !== undefined) {
    const points = pointsIn(metrics, shown.metricStat, window)
    return starts.map((at, i) => ({ at, point: points[i] }))
  }
  const columns = new Map<string, readonly (number | undefined)[]>()
  for (const { id, metricStat } of queries) {
    if (metricStat === undefined) continue
    columns.set(
      id,
      pointsIn(metrics, metricStat, window).map((point) => point?.value)
    )
  }
  const values = computeShown(queries, window, columns)
  return starts.map((at, i) => {
    const value = values[i]
    return { at, point: value === undefined ? undefined : { at, value } }
  })
}
