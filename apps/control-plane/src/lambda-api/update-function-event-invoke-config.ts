import { eventInvokeChange } from './event-invoke-input.ts'
import { toEventInvokeConfig } from './event-invoke-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** Members that are not sent stay. @see reference: Lambda control API §9 */
export const updateFunctionEventInvokeConfig: Operation = {
  name: 'UpdateFunctionEventInvokeConfig',
  method: 'POST',
  path: '/2019-09-25/functions/:name/event-invoke-config',
  note: 'As PutFunctionEventInvokeConfig',

  run(call, deps) {
    const change = eventInvokeChange(call)
    const { name, qualifier } = targetOf(call, deps)
    const { config } = deps.eventInvoke.change(name, qualifier, change)
    return { status: 200, body: toEventInvokeConfig(config, deps.scope) }
  }
}
