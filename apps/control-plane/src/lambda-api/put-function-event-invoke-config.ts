import { eventInvokeChange } from './event-invoke-input.ts'
import { toEventInvokeConfig } from './event-invoke-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** Replaces the whole config. @see reference: Lambda control API §9 */
export const putFunctionEventInvokeConfig: Operation = {
  name: 'PutFunctionEventInvokeConfig',
  method: 'PUT',
  path: '/2019-09-25/functions/:name/event-invoke-config',
  note: 'Destinations are functions, and webhooks, which /v1 sets; queues, topics, event buses and buckets are refused by name',

  run(call, deps) {
    const settings = { maxRetries: undefined, maxAgeS: undefined, onSuccess: undefined, onFailure: undefined }
    const change = eventInvokeChange(call)
    const { name, qualifier } = targetOf(call, deps)
    const { config } = deps.eventInvoke.put(name, qualifier, { ...settings, ...change })
    return { status: 200, body: toEventInvokeConfig(config, deps.scope) }
  }
}
