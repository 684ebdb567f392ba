import { checkModel } from './constraints.ts'
import { CreateFunctionUrlConfigRequest, urlTargetOf } from './function-url-target.ts'
import { toCorsConfig, toUrlConfig } from './function-url-view.ts'
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
    const { LastModifiedTime: _, InvokeMode, ...body } = toUrlConfig(url, call, deps)
    return { status: 201, body: request.InvokeMode == null ? body : { ...body, InvokeMode } }
  }
}
