import { z } from 'zod'
import { ENTITY_NAME, ENTITY_PATH, MAX_SESSION_S, POLICY_PATH, TAG_KEY, TAG_VALUE } from '../access/names.ts'
import { ListQuery } from './function-schemas.ts'

const NAME_RULE = 'letters, digits and _+=,.@-'

export const PrincipalName = z
  .string()
  .max(64)
  .regex(ENTITY_NAME, NAME_RULE)
  .meta({ description: 'Unique in any case', example: 'hello' })
export const PolicyName = z.string().min(1).max(128).regex(ENTITY_NAME, NAME_RULE).meta({ example: 'read-pictures' })

export const Document = z
  .union([z.string().min(1).max(131_072), z.record(z.string(), z.unknown())])
  .meta({ description: 'A policy document: as an object, or as text, in which places of mistakes are named by line' })
const PolicyArn = z
  .string()
  .min(20)
  .max(2_048)
  .meta({ example: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' })
const Tags = z
  .record(
    z.string().min(1).max(128).regex(TAG_KEY, 'letters, digits, blanks and _.:/=+-@'),
    z.string().max(256).regex(TAG_VALUE, 'letters, digits, blanks and _.:/=+-@')
  )
  .meta({ description: 'Keys are the same in any case' })
const Path = z.string().max(512).regex(ENTITY_PATH, 'begins and ends with a slash').meta({ description: 'Default: /' })

const principal = {
  path: Path.optional(),
  tags: Tags.optional(),
  boundary: PolicyArn.nullable().optional().meta({ description: 'ARN of the policy that caps what others allow' }),
  policies: z
    .record(PolicyName, Document)
    .optional()
    .meta({ description: 'Inline policies by name: these and no others' }),
  attached: z.array(PolicyArn).max(20).optional().meta({ description: 'ARNs of managed policies: these and no others' })
}

export const UserBody = z.strictObject(principal)
export const RoleBody = z.strictObject({
  ...principal,
  trust: Document.optional().meta({
    description: 'Who may take the role. Default: Lambda, so that functions may run as it'
  }),
  description: z.string().max(1_000).optional(),
  maxSessionSeconds: z
    .int()
    .min(MAX_SESSION_S.min)
    .max(MAX_SESSION_S.max)
    .optional()
    .meta({ description: `How long a session lasts at most. Default: ${MAX_SESSION_S.default}` })
})
export type UserBody = z.output<typeof UserBody>
export type RoleBody = z.output<typeof RoleBody>

export const NameParams = z.object({ name: PrincipalName })
export const PrincipalListQuery = ListQuery.extend({
  pathPrefix: z.string().regex(/^\//, 'begins with a slash').max(512).optional()
})

const Anything = z.record(z.string(), z.unknown())
const Time = z.string().meta({ description: 'ISO 8601, UTC' })

const Notices = z.array(z.string()).meta({ description: 'What its author ought to know: actions that there are not' })

const principalView = {
  name: z.string(),
  arn: z.string(),
  path: z.string(),
  tags: z.record(z.string(), z.string()),
  boundary: z.string().nullable(),
  policies: z.record(z.string(), Anything).meta({ description: 'Inline policies by name' }),
  attached: z.array(z.string()).meta({ description: 'ARNs of managed policies' }),
  notices: Notices,
  createdAt: Time
}
export const UserView = z.object({
  ...principalView,
  userId: z.string(),
  keys: z.array(z.string()).meta({ description: 'Ids of its keys' })
})
export const RoleView = z.object({
  ...principalView,
  roleId: z.string(),
  trust: Anything,
  description: z.string(),
  maxSessionSeconds: z.int(),
  sessionsFrom: Time.meta({ description: 'Sessions issued before this are refused' }),
  lastUsedAt: z.string().nullable()
})
export const UserList = z.object({ items: z.array(UserView), nextCursor: z.string().nullable() })
export const RoleList = z.object({ items: z.array(RoleView), nextCursor: z.string().nullable() })
export const SessionsRevoked = z.object({ sessionsFrom: Time })

export const PolicyParams = z.object({
  policy: z
    .string()
    .min(1)
    .max(1_024)
    .meta({ description: 'Name of one of your own, or an ARN, percent-encoded', example: 'read-pictures' })
})
export const OwnPolicyParams = z.object({ policy: PolicyName })
export const PolicyBody = z.strictObject({
  document: Document,
  path: z.string().max(512).regex(POLICY_PATH, 'begins and ends with a slash').optional(),
  description: z.string().max(1_000).optional().meta({ description: 'Of a new policy; never changes' }),
  tags: Tags.optional()
})
export const PolicyListQuery = z.strictObject({
  scope: z.enum(['all', 'own', 'aws']).default('own').meta({ description: 'Whose' })
})
const policySummary = {
  name: z.string(),
  arn: z.string(),
  path: z.string(),
  policyId: z.string(),
  description: z.string(),
  version: z.string().meta({ description: 'The one that counts', example: 'v1' }),
  attachments: z.int().meta({ description: 'How many users and roles have it' }),
  boundaries: z.int().meta({ description: 'How many users and roles it caps' }),
  tags: z.record(z.string(), z.string()),
  createdAt: Time,
  updatedAt: Time
}
export const PolicySummaryList = z.object({ items: z.array(z.object(policySummary)) })
export const PolicyView = z.object({
  ...policySummary,
  document: Anything,
  notices: Notices,
  versions: z.array(z.object({ version: z.string(), createdAt: Time }))
})

const KeyId = z
  .string()
  .regex(/^\w{16,128}$/, 'the id of a key')
  .meta({ example: 'AKIAIOSFODNN7EXAMPLE' })
const ExpiresAt = z.iso
  .datetime({ offset: true })
  .optional()
  .meta({ description: 'When it stops working. Default: never', example: '2027-01-01T00:00:00Z' })
export const KeyParams = z.object({ id: KeyId })
export const KeyListQuery = z.strictObject({ user: PrincipalName.optional() })
export const KeyBody = z.strictObject({
  user: PrincipalName.optional().meta({ description: 'Whose it becomes. Default: who asks' }),
  label: z.string().min(1).max(128).optional().meta({ description: 'What you call it', example: 'ci' }),
  expiresAt: ExpiresAt
})
export const KeyChange = z.strictObject({ status: z.enum(['Active', 'Inactive']) })
export const RotateBody = z.strictObject({
  overlapSeconds: z
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(0)
    .meta({ description: 'How long the old key goes on working. 0: it is gone at once' }),
  expiresAt: ExpiresAt
})
const key = {
  accessKeyId: z.string(),
  user: z.string(),
  label: z.string().nullable(),
  status: z.enum(['Active', 'Inactive', 'Expired']),
  createdAt: Time,
  expiresAt: z.string().nullable(),
  lastUsed: z.object({ at: Time, service: z.string(), region: z.string() }).nullable()
}
export const KeyView = z.object(key)
export const KeyList = z.object({ items: z.array(KeyView) })
export const NewKeyView = z.object({
  ...key,
  secretAccessKey: z.string().meta({ description: 'For AWS clients. Shown this once' }),
  token: z.string().meta({ description: 'For `Authorization: Bearer`. Shown this once' })
})
