import { signingArnOf, toCodeSigningConfig, toCodeSigningWish } from './code-signing-view.ts'
import { checkModel } from './constraints.ts'
import { UpdateCodeSigningConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const updateCodeSigningConfig: Operation = {
  name: 'UpdateCodeSigningConfig',
  method: 'PUT',
  path: '/2020-04-22/code-signing-configs/:arn',

  run(call, { codeSigning }) {
    const change = toCodeSigningWish(checkModel(UpdateCodeSigningConfigRequest, call.body))
    const config = codeSigning.update(signingArnOf(call), change)
    return { status: 200, body: { CodeSigningConfig: toCodeSigningConfig(config, codeSigning) } }
  }
}
