import { checkModel } from './constraints.ts'
import { UpdateFunctionUrlConfigRequest, urlTargetOf } from './function-url-target.ts'
import { toCorsConfig, toUrlConfig } from './function-url-view.ts'
import type { Operation } from './operation.ts'

/** Members that are not sent stay; `Cors` is replaced as a whole. @see reference: Lambda control API §11 */
export const updateFunctionUrlConfig: Operation = {
  name: 'UpdateFunctionUrlConfig',
  method: 'PUT',
  path: '/2021-10-31/functions/:name/url',

  run(call, deps) {
    const { AuthType, Cors, InvokeMode } = checkModel(UpdateFunctionUrlConfigRequest, call.body)
    const { name, qualifier } = urlTargetOf(call, deps)
    const url = deps.urls.change(name, qualifier, {
      ...(AuthType == null ? {} : { authType: AuthType }),
      ...(Cors == null ? {} : { cors: toCorsConfig(Cors) }),
      ...(InvokeMode == null ? {} : { invokeMode: InvokeMode })
    })
    return { status: 200, body: toUrlConfig(url, call, deps) }
  }
}
