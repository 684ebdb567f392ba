import { ALIAS_NAME } from '@hearth/shared'
import { toAliasConfiguration } from './alias-input.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { ListAliasesRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { markerPage, pageQueryOf } from './page.ts'

/** @see reference: Lambda control API §6 */
export const listAliases: Operation = {
  name: 'ListAliases',
  method: 'GET',
  path: '/2015-03-31/functions/:name/aliases',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const request = checkModel(ListAliasesRequest, pageQueryOf(call.query))
    const { items, next } = markerPage(
      request,
      ['ListAliases', name, request.FunctionVersion],
      ALIAS_NAME,
      (after, limit) => deps.aliases.list(name, after, limit, request.FunctionVersion),
      (alias) => alias.name
    )
    return {
      status: 200,
      body: {
        Aliases: items.map((alias) => toAliasConfiguration(alias, deps.scope)),
        ...next
      }
    }
  }
}
