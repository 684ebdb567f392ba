import { type MathContext, type Series, seriesOf } from '@hearth/shared'
import { type MetricKey, type MetricStore, parseStatistic, statisticOf } from '@hearth/store'
import { monitoringError } from './errors.ts'

const SHORT_PERIODS = new Set([1, 5, 10, 20, 30])
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** As many points as one metric may be asked for at once. */
export const MAX_POINTS = 100_800

/** @throws HearthError (InvalidParameterValue) for what is neither 1, 5, 10, 20, 30 nor a multiple of 60 */
export function checkPeriod(period: number): void {
  if (SHORT_PERIODS.has(period) || (period >= 60 && period % 60 === 0 && period <= 86_400 * 366)) return
  throw monitoringError(
    'InvalidParameterValue',
    `The value ${period} for parameter Period is invalid. Period must be 1, 5, 10, 20, 30, or a multiple of 60 seconds.`
  )
}

/** @throws HearthError (InvalidParameterValue) */
export function checkStatistic(stat: string, path: string): void {
  try {
    parseStatistic(stat)
  } catch {
    throw monitoringError('InvalidParameterValue', `The value ${stat} for parameter ${path} is not supported.`)
  }
}

/**
 * A start as CloudWatch takes it: whole minutes, and further back what is still told apart.
 *
 * @see reference: monitoring §4
 */
export function roundStart(from: number, period: number, now: number): number {
  if (period < 60) return from
  const width = now - from > 63 * DAY_MS ? 60 * MINUTE_MS : now - from > 15 * DAY_MS ? 5 * MINUTE_MS : MINUTE_MS
  return Math.floor(from / width) * width
}

/** One statistic of one metric over time. */
export function readSeries(
  metrics: MetricStore,
  query: {
    readonly key: MetricKey
    readonly period: number
    readonly stat: string
    readonly unit?: string | undefined
  },
  { from, to }: Pick<MathContext, 'from' | 'to'>
): Series {
  const { key, period, stat, unit } = query
  const statistic = parseStatistic(stat)
  const values = new Map<number, number | undefined>()
  for (const point of metrics.points({ key, from, to, period, unit })) {
    values.set(point.at, statisticOf(point.values, statistic))
  }
  return seriesOf(values.keys(), (at) => values.get(at), period, key.name)
}
