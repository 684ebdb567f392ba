import { functionArn } from '@hearth/shared'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const getRuntimeManagementConfig: Operation = {
  name: 'GetRuntimeManagementConfig',
  method: 'GET',
  path: '/2021-07-20/functions/:name/runtime-management-config',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    const { updateOn } = deps.options.runtimeUpdate(name, qualifier)
    return { status: 200, body: { UpdateRuntimeOn: updateOn, FunctionArn: functionArn(deps.scope, name, qualifier) } }
  }
}
