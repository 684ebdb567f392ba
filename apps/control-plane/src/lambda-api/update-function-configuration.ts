import type { FunctionRecord } from '@hearth/shared'
import { requireRevision } from '../functions/function-record.ts'
import { inspectStored, requireSame } from '../functions/inspect-stored.ts'
import { toConfiguration } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { withLayers } from './layers-input.ts'
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
    const record = await withLayers(deps.attachments, request.Layers, call.caller, async (attached) => {
      const change = (now: FunctionRecord) => ({
        ...toChange(request, now.logging),
        ...(attached === undefined ? {} : { layers: attached.layers })
      })
      await inspectStored(deps, current, change(current))
      const decide = (now: FunctionRecord) => {
        if (attached !== undefined) requireSame(current, now, 'code')
        return change(now)
      }
      return deps.service.configure(name, decide, {
        precondition: requireRevision(request.RevisionId ?? undefined),
        settle: 'as-aws'
      })
    })
    return { status: 200, body: toConfiguration(record, deps.scope) }
  }
}
