import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { toEventInvokeConfig } from './event-invoke-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'
import { listPage, pageQueryOf } from './page.ts'

const Query = z.object({ MaxItems: z.number().int().min(1).max(50).optional() })

/** By qualifier. @see reference: Lambda control API §9 */
export const listFunctionEventInvokeConfigs: Operation = {
  name: 'ListFunctionEventInvokeConfigs',
  method: 'GET',
  path: '/2019-09-25/functions/:name/event-invoke-config/list',

  run(call, deps) {
    checkModel(Query, pageQueryOf(call.query))
    const { name } = targetOf(call, deps)
    const { items, next } = listPage(
      call,
      ['ListFunctionEventInvokeConfigs', name],
      (after, limit) => deps.eventInvoke.list(name, after, limit),
      ({ qualifier }) => qualifier
    )
    return {
      status: 200,
      body: { FunctionEventInvokeConfigs: items.map((config) => toEventInvokeConfig(config, deps.scope)), ...next }
    }
  }
}
