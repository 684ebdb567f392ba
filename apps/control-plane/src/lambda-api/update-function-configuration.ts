import { requireRevision } from '../functions/function-record.ts'
import { inspectStored } from '../functions/inspect-stored.ts'
import { toConfiguration } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { UpdateFunctionConfigurationRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { toChange } from './settings-input.ts'
import { refuseUnsupported } from './unsupported-members.ts'

/** @see reference: Lambda control API §5, UpdateFunctionConfiguration */
export const updateFunctionConfiguration: Operation = {
  name: 'UpdateFunctionConfiguration',
  method: 'PUT',
  path: '/2015-03-31/functions/:name/configuration',

  async run(call, deps) {
    const name = functionTargetOf(call, deps)
    const request = checkModel(UpdateFunctionConfigurationRequest, call.body)
    const current = deps.service.get(name)
    refuseUnsupported(request)
    await inspectStored(deps, current, toChange(request, current.logging))
    const record = deps.service.configure(name, (current) => toChange(request, current.logging), {
      precondition: requireRevision(request.RevisionId ?? undefined),
      settle: 'as-aws'
    })
    return { status: 200, body: toConfiguration(record, deps.scope) }
  }
}
