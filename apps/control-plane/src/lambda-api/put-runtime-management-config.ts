import { functionArn, HearthError } from '@hearth/shared'
import { checkModel } from './constraints.ts'
import { targetOf } from './function-target.ts'
import { PutRuntimeManagementConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { unsupported } from './unsupported-members.ts'

/** @see reference: Lambda control API §15 */
export const putRuntimeManagementConfig: Operation = {
  name: 'PutRuntimeManagementConfig',
  method: 'PUT',
  path: '/2021-07-20/functions/:name/runtime-management-config',
  note: '`Auto` and `FunctionUpdate` are kept and shown, and a runtime changes when the operator of the machine installs another; `Manual` is refused, because an older version cannot be kept beside it',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    const { UpdateRuntimeOn, RuntimeVersionArn } = checkModel(PutRuntimeManagementConfigRequest, call.body)
    if (UpdateRuntimeOn === 'Manual') {
      throw unsupported(
        'UpdateRuntimeOn',
        'Manual would keep a runtime version for good, and runtimes here are those that are installed on the machine; Auto and FunctionUpdate are taken'
      )
    }
    if (RuntimeVersionArn) {
      throw new HearthError('INVALID_REQUEST', 'RuntimeVersionArn is for UpdateRuntimeOn Manual only.')
    }
    deps.options.setRuntimeUpdate(name, qualifier, UpdateRuntimeOn)
    return { status: 200, body: { UpdateRuntimeOn, FunctionArn: functionArn(deps.scope, name, qualifier) } }
  }
}
