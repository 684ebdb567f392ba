import { requireRevision } from '../functions/function-record.ts'
import { aliasNameOf, toAliasConfiguration, weightsOf } from './alias-input.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { UpdateAliasRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §6 */
export const updateAlias: Operation = {
  name: 'UpdateAlias',
  method: 'PUT',
  path: '/2015-03-31/functions/:name/aliases/:alias',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const aliasName = aliasNameOf(call)
    const request = checkModel(UpdateAliasRequest, call.body)
    const alias = deps.aliases.update(
      name,
      aliasName,
      {
        version: request.FunctionVersion ?? undefined,
        weights: weightsOf(request.RoutingConfig),
        description: request.Description ?? undefined
      },
      requireRevision(request.RevisionId ?? undefined)
    )
    return { status: 200, body: toAliasConfiguration(alias, deps.scope) }
  }
}
