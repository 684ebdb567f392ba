import { z } from 'zod'
import { MetricName, Namespace, Unit } from '../metrics-api/values.ts'
import { ListQuery } from '../v1/function-schemas.ts'

const COMPARISONS = ['>=', '>', '<', '<='] as const
export const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const

export const AlarmParams = z.object({ name: z.string().min(1).max(255) })
export const AlarmListQuery = ListQuery.extend({
  prefix: z.string().max(255).optional(),
  state: z.enum(STATES).optional()
})
export const HistoryQuery = ListQuery.extend({
  type: z.enum(['ConfigurationUpdate', 'StateUpdate', 'Action']).optional()
})

const Metric = z.strictObject({
  namespace: Namespace.meta({ example: 'AWS/Lambda' }),
  name: MetricName.meta({ example: 'Errors' }),
  dimensions: z
    .record(z.string().min(1).max(255), z.string().min(1).max(1_024))
    .default({})
    .meta({ example: { FunctionName: 'hello' } })
})
const statistic = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'Sum, Average, Minimum, Maximum, SampleCount, p0 to p100, tm90 and the like' })
const period = z.int().min(1).meta({ description: 'Seconds: 10, 20, 30 or a multiple of 60' })

const Query = z.strictObject({
  id: z.string().min(1).max(255),
  metric: Metric.optional(),
  statistic: statistic.optional(),
  period: period.optional(),
  unit: Unit.optional(),
  expression: z.string().min(1).max(2_048).optional().meta({ example: 'errors / calls * 100' }),
  label: z.string().max(2_048).optional(),
  watched: z.boolean().default(false).meta({ description: 'Of one query: what is held against the threshold' })
})

const secret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64')
  .optional()
const Action = z.union([
  z.strictObject({
    function: z
      .string()
      .min(1)
      .max(170)
      .meta({ description: 'Name, name and qualifier, or ARN; its policy is made to allow it' })
  }),
  z.strictObject({
    webhook: z.strictObject({
      url: z.string().min(1).max(1_024).meta({ description: 'http or https' }),
      secret: secret.meta({
        description: 'Messages are signed with it. Absent: as it was, or a new one, which only this answer shows'
      })
    })
  })
])
export type Action = z.output<typeof Action>
const Actions = z.array(Action).max(5).default([])

export const AlarmBody = z.strictObject({
  description: z.string().max(1_024).nullish(),
  metric: Metric.optional().meta({ description: 'What is watched; or queries, or rule' }),
  statistic: statistic.optional(),
  period: period.optional(),
  unit: Unit.optional(),
  queries: z.array(Query).max(20).optional().meta({ description: 'Several metrics, and what is computed from them' }),
  rule: z.string().min(1).max(10_240).optional().meta({
    description: 'States of other alarms',
    example: 'ALARM("errors") AND NOT ALARM("maintenance")'
  }),
  threshold: z.number().optional(),
  comparison: z.enum(COMPARISONS).optional().meta({ description: 'The alarm goes off when the value is so' }),
  evaluationPeriods: z.int().min(1).default(1),
  datapointsToAlarm: z.int().min(1).optional().meta({ description: 'So many of evaluationPeriods; default: all' }),
  missingData: z.enum(['missing', 'ignore', 'breaching', 'notBreaching']).optional(),
  lowSampleCount: z.enum(['evaluate', 'ignore']).optional().meta({ description: 'Percentiles of few values' }),
  actions: z
    .strictObject({ alarm: Actions, ok: Actions, insufficientData: Actions })
    .default({ alarm: [], ok: [], insufficientData: [] }),
  actionsEnabled: z.boolean().default(true),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional()
})
export type AlarmBody = z.output<typeof AlarmBody>

const ActionView = z.union([
  z.object({ arn: z.string() }),
  z.object({
    webhook: z.object({
      url: z.string(),
      secret: z.string().optional().meta({ description: 'Only in the answer to the request that made it' })
    })
  })
])
const MetricView = z.object({
  namespace: z.string(),
  name: z.string(),
  dimensions: z.record(z.string(), z.string())
})
export const AlarmView = z
  .object({
    name: z.string(),
    arn: z.string(),
    description: z.string(),
    state: z.enum(STATES),
    reason: z.string(),
    reasonData: z.record(z.string(), z.unknown()).nullable(),
    stateChangedAt: z.iso.datetime(),
    metric: MetricView.nullable(),
    statistic: z.string().nullable(),
    period: z.int().nullable(),
    unit: z.string().nullable(),
    queries: z
      .array(
        z.object({
          id: z.string(),
          metric: MetricView.nullable(),
          statistic: z.string().nullable(),
          period: z.int().nullable(),
          unit: z.string().nullable(),
          expression: z.string().nullable(),
          label: z.string().nullable(),
          watched: z.boolean()
        })
      )
      .nullable(),
    rule: z.string().nullable(),
    threshold: z.number().nullable(),
    comparison: z.enum(COMPARISONS).nullable(),
    evaluationPeriods: z.int().nullable(),
    datapointsToAlarm: z.int().nullable(),
    missingData: z.string().nullable(),
    lowSampleCount: z.string().nullable(),
    actions: z.object({
      alarm: z.array(ActionView),
      ok: z.array(ActionView),
      insufficientData: z.array(ActionView)
    }),
    actionsEnabled: z.boolean(),
    tags: z.record(z.string(), z.string()),
    lastModified: z.iso.datetime()
  })
  .meta({ description: 'An alarm' })
export type AlarmView = z.input<typeof AlarmView>
export const AlarmWrittenView = AlarmView.extend({
  hints: z.array(z.string()).meta({ description: 'What its owner ought to know' })
})
export const AlarmList = z.object({ items: z.array(AlarmView), nextCursor: z.string().nullable() })

export const HistoryList = z.object({
  items: z.array(
    z.object({
      at: z.iso.datetime(),
      type: z.enum(['ConfigurationUpdate', 'StateUpdate', 'Action']),
      summary: z.string(),
      data: z.unknown()
    })
  ),
  nextCursor: z.string().nullable()
})

export const TestBody = z.strictObject({
  state: z.enum(STATES).default('ALARM').meta({ description: 'Whose actions are sent' })
})
export const TestView = z.object({
  results: z.array(
    z.object({
      target: z.string().meta({ description: 'ARN, or URL of a webhook' }),
      delivered: z.boolean(),
      error: z.string().nullable()
    })
  )
})
