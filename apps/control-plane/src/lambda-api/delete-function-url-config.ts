import { urlTargetOf } from './function-url-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §11 */
export const deleteFunctionUrlConfig: Operation = {
  name: 'DeleteFunctionUrlConfig',
  method: 'DELETE',
  path: '/2021-10-31/functions/:name/url',

  run(call, deps) {
    const { name, qualifier } = urlTargetOf(call, deps)
    deps.urls.remove(name, qualifier)
    return { status: 204 }
  }
}
