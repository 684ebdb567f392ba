import type { AlarmState } from '@hearth/store'
import { COMPARISONS } from './comparison.ts'
import type { Datapoint, Evaluation, EvaluationRules } from './evaluate.ts'
import { JavaDouble, javaDouble, javaJson, javaTime, reasonTime } from './java-text.ts'

/** What a new alarm says. */
export const INITIAL_REASON = 'Unchecked: Initial alarm creation'

/** More points than this are not all listed. */
const LISTED = 5
const MAX_REASON_CHARS = 1_023
const MAX_DATA_CHARS = 4_000

/**
 * Why an alarm has come into a state, in CloudWatch's words.
 *
 * @param state - The new one
 * @see reference: monitoring §5.3
 */
export function reasonFor(state: AlarmState, evaluation: Evaluation, rules: EvaluationRules): string {
  const { points, missing } = evaluation
  if (state === 'INSUFFICIENT_DATA') {
    const unknown = missing.length
    return `Insufficient Data: ${unknown} datapoint${unknown === 1 ? ' was' : 's were'} unknown.`
  }
  const treated = treatedAs(evaluation, rules)
  if (points.length === 0) {
    const periods = missing.length
    return `Threshold Crossed: no datapoints were received for ${count(periods, 'period')} and ${treated}.`
  }
  return `Threshold Crossed: ${crossed(state, evaluation, rules)}`.slice(0, MAX_REASON_CHARS)
}

function crossed(state: AlarmState, evaluation: Evaluation, rules: EvaluationRules): string {
  const { points, breaching, missing } = evaluation
  const { evaluationPeriods: n, datapointsToAlarm: m, threshold, comparisonOperator } = rules
  const isAlarm = state === 'ALARM'
  const told = isAlarm ? breaching : points.filter((point) => !breaching.includes(point))
  // Missing ones alone have brought it here.
  const shown = told.length === 0 ? points : told
  const isOther = told.length === 0
  const many = shown.length
  const which = m === undefined ? count(many, 'datapoint') : `${many} out of the last ${n} datapoints`
  const verb = `${many === 1 ? 'was' : 'were'}${isAlarm === isOther ? ' not' : ''}`
  const list = shown.slice(0, LISTED).map(pointText).join(', ')
  const compared = `${verb} ${COMPARISONS[comparisonOperator]!.words} the threshold (${javaDouble(threshold)})`
  const sentence =
    many > LISTED
      ? `${which} ${compared}. The most recent datapoints which crossed the threshold: [${list}]`
      : `${which} [${list}] ${compared}`
  const treated = missing.length > 0 && isTreated(rules) ? ` and ${treatedAs(evaluation, rules)}` : ''
  return `${sentence}${treated}${m === undefined ? '' : minimum(isAlarm, m, n)}.`
}

function minimum(isAlarm: boolean, m: number, n: number): string {
  return isAlarm
    ? ` (minimum ${count(m, 'datapoint')} for OK -> ALARM transition)`
    : ` (minimum ${count(n - m + 1, 'datapoint')} for ALARM -> OK transition)`
}

function isTreated({ treatMissingData }: EvaluationRules): boolean {
  return treatMissingData === 'breaching' || treatMissingData === 'notBreaching'
}

function treatedAs({ missing }: Evaluation, { treatMissingData }: EvaluationRules): string {
  const name = treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching'
  const many = missing.length
  return `${many} missing datapoint${many === 1 ? ' was' : 's were'} treated as [${name}]`
}

function pointText({ at, value }: Datapoint): string {
  return `${javaDouble(value)} (${reasonTime(at)})`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** What the points were made of. */
export interface ReasonFacts {
  /** When it was looked at, Unix time in ms. */
  readonly queriedAt: number
  /** Undefined: it was computed. */
  readonly statistic: string | undefined
  readonly unit: string | undefined
  readonly period: number
}

/** StateReasonData: JSON text of at most 4,000 characters, with the oldest points left out where they are many. */
export function reasonDataFor(evaluation: Evaluation, rules: EvaluationRules, facts: ReasonFacts): string {
  const { points, missing } = evaluation
  const evaluated = [
    ...points.map(({ at, value, sampleCount }) => ({
      at,
      sampleCount: sampleCount === undefined ? undefined : new JavaDouble(sampleCount),
      value: new JavaDouble(value)
    })),
    ...missing.map((at) => ({ at }))
  ].sort((a, b) => b.at - a.at)
  const write = (most: number): string =>
    javaJson({
      version: '1.0',
      queryDate: javaTime(facts.queriedAt),
      startDate: points.length === 0 ? undefined : javaTime(points.at(-1)!.at),
      unit: facts.unit,
      statistic: facts.statistic,
      period: facts.period,
      recentDatapoints: points
        .slice(0, most)
        .toReversed()
        .map(({ value }) => new JavaDouble(value)),
      threshold: new JavaDouble(rules.threshold),
      evaluatedDatapoints: evaluated.slice(0, most).map(({ at, ...rest }) => ({ timestamp: javaTime(at), ...rest }))
    })
  let most = evaluated.length
  let text = write(most)
  while (text.length > MAX_DATA_CHARS && most > 1) {
    most = Math.floor(most / 2)
    text = write(most)
  }
  return text
}
