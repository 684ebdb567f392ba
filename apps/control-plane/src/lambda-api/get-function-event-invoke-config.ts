import { toEventInvokeConfig } from './event-invoke-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §9 */
export const getFunctionEventInvokeConfig: Operation = {
  name: 'GetFunctionEventInvokeConfig',
  method: 'GET',
  path: '/2019-09-25/functions/:name/event-invoke-config',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    return { status: 200, body: toEventInvokeConfig(deps.eventInvoke.get(name, qualifier), deps.scope) }
  }
}
