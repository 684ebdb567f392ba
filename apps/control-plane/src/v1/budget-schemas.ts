import { z } from 'zod'
import { ListQuery } from './function-schemas.ts'

export const BUDGET_NAME = /^[.\-_A-Za-z0-9]{1,100}$/
export const BudgetParams = z.object({ name: z.string().regex(BUDGET_NAME, '1 to 100 of A–Z, a–z, 0–9, . - _') })
export const BudgetListQuery = ListQuery

const Scope = z
  .union(
    [
      z.literal('all'),
      z.strictObject({ function: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'the name of a function') }),
      z.strictObject({
        tag: z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256) })
      })
    ],
    { error: '"all", {"function": name} or {"tag": {"key", "value"}}' }
  )
  .meta({ description: 'Whose use counts; of tags, those that functions have now' })

const Webhook = z.strictObject({
  url: z.string().min(1).max(2_048),
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64')
    .optional()
    .meta({ description: 'What messages are signed with. Default: one is made, and shown in this answer alone' })
})

const Action = z
  .union(
    [
      z.strictObject({
        function: z.string().startsWith('arn:').max(256).meta({ description: 'ARN, qualified or not' })
      }),
      z.strictObject({ webhook: Webhook })
    ],
    { error: '{"function": ARN} or {"webhook": {"url"}}' }
  )
  .meta({ description: 'Who is told' })

const unit = z.enum(['price', 'requests', 'gbSeconds']).meta({
  description: 'price: in the currency of the price table. gbSeconds: duration, also on provisioned concurrency'
})
const period = z.enum(['day', 'month']).meta({ description: 'UTC' })

export const BudgetBody = z.strictObject({
  amount: z.number().positive().max(1e15),
  unit,
  period: period.default('month'),
  scope: Scope.default('all'),
  thresholds: z
    .array(z.number().positive().max(1_000))
    .min(1)
    .max(10)
    .default([80, 100])
    .meta({ description: 'Percent of the amount' }),
  action: Action
})

export const BudgetView = z.object({
  name: z.string(),
  arn: z.string(),
  amount: z.number(),
  unit,
  period,
  scope: Scope,
  thresholds: z.array(z.number()),
  action: Action,
  actual: z
    .object({ value: z.number(), percent: z.number(), at: z.iso.datetime() })
    .nullable()
    .meta({ description: 'As last looked at; null: not yet' }),
  alerts: z
    .array(
      z.object({
        id: z.string(),
        threshold: z.number(),
        period: z.string().meta({ description: 'Its first day' }),
        status: z.enum(['waiting', 'delivered', 'failed']),
        at: z.iso.datetime(),
        attempts: z.int().meta({ description: 'That have failed' }),
        error: z.string()
      })
    )
    .meta({ description: 'Thresholds that were crossed in the period now' }),
  createdAt: z.iso.datetime(),
  lastModified: z.iso.datetime()
})
export const BudgetList = z.object({ items: z.array(BudgetView), nextCursor: z.string().nullable() })
