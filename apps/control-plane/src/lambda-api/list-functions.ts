import { FUNCTION_NAME } from '@hearth/shared'
import { numberOf } from '../functions/version-service.ts'
import { toListItem } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { ListFunctionsRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { markerPage, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §5, ListFunctions */
export const listFunctions: Operation = {
  name: 'ListFunctions',
  method: 'GET',
  path: '/2015-03-31/functions',

  run({ query }, { service, versions, scope }) {
    const request = checkModel(ListFunctionsRequest, pageQueryOf(query))
    if (request.FunctionVersion === 'ALL') {
      const { items, next } = markerPage(
        request,
        ['ListFunctions', 'ALL'],
        VERSION_KEY,
        (after, limit) => {
          const [name = '', number = '0'] = after.split('/')
          return versions.listAll({ name, number: Number(number) }, limit)
        },
        (record) => `${record.name}/${numberOf(record.version)}`
      )
      return {
        status: 200,
        body: { Functions: items.map((record) => toListItem(record, scope, record.version)), ...next }
      }
    }
    const { items, next } = markerPage(
      request,
      ['ListFunctions'],
      FUNCTION_NAME,
      (after, limit) => service.list(after, limit),
      ({ name }) => name
    )
    return { status: 200, body: { Functions: items.map((record) => toListItem(record, scope)), ...next } }
  }
}

const VERSION_KEY = /^[a-zA-Z0-9-_]{1,64}\/\d{1,15}$/
