import { ALIAS_NAME, LIMITS } from '@hearth/shared'
import { z } from 'zod'

export const VersionNumber = z
  .string()
  .max(16)
  .regex(/^(\$LATEST|[0-9]+)$/, 'the number of a version, or $LATEST')
  .meta({ description: 'Number of a version, or `$LATEST`', example: '7' })

export const PublishBody = z.strictObject({
  description: z.string().max(LIMITS.descriptionChars).optional().meta({ description: "Default: the function's" }),
  codeSha256: z.string().optional().meta({ description: 'Base64: refuse unless $LATEST has this code' })
})

export const AliasName = z
  .string()
  .min(1)
  .max(128)
  .regex(ALIAS_NAME, 'letters, digits, hyphens and underscores, not digits alone')
  .meta({ description: 'Name of an alias', example: 'live' })

const weights = z
  .record(VersionNumber, z.number().min(0).max(1))
  .meta({ description: 'Share of calls, 0 to 1, by further version; one at most. `{}`: none', example: { '8': 0.1 } })

export const AliasBody = z.strictObject({
  version: VersionNumber,
  weights: weights.optional(),
  description: z.string().max(LIMITS.descriptionChars).optional()
})

export const AliasView = z
  .object({
    name: z.string(),
    functionName: z.string(),
    arn: z.string(),
    url: z.string().meta({ description: 'Calls the function through this alias' }),
    version: z.string(),
    weights: z.record(z.string(), z.number()),
    description: z.string(),
    revisionId: z.string(),
    previousVersion: z.string().nullable().meta({ description: 'What a roll-back goes back to' })
  })
  .meta({ description: 'An alias' })
export type AliasView = z.infer<typeof AliasView>

export const AliasList = z.object({ items: z.array(AliasView), nextCursor: z.string().nullable() })
