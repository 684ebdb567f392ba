import { z } from 'zod'
import { FunctionName, Qualifier } from './function-schemas.ts'

export const StatementId = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, '1 to 100 of A-Z a-z 0-9 - _')

export const PermissionParams = z.object({ name: FunctionName })
export const PermissionIdParams = z.object({ name: FunctionName, statementId: StatementId })
export const PermissionQuery = z.strictObject({ qualifier: Qualifier.optional() })

export const PermissionBody = z.strictObject({
  statementId: StatementId,
  action: z
    .string()
    .regex(/^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/, 'lambda:Name, lambda:* or *')
    .default('lambda:InvokeFunction'),
  principal: z
    .string()
    .regex(/^\S{1,2048}$/, 'without blanks')
    .meta({
      description: "A service (`s3.amazonaws.com`), an account's id, an ARN of a user or role, or * for everybody"
    }),
  sourceArn: z
    .string()
    .regex(/^arn:[^\s]{1,2044}$/, 'an ARN')
    .optional()
    .meta({ description: 'Of a service: in whose name it calls; with wildcards' }),
  sourceAccount: z
    .string()
    .regex(/^\d{12}$/, 'an account id')
    .optional(),
  functionUrlAuthType: z.enum(['NONE', 'AWS_IAM']).optional(),
  invokedViaFunctionUrl: z.boolean().optional()
})

export const LayerPermissionBody = z.strictObject({
  statementId: StatementId,
  principal: z
    .string()
    .regex(/^(?:\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root)$/, "*, an account's id or the ARN of its root")
    .meta({ description: "An account's id, the ARN of its root, or * for everybody" }),
  organizationId: z
    .string()
    .regex(/^o-[a-z0-9]{10,32}$/, "an organization's id")
    .optional()
    .meta({ description: 'With principal *: members of this organization only' })
})

const Statement = z.record(z.string(), z.unknown())

export const PermissionList = z.object({
  items: z.array(Statement).meta({ description: "Statements in IAM's grammar, in order" }),
  revisionId: z.string().nullable().meta({ description: 'Of the policy; null when there is none' })
})
export const PermissionAdded = z.object({ statement: Statement, revisionId: z.string() })
