import { qualifiedTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'
import { toProvisionedConfig } from './provisioned-view.ts'

/** @see reference: Lambda control API §8 */
export const getProvisionedConcurrencyConfig: Operation = {
  name: 'GetProvisionedConcurrencyConfig',
  method: 'GET',
  path: '/2019-09-30/functions/:name/provisioned-concurrency',

  run(call, deps) {
    const { name, qualifier } = qualifiedTargetOf(call, deps)
    return { status: 200, body: toProvisionedConfig(deps.concurrency.provisioned(name, qualifier)) }
  }
}
