import { toConfiguration } from './configuration-view.ts'
import { targetOf } from './function-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §5, GetFunctionConfiguration */
export const getFunctionConfiguration: Operation = {
  name: 'GetFunctionConfiguration',
  method: 'GET',
  path: '/2015-03-31/functions/:name/configuration',

  run(call, deps) {
    const { name, qualifier } = targetOf(call, deps)
    return { status: 200, body: toConfiguration(deps.service.get(name, qualifier), deps.scope, qualifier) }
  }
}
