import { z } from 'zod'
import { FunctionName, Qualifier } from './function-schemas.ts'

export const ConcurrencyParams = z.object({ name: FunctionName })
export const ProvisionedParams = ConcurrencyParams.extend({ qualifier: Qualifier })

export const ReservedBody = z.strictObject({
  reserved: z
    .number()
    .int()
    .min(0)
    .meta({ description: 'Events of the function in flight at once; 0 switches it off', example: 10 })
})

export const ReservedView = z
  .object({
    functionName: z.string(),
    reserved: z.int().min(0).nullable().meta({ description: 'null: nothing is reserved' }),
    unreserved: z.int().min(0).meta({ description: "What of the server's concurrency is left for all the others" })
  })
  .meta({ description: 'How many events of a function may be in flight at once' })
export type ReservedView = z.infer<typeof ReservedView>

export const ProvisionedBody = z.strictObject({
  requested: z.number().int().min(1).meta({ description: 'Instances that are kept initialised', example: 2 })
})

export const ProvisionedView = z
  .object({
    functionName: z.string(),
    qualifier: z.string().meta({ description: "A version's number, or an alias" }),
    version: z.string().meta({ description: 'Of an alias: the version that it points to first of all' }),
    requested: z.int().min(1),
    allocated: z.int().min(0).meta({ description: 'Instances that there are for it' }),
    available: z.int().min(0).meta({ description: 'Those of them that are initialised' }),
    status: z.enum(['IN_PROGRESS', 'READY', 'FAILED']),
    statusReason: z.string().nullable(),
    lastModified: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'Instances of a version or an alias that are started ahead' })
export type ProvisionedView = z.infer<typeof ProvisionedView>

export const ProvisionedList = z.object({ items: z.array(ProvisionedView), nextCursor: z.string().nullable() })

/** What the gateway sends. */
export const ProvisionedReports = z.object({
  provisioned: z
    .array(
      z.object({
        functionName: z.string(),
        qualifier: z.string(),
        revisionId: z.string(),
        status: z.enum(['IN_PROGRESS', 'READY', 'FAILED']),
        statusReason: z.string().max(1_024).nullish(),
        allocated: z.int().min(0),
        available: z.int().min(0)
      })
    )
    .max(100_000)
})
