import { FUNCTION_URL_ID } from '@hearth/shared'
import { z } from 'zod'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { checkModel } from './constraints.ts'
import { urlTargetOf } from './function-url-target.ts'
import { toUrlConfig } from './function-url-view.ts'
import type { Operation } from './operation.ts'

const Query = z.object({ Marker: z.string().optional(), MaxItems: z.number().int().min(1).max(50).optional() })
const PAGE = 50

/** @see reference: Lambda control API §11 */
export const listFunctionUrlConfigs: Operation = {
  name: 'ListFunctionUrlConfigs',
  method: 'GET',
  path: '/2021-10-31/functions/:name/urls',

  run(call, deps) {
    const { Marker, MaxItems } = call.query
    const query = checkModel(Query, { Marker, ...(MaxItems === undefined ? {} : { MaxItems: Number(MaxItems) }) })
    const { name } = urlTargetOf(call, deps)
    const limit = query.MaxItems ?? PAGE
    const after =
      query.Marker === undefined || query.Marker === '' ? '' : fromCursor(query.Marker, 'Marker', FUNCTION_URL_ID)
    const found = deps.urls.list(name, after, limit + 1)
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    return {
      status: 200,
      body: {
        FunctionUrlConfigs: page.map((url) => toUrlConfig(url, call, deps)),
        ...(last === undefined ? {} : { NextMarker: toCursor(last.id) })
      }
    }
  }
}
