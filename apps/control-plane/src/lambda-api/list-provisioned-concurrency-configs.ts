import { functionArn } from '@hearth/shared'
import { checkModel } from './constraints.ts'
import { wholeFunctionTargetOf } from './function-target.ts'
import { ListProvisionedConcurrencyConfigsRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { markerPage, pageQueryOf } from './page.ts'
import { toProvisionedConfig } from './provisioned-view.ts'

/** A version's number or an alias. */
const QUALIFIER = /^[a-zA-Z0-9-_]+$/

/** @see reference: Lambda control API §8 */
export const listProvisionedConcurrencyConfigs: Operation = {
  name: 'ListProvisionedConcurrencyConfigs',
  method: 'GET',
  path: '/2019-09-30/functions/:name/provisioned-concurrency?List=ALL',

  run(call, deps) {
    const name = wholeFunctionTargetOf(call, deps)
    const request = checkModel(ListProvisionedConcurrencyConfigsRequest, pageQueryOf(call.query))
    const { items, next } = markerPage(
      request,
      ['ListProvisionedConcurrencyConfigs', name],
      QUALIFIER,
      (after, limit) => deps.concurrency.listProvisioned(name, after, limit),
      ({ qualifier }) => qualifier
    )
    return {
      status: 200,
      body: {
        ProvisionedConcurrencyConfigs: items.map((config) => ({
          FunctionArn: functionArn(deps.scope, name, config.qualifier),
          ...toProvisionedConfig(config)
        })),
        ...next
      }
    }
  }
}
