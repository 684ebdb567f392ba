import { checkModel } from './constraints.ts'
import { qualifiedTargetOf } from './function-target.ts'
import { PutProvisionedConcurrencyConfigRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { toProvisionedConfig } from './provisioned-view.ts'

/** @see reference: Lambda control API §8 */
export const putProvisionedConcurrencyConfig: Operation = {
  name: 'PutProvisionedConcurrencyConfig',
  method: 'PUT',
  path: '/2019-09-30/functions/:name/provisioned-concurrency',
  note: 'An alias that moves does so at once, before the instances of its new version are ready. Of an alias that is split later the first version is provisioned',

  run(call, deps) {
    const { name, qualifier } = qualifiedTargetOf(call, deps)
    const request = checkModel(PutProvisionedConcurrencyConfigRequest, call.body)
    const config = deps.concurrency.provision(name, qualifier, request.ProvisionedConcurrentExecutions)
    return { status: 202, body: toProvisionedConfig(config) }
  }
}
