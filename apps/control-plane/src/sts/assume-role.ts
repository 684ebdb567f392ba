import { HearthError, parsePolicy, sessionPrincipal } from '@hearth/shared'
import { z } from 'zod'
import { ENTITY_NAME } from '../access/names.ts'
import { Arn, Document, Tags, tagContext, whole } from '../iam/parameters.ts'
import { stsOperation } from './operation.ts'

/** Of a session that was taken by a session, in seconds. */
const CHAINED_S = 3_600
/** Characters that session policies and tags may have together. */
const PACKED_CHARS = 6_144

/** Who may is decided by the role's trust policy, where the operation is authorized. @see reference: IAM §5 */
export const assumeRole = stsOperation({
  name: 'AssumeRole',
  note: '`PolicyArns` are taken as they are at that moment; `SerialNumber` and `TokenCode` (MFA) are refused',
  input: z.object({
    RoleArn: Arn,
    RoleSessionName: z.string().min(2).max(64).regex(ENTITY_NAME),
    DurationSeconds: whole(z.number().min(900).max(43_200)).default(3_600),
    Policy: Document.max(2_048).optional(),
    PolicyArns: z
      .preprocess((value) => (value === '' ? [] : value), z.array(z.object({ arn: Arn })).max(10))
      .default([]),
    Tags: Tags.default([]),
    TransitiveTagKeys: z.preprocess((value) => (value === '' ? [] : value), z.array(z.string()).max(50)).default([]),
    ExternalId: z
      .string()
      .min(2)
      .max(1_224)
      .regex(/^[\w+=,.@:/-]*$/)
      .optional(),
    SerialNumber: z.string().optional(),
    TokenCode: z.string().optional()
  }),
  resource: ({ RoleArn }) => RoleArn,
  context: (input) => ({
    ...tagContext(input.Tags),
    'sts:RoleSessionName': input.RoleSessionName,
    ...(input.ExternalId === undefined ? {} : { 'sts:ExternalId': input.ExternalId })
  }),
  run(input, { access, sessions }, { principal }) {
    if (input.SerialNumber !== undefined || input.TokenCode !== undefined) {
      throw new HearthError('INVALID_REQUEST', 'MultiFactorAuthentication is not supported by this server.')
    }
    const tags = tagsOf(input.Tags, input.TransitiveTagKeys)
    const role = access.roles.get(input.RoleArn.slice(input.RoleArn.lastIndexOf('/') + 1))
    const seconds = input.DurationSeconds
    if (seconds > role.maxSessionS) {
      throw new HearthError(
        'VALIDATION_FAILED',
        'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
      )
    }
    if (principal.session !== undefined && seconds > CHAINED_S) {
      throw new HearthError(
        'VALIDATION_FAILED',
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.'
      )
    }
    const policies = [
      ...(input.Policy === undefined ? [] : [input.Policy]),
      ...input.PolicyArns.map(({ arn }) => access.managed.getVersion(arn, access.managed.get(arn).versionId).document)
    ]
    for (const text of policies) parsePolicy(text, 'identity', 'session policy')
    const packed = policies.join('').length + JSON.stringify(tags).length - 2
    if (packed > PACKED_CHARS) {
      throw new HearthError('LIMIT_EXCEEDED', 'Session policies and tags are too large together.', {
        awsCode: 'PackedPolicyTooLarge'
      })
    }
    const issuedAt = access.now().getTime()
    const session = {
      roleName: role.name,
      roleArn: access.roles.arnOf(role),
      roleId: role.roleId,
      name: input.RoleSessionName,
      issuedAt,
      expiresAt: issuedAt + seconds * 1_000,
      ...(policies.length === 0 ? {} : { policies }),
      ...(Object.keys(tags).length === 0 ? {} : { tags })
    }
    const credentials = sessions.issue(session)
    const { arn, userId } = sessionPrincipal(session, access.scope.accountId, credentials.accessKeyId)
    return {
      Credentials: {
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        SessionToken: credentials.sessionToken,
        Expiration: new Date(credentials.expiresAt).toISOString()
      },
      AssumedRoleUser: { AssumedRoleId: userId, Arn: arn },
      ...(packed > 0 ? { PackedPolicySize: Math.ceil((packed / PACKED_CHARS) * 100) } : {})
    }
  }
})

function tagsOf(
  list: readonly { readonly key: string; readonly value: string }[],
  transitive: readonly string[]
): Readonly<Record<string, string>> {
  const keys = new Set(list.map(({ key }) => key.toLowerCase()))
  if (keys.size < list.length) {
    throw new HearthError(
      'INVALID_REQUEST',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
    )
  }
  if (transitive.some((key) => !keys.has(key.toLowerCase()))) {
    throw new HearthError('INVALID_REQUEST', 'The specified transitive tag key must be included in the requested tags.')
  }
  return Object.fromEntries(list.map(({ key, value }) => [key, value]))
}
