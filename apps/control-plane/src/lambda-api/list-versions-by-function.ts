import { numberOf } from '../functions/version-service.ts'
import { toListItem } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { ListVersionsByFunctionRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { markerPage, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §5, Versions */
export const listVersionsByFunction: Operation = {
  name: 'ListVersionsByFunction',
  method: 'GET',
  path: '/2015-03-31/functions/:name/versions',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const { items, next } = markerPage(
      checkModel(ListVersionsByFunctionRequest, pageQueryOf(call.query)),
      ['ListVersionsByFunction', name],
      /^\d{1,15}$/,
      (after, limit) => deps.versions.list(name, after === '' ? -1 : Number(after), limit),
      ({ version }) => String(numberOf(version))
    )
    return {
      status: 200,
      body: {
        Versions: items.map((record) => toListItem(record, deps.scope, record.version)),
        ...next
      }
    }
  }
}
