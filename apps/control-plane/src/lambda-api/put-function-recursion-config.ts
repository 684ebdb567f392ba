import { checkModel } from './constraints.ts'
import { unqualifiedTargetOf } from './function-target.ts'
import { PutFunctionRecursionConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const putFunctionRecursionConfig: Operation = {
  name: 'PutFunctionRecursionConfig',
  method: 'PUT',
  path: '/2024-08-31/functions/:name/recursion-config',

  run(call, deps) {
    const name = unqualifiedTargetOf(call, deps)
    const { RecursiveLoop } = checkModel(PutFunctionRecursionConfigRequest, call.body)
    deps.options.setRecursiveLoop(name, RecursiveLoop)
    return { status: 200, body: { RecursiveLoop } }
  }
}
