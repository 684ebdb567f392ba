import type { MetricAlarmSettings } from '@hearth/store'
import { evaluationRange } from './evaluate.ts'
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
