import { z } from 'zod'
import { ListQuery } from './function-schemas.ts'

export const PlanName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[.\-_A-Za-z0-9]+$/)
export const PLAN_NAME = /^[.\-_A-Za-z0-9]{1,64}$/
export const PlanParams = z.object({ name: PlanName })
export const PlanListQuery = ListQuery

const Description = z.string().max(512).nullish()
const Tags = z.record(z.string().min(1).max(128), z.string().max(256)).optional()
/** Source: API Gateway, API keys: 20 to 128 characters. */
const Value = z
  .string()
  .min(20)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, 'printable ASCII without spaces, as a header carries it')

export const KeyBody = z.strictObject({
  value: Value.optional().meta({ description: 'Default: one is made, and shown in this answer alone' }),
  enabled: z.boolean().optional().meta({ description: 'Default: true' }),
  description: Description,
  tags: Tags
})
export const ApiKeyView = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  description: z.string(),
  plans: z.array(z.string()).meta({ description: 'Names of the usage plans that it belongs to' }),
  tags: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime(),
  lastModified: z.iso.datetime(),
  value: z.string().optional().meta({ description: 'Where one was made: it is not shown again' })
})
export const ApiKeyList = z.object({ items: z.array(ApiKeyView), nextCursor: z.string().nullable() })

const Throttle = z
  .strictObject({
    rate: z.number().min(0).max(1_000_000).meta({ description: 'Requests per second' }),
    burst: z.int().min(0).max(1_000_000).meta({ description: 'At once' })
  })
  .meta({ description: 'Of each key; without it any number passes' })
const Quota = z
  .strictObject({ limit: z.int().min(1).max(1_000_000_000_000), period: z.enum(['DAY', 'WEEK', 'MONTH']) })
  .meta({ description: 'Requests of each key in a period; UTC, weeks begin on Sunday' })

export const PlanBody = z.strictObject({
  description: Description,
  throttle: Throttle.nullish(),
  quota: Quota.nullish(),
  stages: z
    .array(
      z.strictObject({
        api: z.string().min(1).max(64).meta({ description: 'Id of an API, or its name in /v1/triggers' }),
        stage: z.string().min(1).max(128).optional().meta({ description: 'Default: the only one' })
      })
    )
    .max(100)
    .default([]),
  keys: z.array(PlanName).max(10_000).default([]).meta({ description: 'Names of API keys' }),
  tags: Tags
})
export const PlanView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  throttle: Throttle.nullable(),
  quota: Quota.nullable(),
  stages: z.array(z.object({ apiId: z.string(), stage: z.string() })),
  keys: z.array(z.string()),
  tags: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime(),
  lastModified: z.iso.datetime()
})
export const PlanList = z.object({ items: z.array(PlanView), nextCursor: z.string().nullable() })
