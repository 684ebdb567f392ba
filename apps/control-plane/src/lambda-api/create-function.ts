import { HearthError, parseFunctionRef } from '@hearth/shared'
import { inspectFor } from '../functions/inspect-stored.ts'
import { CODE_BODY_BYTES, checkArchitecture, readCode, withPackage } from './code-input.ts'
import { toConfiguration } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { withLayers } from './layers-input.ts'
import { CreateFunctionRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { toChange } from './settings-input.ts'
import { refusePublishTo, refuseUnsupported, unsupported } from './unsupported-members.ts'

/** @see reference: Lambda control API §5, CreateFunction */
export const createFunction: Operation = {
  name: 'CreateFunction',
  method: 'POST',
  path: '/2015-03-31/functions',
  bodyLimit: CODE_BODY_BYTES,
  deploys: true,

  async run({ body, caller }, deps) {
    const { service, packages, codeSigning, scope, metrics, architecture } = deps
    const request = checkModel(CreateFunctionRequest, body)
    const { name, qualifier } = parseFunctionRef(scope, request.FunctionName)
    if (qualifier !== undefined)
      throw new HearthError('INVALID_REQUEST', 'A function is created without a qualifier in its name.')
    if (request.PackageType === 'Image') throw unsupported('PackageType', 'container images are not supported; Zip is')
    if (!request.Runtime || !request.Handler) {
      throw new HearthError(
        'INVALID_REQUEST',
        'Runtime and Handler are mandatory parameters for functions created with deployment packages.'
      )
    }
    refuseUnsupported(request)
    refusePublishTo(request)
    checkArchitecture(request.Architectures, architecture)
    const defaults = service.defaults(name)
    const change = { ...toChange(request, defaults.logging), tags: request.Tags ?? {} }
    const settings = { ...defaults, ...change }
    service.check(settings, change)
    service.checkRole(name, settings, change)
    if (service.find(name) !== undefined) throw new HearthError('FUNCTION_EXISTS', `Function already exist: ${name}`)
    const source = readCode(request.Code, deps.s3)
    const { record, published = record } = await withLayers(deps.attachments, request.Layers, caller, (attached) => {
      const layers = attached?.layers
      const inspect = inspectFor(deps, { ...settings, layers })
      return withPackage(packages, source, { inspect }, (code) =>
        service.deploy(name, 'create', code, () => ({ ...change, layers }), {
          settle: 'as-aws',
          publish: request.Publish === true,
          alongside: () => {
            if (request.CodeSigningConfigArn) codeSigning.attach(name, request.CodeSigningConfigArn)
          }
        })
      )
    })
    metrics.deployments.inc({ result: 'created' })
    // The version, under the function's own ARN. Source: Lambda control API §2.
    return { status: 201, body: toConfiguration(published, scope) }
  }
}
