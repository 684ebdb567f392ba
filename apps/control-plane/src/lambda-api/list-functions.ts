import { numberOf } from '../functions/version-service.ts'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { toListItem } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { ListFunctionsRequest } from './model.ts'
import type { Operation, OperationAnswer } from './operation.ts'
import { pageOf, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §5, ListFunctions */
export const listFunctions: Operation = {
  name: 'ListFunctions',
  method: 'GET',
  path: '/2015-03-31/functions',

  run({ query }, { service, versions, scope }): OperationAnswer {
    const { MaxItems, Marker, FunctionVersion } = checkModel(ListFunctionsRequest, pageQueryOf(query))
    if (FunctionVersion === 'ALL') {
      const [name = '', number = '0'] = Marker ? fromCursor(Marker, 'Marker', VERSION_KEY).split('/') : []
      const { items, last } = pageOf(MaxItems, (limit) => versions.listAll({ name, number: Number(number) }, limit))
      return answer(
        items.map((record) => toListItem(record, scope, record.version)),
        last && `${last.name}/${numberOf(last.version)}`
      )
    }
    const after = Marker ? fromCursor(Marker, 'Marker') : ''
    const { items, last } = pageOf(MaxItems, (limit) => service.list(after, limit))
    return answer(
      items.map((record) => toListItem(record, scope)),
      last?.name
    )
  }
}

const VERSION_KEY = /^[a-zA-Z0-9-_]{1,64}\/\d{1,15}$/

function answer(items: readonly object[], last: string | undefined): OperationAnswer {
  return { status: 200, body: { Functions: items, ...(last === undefined ? {} : { NextMarker: toCursor(last) }) } }
}
