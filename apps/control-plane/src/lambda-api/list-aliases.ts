import { ALIAS_NAME } from '@hearth/shared'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { toAliasConfiguration } from './alias-input.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { ListAliasesRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { pageOf, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §6 */
export const listAliases: Operation = {
  name: 'ListAliases',
  method: 'GET',
  path: '/2015-03-31/functions/:name/aliases',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const request = checkModel(ListAliasesRequest, pageQueryOf(call.query))
    const { items, last } = pageOf(request.MaxItems, (limit) =>
      deps.aliases.list(
        name,
        request.Marker ? fromCursor(request.Marker, 'Marker', ALIAS_NAME) : '',
        limit,
        request.FunctionVersion
      )
    )
    return {
      status: 200,
      body: {
        Aliases: items.map((alias) => toAliasConfiguration(alias, deps.scope)),
        ...(last === undefined ? {} : { NextMarker: toCursor(last.name) })
      }
    }
  }
}
