import { z } from 'zod'
import { ListQuery } from './function-schemas.ts'

const GroupName = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[.\-_/#A-Za-z0-9]+$/, 'letters, digits, and . - _ / #')

export const LogGroupParams = z.object({
  group: GroupName.meta({ description: 'Name, with each slash as `%2F`: `%2Faws%2Flambda%2Fhello`' })
})
export const LogGroupListQuery = ListQuery.extend({ prefix: GroupName.optional() })

export const LogGroupBody = z.strictObject({
  retentionDays: z
    .int()
    .min(1)
    .max(3_653)
    .nullish()
    .meta({ description: 'How long events are kept: a number that CloudWatch Logs knows; null: for ever' }),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).optional()
})
export const LogGroupView = z.object({
  name: z.string(),
  arn: z.string(),
  retentionDays: z.int().nullable().meta({ description: 'null: for ever' }),
  storedBytes: z.int().meta({ description: 'On disk' }),
  subscriptionFilters: z.array(z.string()),
  metricFilters: z.array(z.string()),
  tags: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime()
})
export const LogGroupList = z.object({ items: z.array(LogGroupView), nextCursor: z.string().nullable() })
