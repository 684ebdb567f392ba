import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { targetOf } from './function-target.ts'
import { StatementId } from './model.ts'
import type { Operation } from './operation.ts'

/** Source: Lambda service model, type AddPermissionRequest. */
const Request = z.object({
  StatementId,
  Action: z.string().regex(/^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/),
  Principal: z
    .string()
    .max(2_048)
    .regex(/^[^\s]+$/),
  SourceArn: z
    .string()
    .regex(
      /^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)$/
    )
    .nullish(),
  SourceAccount: z
    .string()
    .max(12)
    .regex(/^\d{12}$/)
    .nullish(),
  EventSourceToken: z
    .string()
    .max(256)
    .regex(/^[a-zA-Z0-9._-]+$/)
    .nullish(),
  PrincipalOrgID: z
    .string()
    .min(12)
    .max(34)
    .regex(/^o-[a-z0-9]{10,32}$/)
    .nullish(),
  FunctionUrlAuthType: z.enum(['NONE', 'AWS_IAM']).nullish(),
  InvokedViaFunctionUrl: z.boolean().nullish(),
  RevisionId: z.string().nullish()
})

/** @see reference: Lambda control API §7 */
export const addPermission: Operation = {
  name: 'AddPermission',
  method: 'POST',
  path: '/2015-03-31/functions/:name/policy',

  run(call, deps) {
    const request = checkModel(Request, call.body)
    const { statement } = deps.permissions.add(
      targetOf(call, deps),
      {
        statementId: request.StatementId,
        action: request.Action,
        principal: request.Principal,
        sourceArn: request.SourceArn ?? undefined,
        sourceAccount: request.SourceAccount ?? undefined,
        eventSourceToken: request.EventSourceToken ?? undefined,
        principalOrgId: request.PrincipalOrgID ?? undefined,
        functionUrlAuthType: request.FunctionUrlAuthType ?? undefined,
        invokedViaFunctionUrl: request.InvokedViaFunctionUrl ?? undefined
      },
      request.RevisionId ?? undefined
    )
    return { status: 201, body: { Statement: JSON.stringify(statement) } }
  }
}
