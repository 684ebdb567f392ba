import { type FunctionRecord, HearthError } from '@hearth/shared'
import { requireRevision } from '../functions/function-record.ts'
import { inspectFor, requireSame } from '../functions/inspect-stored.ts'
import { CODE_BODY_BYTES, checkArchitecture, readCode, withPackage } from './code-input.ts'
import { toConfiguration } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { UpdateFunctionCodeRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { refusePublishTo } from './unsupported-members.ts'

/** @see reference: Lambda control API §5, UpdateFunctionCode */
export const updateFunctionCode: Operation = {
  name: 'UpdateFunctionCode',
  method: 'PUT',
  path: '/2015-03-31/functions/:name/code',
  bodyLimit: CODE_BODY_BYTES,
  deploys: true,

  async run(call, deps) {
    const { service, packages, scope, metrics } = deps
    const name = functionTargetOf(call, deps)
    const request = checkModel(UpdateFunctionCodeRequest, call.body)
    if (request.ImageUri) {
      throw new HearthError(
        'INVALID_REQUEST',
        "Please don't provide ImageUri when updating a function with packageType Zip. "
      )
    }
    refusePublishTo(request)
    checkArchitecture(request.Architectures, deps.architecture)
    const precondition = requireRevision(request.RevisionId ?? undefined)
    const current = service.get(name)
    precondition(current)
    const dryRun = request.DryRun === true
    const change = (now: FunctionRecord | undefined) => {
      requireSame(current, now, 'layers')
      return {}
    }
    const options = { keep: !dryRun, inspect: inspectFor(deps, current) }
    const { record, published } = await withPackage(packages, readCode(request, deps.s3), options, (code) =>
      service.deploy(name, 'replace', code, change, {
        precondition,
        dryRun,
        settle: 'as-aws',
        publish: request.Publish === true
      })
    )
    if (!dryRun) metrics.deployments.inc({ result: 'replaced' })
    return {
      status: 200,
      body:
        published === undefined ? toConfiguration(record, scope) : toConfiguration(published, scope, published.version)
    }
  }
}
