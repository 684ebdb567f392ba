import type { MetricSample, StatisticSet } from '@hearth/store'
import { z } from 'zod'
import { monitoringError } from './errors.ts'
import { keyOf } from './keys.ts'
import { monitoringOperation } from './operation.ts'
import { Dimensions, Int, listOf, MetricName, Namespace, Num, Time, Unit } from './values.ts'

/** CloudWatch takes no number beyond these. */
const LARGEST = 2 ** 360
const PAST_MS = 14 * 86_400_000
const FUTURE_MS = 2 * 3_600_000

const Datum = z.object({
  MetricName,
  Dimensions: Dimensions.default([]),
  Timestamp: Time.optional(),
  Value: Num.optional(),
  Values: listOf(Num, 150).optional(),
  Counts: listOf(Num, 150).optional(),
  StatisticValues: z.object({ SampleCount: Num, Sum: Num, Minimum: Num, Maximum: Num }).optional(),
  Unit: Unit.default('None'),
  StorageResolution: Int.optional()
})
type Datum = z.output<typeof Datum>

/** Takes values of custom metrics. All of a request, or nothing. */
export const putMetricData = monitoringOperation({
  name: 'PutMetricData',
  note: '`EntityMetricData` is refused',
  input: z.object({
    Namespace,
    MetricData: listOf(Datum, 1_000).default([]),
    EntityMetricData: z.unknown().optional(),
    StrictEntityValidation: z.unknown().optional()
  }),
  target: (input) => ({ resource: '*', context: { 'cloudwatch:namespace': input.Namespace } }),
  run({ Namespace: namespace, MetricData: data, EntityMetricData: entities }, { metrics, now }) {
    if (namespace.startsWith('AWS/')) {
      throw monitoringError('InvalidParameterValue', 'The value AWS/ for parameter Namespace is invalid.')
    }
    if (Array.isArray(entities) ? entities.length > 0 : entities !== undefined) {
      throw monitoringError('InvalidParameterValue', 'The parameter EntityMetricData is not supported by this server.')
    }
    if (data.length === 0) {
      throw monitoringError('MissingParameter', 'The parameter MetricData is required.')
    }
    const at = now().getTime()
    metrics.put(data.map((datum, i) => sampleOf(namespace, datum, `MetricData.member.${i + 1}`, at)))
    return undefined
  }
})

function sampleOf(namespace: string, datum: Datum, path: string, now: number): MetricSample {
  const at = datum.Timestamp ?? now
  if (at < now - PAST_MS || at > now + FUTURE_MS) {
    throw monitoringError(
      'InvalidParameterValue',
      `The parameter ${path}.Timestamp must specify a time no more than two weeks in the past and two hours in the future.`
    )
  }
  const { StorageResolution: resolution = 60 } = datum
  if (resolution !== 1 && resolution !== 60) {
    throw monitoringError(
      'InvalidParameterValue',
      `The value ${resolution} for parameter ${path}.StorageResolution is not 1 or 60.`
    )
  }
  return {
    key: keyOf(namespace, datum.MetricName, datum.Dimensions, `${path}.Dimensions`),
    at,
    unit: datum.Unit,
    resolution,
    values: valuesOf(datum, path)
  }
}

function valuesOf(
  { Value: value, Values: values, Counts: counts, StatisticValues: set }: Datum,
  path: string
): StatisticSet {
  const given = [value === undefined ? '' : 'Value', values && 'Values', set && 'StatisticValues'].filter(Boolean)
  if (given.length > 1) {
    const [first, second] = given.map((name) => `${path}.${name ?? ''}`)
    throw monitoringError(
      'InvalidParameterCombination',
      `The parameters ${first} and ${second} are mutually exclusive and you have specified both.`
    )
  }
  if (counts !== undefined && counts.length !== (values ?? []).length) {
    throw monitoringError(
      'InvalidParameterValue',
      `The parameters ${path}.Values and ${path}.Counts must be of the same size.`
    )
  }
  if (value !== undefined) return single(checked(value, `${path}.Value`))
  if (values !== undefined && values.length > 0) return several(values, counts, path)
  if (set === undefined) {
    throw monitoringError(
      'MissingParameter',
      `At least one of the parameters must be specified: ${path}.Value, ${path}.Values, ${path}.StatisticValues.`
    )
  }
  return statistics(set, path)
}

function single(value: number): StatisticSet {
  return { count: 1, sum: value, min: value, max: value, distribution: [[value, 1]] }
}

function several(values: readonly number[], counts: readonly number[] | undefined, path: string): StatisticSet {
  const distribution = values.map((value, i) => {
    const count = counts?.[i] ?? 1
    if (!(count > 0) || count > LARGEST) {
      throw monitoringError(
        'InvalidParameterValue',
        `The value ${count} for parameter ${path}.Counts.member.${i + 1} is invalid.`
      )
    }
    return [checked(value, `${path}.Values.member.${i + 1}`), count] as const
  })
  return {
    count: distribution.reduce((sum, [, count]) => sum + count, 0),
    sum: distribution.reduce((sum, [value, count]) => sum + value * count, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    distribution
  }
}

function statistics(set: NonNullable<Datum['StatisticValues']>, path: string): StatisticSet {
  const { SampleCount: count, Sum: sum, Minimum: min, Maximum: max } = set
  for (const number of [count, sum, min, max]) checked(number, `${path}.StatisticValues`)
  if (min > max) {
    throw monitoringError(
      'InvalidParameterCombination',
      `The value of ${path}.StatisticValues.Minimum is greater than that of ${path}.StatisticValues.Maximum.`
    )
  }
  if (!(count > 0)) {
    throw monitoringError(
      'InvalidParameterValue',
      `The value ${count} for parameter ${path}.StatisticValues.SampleCount is invalid.`
    )
  }
  return { count, sum, min, max }
}

function checked(value: number, path: string): number {
  if (Math.abs(value) <= LARGEST) return value
  throw monitoringError('InvalidParameterValue', `The value ${value} for parameter ${path} is invalid.`)
}
