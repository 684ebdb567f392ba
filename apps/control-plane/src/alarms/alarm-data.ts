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
import type { Datapoint, Slot } from './evaluate.ts'
import type { EvaluationWindow } from './evaluation-window.ts'
import { computeShown } from './math.ts'

/** Values of one metric in each period of a window. */
function pointsIn(
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
