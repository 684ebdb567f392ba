import type { AlarmState } from '@hearth/store'
import { COMPARISONS } from './comparison.ts'

/** What an alarm's metric had in one period. */
export interface Datapoint {
  /** Unix time in ms of the period's beginning. */
  readonly at: number
  readonly value: number
  /** How many values it is made of. */
  readonly sampleCount?: number | undefined
}

/** One period of the evaluation range; without a point there were no values. */
export interface Slot {
  readonly at: number
  readonly point: Datapoint | undefined
}

export type MissingData = 'missing' | 'notBreaching' | 'breaching' | 'ignore'

export interface EvaluationRules {
  readonly evaluationPeriods: number
  readonly datapointsToAlarm?: number | undefined
  readonly threshold: number
  readonly comparisonOperator: string
  readonly treatMissingData: MissingData
  /** Fewer values than this in a period say nothing; undefined: any number does. */
  readonly minSamples?: number | undefined
}

/** What the slots say. */
export interface Evaluation {
  /** Undefined: the state stays as it is. */
  readonly state: AlarmState | undefined
  /** Points that were looked at, the newest first. */
  readonly points: readonly Datapoint[]
  /** Those of them that are beyond the threshold. */
  readonly breaching: readonly Datapoint[]
  /** Periods that were looked at although they have no point: beginnings, the newest first. */
  readonly missing: readonly number[]
}

/** Periods beyond those to be evaluated that are looked at for late points. Source: the documentation's example, 5 for 3. */
const MORE_SLOTS = 2

/** How many periods are looked at. */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + MORE_SLOTS
}

/**
 * Decides the state of an alarm from its latest periods. Pure.
 *
 * @param slots - The evaluation range, oldest first
 * @see reference: monitoring §5.2
 */
export function evaluate(slots: readonly Slot[], rules: EvaluationRules): Evaluation {
  const { evaluationPeriods: n, treatMissingData } = rules
  const m = rules.datapointsToAlarm ?? n
  const comparison = COMPARISONS[rules.comparisonOperator]!
  const newest = slots.toReversed()
  const points = newest.flatMap(({ point }) => point ?? []).slice(0, n)
  const breaching = points.filter(({ value }) => comparison.breaches(value, rules.threshold))
  const fillers = n - points.length
  const missing = newest
    .filter(({ point }) => point === undefined)
    .slice(0, fillers)
    .map(({ at }) => at)
  const found = { points, breaching, missing }

  const { minSamples } = rules
  if (minSamples !== undefined && points.some(({ sampleCount = minSamples }) => sampleCount < minSamples)) {
    return { ...found, state: undefined }
  }
  if (points.length >= n) return { ...found, state: breaching.length >= m ? 'ALARM' : 'OK' }
  switch (treatMissingData) {
    case 'breaching':
      return { ...found, state: breaching.length + fillers >= m ? 'ALARM' : 'OK' }
    case 'notBreaching':
      return { ...found, state: breaching.length >= m ? 'ALARM' : 'OK' }
    case 'missing':
    case 'ignore': {
      if (points.length === 0)
        return { ...found, state: treatMissingData === 'ignore' ? undefined : 'INSUFFICIENT_DATA' }
      if (breaching.length >= m) return { ...found, state: 'ALARM' }
      if (breaching.length < points.length) return { ...found, state: 'OK' }
      if (treatMissingData === 'ignore') return { ...found, state: undefined }
      // All that is known is beyond the threshold, and there is too little of it.
      const age = newest.findLastIndex(({ point }) => point !== undefined) + 1
      return { ...found, state: age >= m ? 'ALARM' : 'INSUFFICIENT_DATA' }
    }
  }
}

/**
 * Values that a percentile needs in a period to say something.
 *
 * @param percent - 0 to 100
 * @returns undefined for the ends, which any number has
 */
export function samplesFor(percent: number): number | undefined {
  if (percent <= 0 || percent >= 100) return undefined
  return 1_000 / (percent >= 50 ? 100 - percent : percent)
}
