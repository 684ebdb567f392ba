import { checkModel } from './constraints.ts'
import { targetOf } from './function-target.ts'
import { CodeSigningConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const putFunctionCodeSigningConfig: Operation = {
  name: 'PutFunctionCodeSigningConfig',
  method: 'PUT',
  path: '/2020-06-30/functions/:name/code-signing-config',

  run(call, deps) {
    const { name } = targetOf(call, deps)
    const { CodeSigningConfigArn } = checkModel(CodeSigningConfigRequest, call.body)
    deps.options.setCodeSigning(name, CodeSigningConfigArn)
    return { status: 200, body: { CodeSigningConfigArn, FunctionName: name } }
  }
}
