import { HearthError } from '@hearth/shared'
import { LATEST } from '@hearth/store'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §5, DeleteFunction */
export const deleteFunction: Operation = {
  name: 'DeleteFunction',
  method: 'DELETE',
  path: '/2015-03-31/functions/:name',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    if (qualifier === undefined) deps.service.remove(name)
    else {
      deps.service.get(name)
      if (qualifier === LATEST) {
        throw new HearthError('INVALID_REQUEST', '$LATEST version cannot be deleted without deleting the function.')
      }
      if (!/^\d+$/.test(qualifier))
        throw new HearthError('INVALID_REQUEST', 'Deletion of aliases is not currently supported.')
      // A version that is not there: AWS answers as if it had deleted it.
      deps.versions.remove(name, qualifier)
    }
    return { status: 204 }
  }
}
