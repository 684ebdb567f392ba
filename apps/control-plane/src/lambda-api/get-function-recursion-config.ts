import { unqualifiedTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const getFunctionRecursionConfig: Operation = {
  name: 'GetFunctionRecursionConfig',
  method: 'GET',
  path: '/2024-08-31/functions/:name/recursion-config',

  run(call, deps) {
    return { status: 200, body: { RecursiveLoop: deps.options.recursiveLoop(unqualifiedTargetOf(call, deps)) } }
  }
}
