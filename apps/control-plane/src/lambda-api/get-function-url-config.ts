import { urlTargetOf } from './function-url-target.ts'
import { toUrlConfig } from './function-url-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §11 */
export const getFunctionUrlConfig: Operation = {
  name: 'GetFunctionUrlConfig',
  method: 'GET',
  path: '/2021-10-31/functions/:name/url',

  run(call, deps) {
    const { name, qualifier } = urlTargetOf(call, deps)
    return { status: 200, body: toUrlConfig(deps.urls.get(name, qualifier), call, deps) }
  }
}
