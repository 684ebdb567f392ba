import { aliasNameOf } from './alias-input.ts'
import { functionTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** Deleting one that is not there succeeds, as on AWS. @see reference: Lambda control API §6 */
export const deleteAlias: Operation = {
  name: 'DeleteAlias',
  method: 'DELETE',
  path: '/2015-03-31/functions/:name/aliases/:alias',

  run(call, deps) {
    deps.aliases.remove(functionTargetOf(call, deps), aliasNameOf(call))
    return { status: 204 }
  }
}
