import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §9 */
export const deleteFunctionEventInvokeConfig: Operation = {
  name: 'DeleteFunctionEventInvokeConfig',
  method: 'DELETE',
  path: '/2019-09-25/functions/:name/event-invoke-config',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    deps.eventInvoke.remove(name, qualifier)
    return { status: 204 }
  }
}
