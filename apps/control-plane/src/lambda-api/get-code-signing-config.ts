import { signingArnOf, toCodeSigningConfig } from './code-signing-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const getCodeSigningConfig: Operation = {
  name: 'GetCodeSigningConfig',
  method: 'GET',
  path: '/2020-04-22/code-signing-configs/:arn',

  run(call, { codeSigning }) {
    const config = codeSigning.get(signingArnOf(call))
    return { status: 200, body: { CodeSigningConfig: toCodeSigningConfig(config, codeSigning) } }
  }
}
