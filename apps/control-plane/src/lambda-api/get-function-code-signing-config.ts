import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const getFunctionCodeSigningConfig: Operation = {
  name: 'GetFunctionCodeSigningConfig',
  method: 'GET',
  path: '/2020-06-30/functions/:name/code-signing-config',

  run(call, deps) {
    const { name } = targetOf(call, deps)
    const arn = deps.options.codeSigning(name)
    return { status: 200, body: arn === undefined ? {} : { CodeSigningConfigArn: arn, FunctionName: name } }
  }
}
