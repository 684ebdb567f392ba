import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const deleteFunctionCodeSigningConfig: Operation = {
  name: 'DeleteFunctionCodeSigningConfig',
  method: 'DELETE',
  path: '/2020-06-30/functions/:name/code-signing-config',

  run(call, deps) {
    deps.options.setCodeSigning(targetOf(call, deps).name, undefined)
    return { status: 204 }
  }
}
