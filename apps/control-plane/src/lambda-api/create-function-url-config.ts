import { checkModel } from './constraints.ts'
import { CreateFunctionUrlConfigRequest, urlTargetOf } from './function-url-target.ts'
import { toCorsConfig, toNewUrlConfig } from './function-url-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §11 */
export const createFunctionUrlConfig: Operation = {
  name: 'CreateFunctionUrlConfig',
  method: 'POST',
  path: '/2021-10-31/functions/:name/url',

  run(call, deps) {
    const request = checkModel(CreateFunctionUrlConfigRequest, call.body)
    const { name, qualifier } = urlTargetOf(call, deps)
    const url = deps.urls.create(name, qualifier, {
      authType: request.AuthType,
      cors: toCorsConfig(request.Cors),
      invokeMode: request.InvokeMode ?? 'BUFFERED'
    })
    const { InvokeMode } = request
    return { status: 201, body: { ...toNewUrlConfig(url, call, deps), ...(InvokeMode == null ? {} : { InvokeMode }) } }
  }
}
