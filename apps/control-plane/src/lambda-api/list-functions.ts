import { LATEST } from '@hearth/store'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { toListItem } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { ListFunctionsRequest } from './model.ts'
import type { Operation } from './operation.ts'

/** However much is asked for. Source: Lambda API reference, ListFunctions. */
const PAGE = 50

/** @see reference: Lambda control API §5, ListFunctions */
export const listFunctions: Operation = {
  name: 'ListFunctions',
  method: 'GET',
  path: '/2015-03-31/functions',

  run({ query }, { service, scope }) {
    const maxItems = query['MaxItems']
    const request = checkModel(ListFunctionsRequest, {
      ...query,
      ...(maxItems === undefined ? {} : { MaxItems: Number(maxItems) })
    })
    const limit = Math.min(request.MaxItems ?? PAGE, PAGE)
    const after = request.Marker === undefined || request.Marker === '' ? '' : fromCursor(request.Marker, 'Marker')
    const records = service.list(after, limit + 1)
    const page = records.slice(0, limit)
    const last = records.length > limit ? page.at(-1) : undefined
    const qualifier = request.FunctionVersion === 'ALL' ? LATEST : undefined
    return {
      status: 200,
      body: {
        Functions: page.map((record) => toListItem(record, scope, qualifier)),
        ...(last === undefined ? {} : { NextMarker: toCursor(last.name) })
      }
    }
  }
}
