import { SECRET_NAME } from '@hearth/shared'
import { z } from 'zod'
import { TAG_KEY, TAG_VALUE } from '../access/names.ts'

const Time = z.string().meta({ description: 'ISO 8601, UTC' })
const Tags = z.record(
  z.string().min(1).max(128).regex(TAG_KEY, 'letters, digits, blanks and _.:/=+-@'),
  z.string().max(256).regex(TAG_VALUE, 'letters, digits, blanks and _.:/=+-@')
)
const Text = z.string().min(1).max(65_536).meta({ description: 'Up to 65,536 bytes' })
const Base64 = z.base64().min(1).max(87_384).meta({ description: 'Bytes in the place of text' })
const Stage = z.string().min(1).max(256).meta({ example: 'AWSCURRENT' })
const VersionId = z.string().min(32).max(64)

export const SecretParams = z.object({
  name: z
    .string()
    .regex(SECRET_NAME, 'letters, digits and /_+=.@!-')
    .meta({ description: 'Percent-encoded where it has slashes', example: 'app/db' })
})
export const SecretBody = z.strictObject({
  value: Text.optional(),
  valueBase64: Base64.optional(),
  description: z.string().max(2_048).optional(),
  tags: Tags.optional()
})
export const VersionBody = z.strictObject({
  value: Text.optional(),
  valueBase64: Base64.optional(),
  versionId: VersionId.optional().meta({ description: 'The same value under the same id is the same version' }),
  stages: z.array(Stage).min(1).max(20).optional().meta({ description: 'Labels that it gets. Default: AWSCURRENT' })
})
export const ValueQuery = z.strictObject({ versionId: VersionId.optional(), stage: Stage.optional() })
export const DeleteQuery = z.strictObject({
  recoveryDays: z
    .string()
    .regex(/^(0|[7-9]|[12]\d|30)$/, '7 to 30, or 0')
    .transform(Number)
    .optional()
    .meta({ description: 'How long it can be restored; 0: it is gone at once. Default: 30' })
})

export const SecretView = z.object({
  name: z.string(),
  arn: z.string(),
  description: z.string(),
  tags: z.record(z.string(), z.string()),
  versions: z
    .array(z.object({ versionId: z.string(), stages: z.array(z.string()), createdAt: Time }))
    .meta({ description: 'Those that have labels' }),
  createdAt: Time,
  changedAt: Time,
  deletedAt: z.string().nullable(),
  purgeAt: z.string().nullable().meta({ description: 'Until then it can be restored' })
})
export const SecretList = z.object({ items: z.array(SecretView), nextCursor: z.string().nullable() })
export const VersionView = z.object({
  name: z.string(),
  arn: z.string(),
  versionId: z.string(),
  stages: z.array(z.string()),
  createdAt: Time
})
export const VersionList = z.object({
  items: z.array(VersionView.omit({ name: true, arn: true }).extend({ lastReadOn: z.string().nullable() }))
})
export const ValueView = VersionView.extend({ value: z.string().optional(), valueBase64: z.string().optional() })
