import { HearthError } from '@hearth/shared'
import type { AlarmQuery, AlarmState } from '@hearth/store'
import { z } from 'zod'
import { tagItem } from '../access/tags.ts'
import { keyOf } from '../metrics-api/keys.ts'
import { Dimensions, Flag, Int, listOf, MetricName, Namespace, Unit } from '../metrics-api/values.ts'

// Constraints of CloudWatch's service model.

export const AlarmName = z.string().min(1).max(255)
export const Actions = listOf(z.string().min(1).max(1_024), 5).default([])
export const Names = listOf(AlarmName, 100)
export const Tags = listOf(tagItem(z.string().max(256)), 50)
export const Token = z.string().min(1).max(2_048).optional()
export const MaxRecords = Int.pipe(z.number().min(1).max(100)).optional()
export const Statistic = z.enum(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'])
export const Positive = Int.pipe(z.number().min(1))
export const Types = listOf(z.enum(['CompositeAlarm', 'MetricAlarm']), 2)

const STATES: readonly AlarmState[] = ['INSUFFICIENT_DATA', 'ALARM', 'OK']

/** @param member - Its name in messages: AWS repeats the value here */
export const StateValue = (member: string) =>
  z.string().transform((text): AlarmState => {
    const state = STATES.find((one) => one === text)
    if (state !== undefined) return state
    throw new HearthError(
      'VALIDATION_FAILED',
      `1 validation error detected: Value '${text.slice(0, 128)}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${STATES.join(', ')}]`
    )
  })

export const Query = z.object({
  Id: z.string().min(1).max(255),
  MetricStat: z
    .object({
      Metric: z.object({
        Namespace: Namespace.optional(),
        MetricName: MetricName.optional(),
        Dimensions: Dimensions.default([])
      }),
      Period: Positive,
      Stat: z.string().min(1).max(64),
      Unit: Unit.optional()
    })
    .optional(),
  Expression: z.string().min(1).max(2_048).optional(),
  Label: z.string().max(2_048).optional(),
  ReturnData: Flag.optional(),
  Period: Positive.optional(),
  AccountId: z.string().min(1).max(255).optional()
})

export function toQuery({ Id, MetricStat, Expression, Label, ReturnData, Period }: z.output<typeof Query>): AlarmQuery {
  const { Namespace: namespace = '', MetricName: name = '', Dimensions: dimensions = [] } = MetricStat?.Metric ?? {}
  return {
    id: Id,
    ...(MetricStat === undefined
      ? {}
      : {
          metricStat: {
            metric: keyOf(namespace, name, dimensions),
            period: MetricStat.Period,
            stat: MetricStat.Stat,
            unit: MetricStat.Unit
          }
        }),
    ...(Expression === undefined ? {} : { expression: Expression }),
    ...(Label === undefined ? {} : { label: Label }),
    ...(ReturnData === undefined ? {} : { returnData: ReturnData }),
    ...(Period === undefined ? {} : { period: Period })
  }
}
