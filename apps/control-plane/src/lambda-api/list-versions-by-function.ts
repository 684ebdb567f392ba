import { numberOf } from '../functions/version-service.ts'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { toListItem } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { ListVersionsByFunctionRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { pageOf, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §5, Versions */
export const listVersionsByFunction: Operation = {
  name: 'ListVersionsByFunction',
  method: 'GET',
  path: '/2015-03-31/functions/:name/versions',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const { MaxItems, Marker } = checkModel(ListVersionsByFunctionRequest, pageQueryOf(call.query))
    const after = Marker ? Number(fromCursor(Marker, 'Marker', /^\d{1,15}$/)) : -1
    const { items, last } = pageOf(MaxItems, (limit) => deps.versions.list(name, after, limit))
    return {
      status: 200,
      body: {
        Versions: items.map((record) => toListItem(record, deps.scope, record.version)),
        ...(last === undefined ? {} : { NextMarker: toCursor(String(numberOf(last.version))) })
      }
    }
  }
}
