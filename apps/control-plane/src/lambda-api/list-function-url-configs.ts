import { FUNCTION_URL_ID } from '@hearth/shared'
import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { urlTargetOf } from './function-url-target.ts'
import { toUrlConfig } from './function-url-view.ts'
import type { Operation } from './operation.ts'
import { markerPage, pageQueryOf } from './page.ts'

const Query = z.object({ Marker: z.string().optional(), MaxItems: z.number().int().min(1).max(50).optional() })

/** @see reference: Lambda control API §11 */
export const listFunctionUrlConfigs: Operation = {
  name: 'ListFunctionUrlConfigs',
  method: 'GET',
  path: '/2021-10-31/functions/:name/urls',

  run(call, deps) {
    const request = checkModel(Query, pageQueryOf(call.query))
    const { name } = urlTargetOf(call, deps)
    const { items, next } = markerPage(
      request,
      ['ListFunctionUrlConfigs', name],
      FUNCTION_URL_ID,
      (after, limit) => deps.urls.list(name, after, limit),
      ({ id }) => id
    )
    return {
      status: 200,
      body: { FunctionUrlConfigs: items.map((url) => toUrlConfig(url, call, deps)), ...next }
    }
  }
}
