import { signingArnOf } from './code-signing-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §15 */
export const deleteCodeSigningConfig: Operation = {
  name: 'DeleteCodeSigningConfig',
  method: 'DELETE',
  path: '/2020-04-22/code-signing-configs/:arn',

  run(call, { codeSigning }) {
    codeSigning.remove(signingArnOf(call))
    return { status: 204 }
  }
}
