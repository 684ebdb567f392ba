import { wholeFunctionTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §8 */
export const deleteFunctionConcurrency: Operation = {
  name: 'DeleteFunctionConcurrency',
  method: 'DELETE',
  path: '/2017-10-31/functions/:name/concurrency',

  run(call, deps) {
    deps.concurrency.unreserve(wholeFunctionTargetOf(call, deps))
    return { status: 204 }
  }
}
