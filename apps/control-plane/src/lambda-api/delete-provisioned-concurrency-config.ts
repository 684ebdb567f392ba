import { qualifiedTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** Deleting one that is not there succeeds, as on AWS. @see reference: Lambda control API §8 */
export const deleteProvisionedConcurrencyConfig: Operation = {
  name: 'DeleteProvisionedConcurrencyConfig',
  method: 'DELETE',
  path: '/2019-09-30/functions/:name/provisioned-concurrency',

  run(call, deps) {
    const { name, qualifier } = qualifiedTargetOf(call, deps)
    deps.concurrency.unprovision(name, qualifier)
    return { status: 204 }
  }
}
