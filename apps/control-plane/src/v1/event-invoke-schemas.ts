import { z } from 'zod'
import { FunctionName, Qualifier } from './function-schemas.ts'

const url = z.string().min(1).max(2_048).meta({ description: 'http or https', example: 'https://example.com/done' })

const ArnDestination = z.strictObject({
  arn: z
    .string()
    .max(350)
    .regex(/^arn:\S+$/, 'an ARN')
    .meta({ description: 'Of another function, with or without a qualifier' })
})
const WebhookDestination = z.strictObject({
  webhook: z.strictObject({
    url,
    secret: z
      .string()
      .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64')
      .optional()
      .meta({
        description: 'Messages are signed with it. Absent: as it was, or a new one, which only this answer shows'
      })
  })
})
const Destination = z.union([ArnDestination, WebhookDestination])

const maximumRetryAttempts = z
  .number()
  .int()
  .min(0)
  .max(2)
  .meta({ description: 'After the first attempt; the default is 2' })
const maximumEventAgeInSeconds = z
  .number()
  .int()
  .min(60)
  .max(21_600)
  .meta({ description: 'Until which an event is tried; the default is 21600' })

export const EventInvokeParams = z.object({ name: FunctionName })
export const EventInvokeQuery = z.strictObject({ qualifier: Qualifier.optional() })
export const EventInvokeBody = z.strictObject({
  maximumRetryAttempts: maximumRetryAttempts.nullable().optional(),
  maximumEventAgeInSeconds: maximumEventAgeInSeconds.nullable().optional(),
  onSuccess: Destination.nullable().optional(),
  onFailure: Destination.nullable().optional()
})

const DestinationView = z.union([
  z.object({ arn: z.string() }),
  z.object({
    webhook: z.object({
      url: z.string(),
      secret: z.string().optional().meta({ description: 'Only in the answer to the request that made it' })
    })
  })
])

export const EventInvokeView = z
  .object({
    functionName: z.string(),
    qualifier: z.string().meta({ description: '`$LATEST`, the number of a version, or an alias' }),
    arn: z.string(),
    maximumRetryAttempts: z.number().int().nullable(),
    maximumEventAgeInSeconds: z.number().int().nullable(),
    onSuccess: DestinationView.nullable(),
    onFailure: DestinationView.nullable(),
    lastModified: z.string().meta({ description: 'ISO 8601, UTC' })
  })
  .meta({ description: 'How events are tried again, and where their outcome goes' })
export type EventInvokeView = z.input<typeof EventInvokeView>
export type EventInvokeBody = z.output<typeof EventInvokeBody>

export const EventInvokeList = z.object({ items: z.array(EventInvokeView), nextCursor: z.string().nullable() })
