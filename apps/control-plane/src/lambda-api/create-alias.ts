import { toAliasConfiguration, weightsOf } from './alias-input.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { CreateAliasRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §6 */
export const createAlias: Operation = {
  name: 'CreateAlias',
  method: 'POST',
  path: '/2015-03-31/functions/:name/aliases',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const request = checkModel(CreateAliasRequest, call.body)
    const alias = deps.aliases.create(name, request.Name, {
      version: request.FunctionVersion,
      weights: weightsOf(request.RoutingConfig),
      description: request.Description ?? undefined
    })
    return { status: 201, body: toAliasConfiguration(alias, deps.scope) }
  }
}
