import { checkMath, evaluateMath, type MathQuery, type Series, seriesOf } from '@hearth/shared'
import type { AlarmQuery } from '@hearth/store'
import type { EvaluationWindow } from './evaluation-window.ts'

/**
 * Works out the expression that an alarm watches.
 *
 * @param columns - Values of each metric in each period of the window, by the id of its query
 * @returns one value for each period
 * @throws MathError for expressions that cannot be
 */
export function computeShown(
  queries: readonly AlarmQuery[],
  window: EvaluationWindow,
  columns: ReadonlyMap<string, readonly (number | undefined)[]>
): readonly (number | undefined)[] {
  const series = seriesShown(queries, window, columns)
  const { times } = alignedTimes(window)
  return times.map((time) => series[0]?.values.get(time))
}

/** As {@link computeShown}: all series that it comes to, of which an alarm can watch one. */
export function seriesShown(
  queries: readonly AlarmQuery[],
  window: EvaluationWindow,
  columns: ReadonlyMap<string, readonly (number | undefined)[]>
): readonly Series[] {
  const { times, from, to } = alignedTimes(window)
  const metrics = new Map<string, Series>()
  for (const [id, values] of columns) {
    const byTime = new Map(times.map((time, i) => [time, values[i]] as const))
    metrics.set(
      id,
      seriesOf(times, (time) => byTime.get(time), window.period, id)
    )
  }
  const known = new Set(queries.map(({ id }) => id))
  const parsed: MathQuery[] = queries.flatMap(({ id, expression }) =>
    expression === undefined ? [] : [{ id, expression: checkMath(expression, known) }]
  )
  const shown = queries.find(({ returnData }) => returnData !== false)!
  return evaluateMath(parsed, { metrics, from, to }).get(shown.id) ?? []
}

/** An alarm's periods end at any minute; those of metric math begin at multiples of their length. */
function alignedTimes({ starts, period }: EvaluationWindow) {
  const width = period * 1_000
  const first = starts[0]!
  const times = starts.map((start) => start - (first % width))
  return { times, from: times[0]!, to: times.at(-1)! + width }
}
