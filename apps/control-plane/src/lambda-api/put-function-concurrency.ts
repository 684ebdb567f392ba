import { checkModel } from './constraints.ts'
import { wholeFunctionTargetOf } from './function-target.ts'
import { PutFunctionConcurrencyRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §8 */
export const putFunctionConcurrency: Operation = {
  name: 'PutFunctionConcurrency',
  method: 'PUT',
  path: '/2017-10-31/functions/:name/concurrency',
  note: "A tenth of this server's `HEARTH_CONCURRENCY`, 100 at most, stays unreserved",

  run(call, deps) {
    const name = wholeFunctionTargetOf(call, deps)
    const { ReservedConcurrentExecutions } = checkModel(PutFunctionConcurrencyRequest, call.body)
    deps.concurrency.reserve(name, ReservedConcurrentExecutions)
    return { status: 200, body: { ReservedConcurrentExecutions } }
  }
}
