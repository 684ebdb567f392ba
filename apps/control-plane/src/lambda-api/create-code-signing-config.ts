import { toCodeSigningConfig, toCodeSigningWish } from './code-signing-view.ts'
import { checkModel } from './constraints.ts'
import { CreateCodeSigningConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const createCodeSigningConfig: Operation = {
  name: 'CreateCodeSigningConfig',
  method: 'POST',
  path: '/2020-04-22/code-signing-configs',
  note: 'There is no AWS Signer: no package counts as signed. `Warn` takes every package, `Enforce` refuses every one with CodeVerificationFailedException',

  run({ body }, { codeSigning }) {
    const request = checkModel(CreateCodeSigningConfigRequest, body)
    const config = codeSigning.create(
      { description: '', publishers: [], untrusted: 'Warn', ...toCodeSigningWish(request) },
      request.Tags ?? {}
    )
    return { status: 201, body: { CodeSigningConfig: toCodeSigningConfig(config, codeSigning) } }
  }
}
