import { LATEST } from '@hearth/store'
import { toListItem } from './configuration-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §5, Versions */
export const listVersionsByFunction: Operation = {
  name: 'ListVersionsByFunction',
  method: 'GET',
  path: '/2015-03-31/functions/:name/versions',
  note: 'There is `$LATEST` alone as long as versions cannot be published',

  run(call, deps) {
    const record = deps.service.get(targetOf(call, deps).name)
    return { status: 200, body: { Versions: [toListItem(record, deps.scope, LATEST)] } }
  }
}
