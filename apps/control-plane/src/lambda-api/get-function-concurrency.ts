import { wholeFunctionTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §8 */
export const getFunctionConcurrency: Operation = {
  name: 'GetFunctionConcurrency',
  method: 'GET',
  path: '/2019-09-30/functions/:name/concurrency',

  run(call, deps) {
    const reserved = deps.concurrency.reserved(wholeFunctionTargetOf(call, deps))
    return { status: 200, body: reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved } }
  }
}
