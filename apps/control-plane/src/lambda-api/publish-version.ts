import { requireRevision } from '../functions/function-record.ts'
import { toConfiguration } from './configuration-view.ts'
import { checkModel } from './constraints.ts'
import { functionTargetOf } from './function-target.ts'
import { PublishVersionRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { refusePublishTo } from './unsupported-members.ts'

/** Answers 201 for a version that was there already, too. @see reference: Lambda control API §5, Versions */
export const publishVersion: Operation = {
  name: 'PublishVersion',
  method: 'POST',
  path: '/2015-03-31/functions/:name/versions',

  run(call, deps) {
    const name = functionTargetOf(call, deps)
    const request = checkModel(PublishVersionRequest, call.body)
    refusePublishTo(request)
    const { record } = deps.versions.publish(name, {
      description: request.Description ?? undefined,
      codeSha256: request.CodeSha256 ?? undefined,
      precondition: requireRevision(request.RevisionId ?? undefined)
    })
    return { status: 201, body: toConfiguration(record, deps.scope, record.version) }
  }
}
