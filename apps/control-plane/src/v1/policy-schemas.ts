import { z } from 'zod'

const Document = z
  .union([z.string().min(1).max(131_072), z.record(z.string(), z.unknown())])
  .meta({ description: 'A policy document: as an object, or as text, in which places of mistakes are named by line' })

const Documents = z.array(Document).max(20)

export const SimulateBody = z.strictObject({
  caller: z
    .string()
    .min(1)
    .max(2_048)
    .meta({
      description:
        "ARN of a user, of an account's root or of a role's session; a service (`s3.amazonaws.com`); or `anonymous`",
      examples: ['arn:aws:iam::000000000000:user/ada']
    }),
  roleArn: z.string().max(2_048).optional().meta({ description: 'Of a session: its role, when that has a path' }),
  action: z
    .string()
    .regex(/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/, 'service:Name')
    .meta({ examples: ['lambda:InvokeFunction'] }),
  resource: z
    .string()
    .min(1)
    .max(2_048)
    .default('*')
    .meta({ description: 'ARN; * for an action that has no resource' }),
  resourceAccount: z
    .string()
    .regex(/^\d{12}$/, 'an account id')
    .optional()
    .meta({ description: "Default: that of the resource's ARN, else the caller's" }),
  identityPolicies: Documents.default([]),
  boundary: Document.optional(),
  sessionPolicies: Documents.default([]),
  resourcePolicy: Document.optional(),
  context: z
    .record(z.string().min(1).max(256), z.union([z.string(), z.array(z.string()).max(100)]))
    .default({})
    .meta({ description: 'Condition keys', examples: [{ 'aws:SourceIp': '192.0.2.7' }] })
})

const Statement = z.object({
  policy: z.string().meta({ description: 'identityPolicies[0], boundary, …' }),
  index: z.int().min(0).meta({ description: 'Place of the statement, from 0' }),
  sid: z.string().nullable()
})

export const SimulateAnswer = z.object({
  decision: z.enum(['allowed', 'explicitDeny', 'implicitDeny']),
  by: z
    .enum(['identity', 'resource', 'boundary', 'session', 'root'])
    .meta({ description: 'Which kind of policy decided; of an implicit deny: where an Allow is missing' }),
  statement: Statement.nullable().meta({ description: 'The one that decided' }),
  message: z.string().nullable().meta({ description: 'What the caller would be told' }),
  statements: z.array(
    Statement.extend({
      effect: z.enum(['Allow', 'Deny']),
      matches: z.boolean(),
      because: z.string().nullable().meta({ description: 'The first part that the request does not meet' })
    })
  )
})
