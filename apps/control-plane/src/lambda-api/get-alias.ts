import { functionArn, HearthError } from '@hearth/shared'
import { aliasNameOf, toAliasConfiguration } from './alias-input.ts'
import { functionTargetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §6 */
export const getAlias: Operation = {
  name: 'GetAlias',
  method: 'GET',
  path: '/2015-03-31/functions/:name/aliases/:alias',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const aliasName = aliasNameOf(call)
    const alias = deps.aliases.find(name, aliasName)
    if (alias === undefined) {
      throw new HearthError('ALIAS_NOT_FOUND', `Cannot find alias arn: ${functionArn(deps.scope, name, aliasName)}`)
    }
    return { status: 200, body: toAliasConfiguration(alias, deps.scope) }
  }
}
