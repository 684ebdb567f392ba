import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { layerVersionOf, oneOf } from './layer-target.ts'
import { StatementId } from './model.ts'
import type { Operation } from './operation.ts'
import { LAYER_STATEMENTS } from './statement-notes.ts'

/** Source: Lambda service model, types of AddLayerVersionPermissionRequest. */
const Request = z.object({
  StatementId,
  Action: z
    .string()
    .max(22)
    .regex(/^lambda:GetLayerVersion$/),
  Principal: z.string().regex(/^(?:\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root)$/),
  OrganizationId: z
    .string()
    .max(34)
    .regex(/^o-[a-z0-9]{10,32}$/)
    .nullish()
})

/** @see reference: Lambda control API §12, layer policy */
export const addLayerVersionPermission: Operation = {
  name: 'AddLayerVersionPermission',
  method: 'POST',
  path: '/2018-10-31/layers/:name/versions/:version/policy',
  note: LAYER_STATEMENTS,

  run(call, deps) {
    const { name, version } = layerVersionOf(call, deps)
    const request = checkModel(Request, call.body)
    const organizationId = request.OrganizationId ?? undefined
    const { statement, revisionId } = deps.layers.addPermission(
      name,
      version,
      { statementId: request.StatementId, action: request.Action, principal: request.Principal, organizationId },
      oneOf(call.query['RevisionId'])
    )
    return { status: 201, body: { Statement: JSON.stringify(statement), RevisionId: revisionId } }
  }
}
