import { HearthError } from '@hearth/shared'
import { addTags } from '../functions/function-tags.ts'
import { checkModel } from './constraints.ts'
import { TagResourceRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { taggedResourceOf } from './tagged-resource.ts'

/** @see reference: Lambda control API §13 */
export const tagResource: Operation = {
  name: 'TagResource',
  method: 'POST',
  path: '/2017-03-31/tags/:resource',

  run(call, deps) {
    const { Tags } = checkModel(TagResourceRequest, call.body)
    const resource = taggedResourceOf(call, deps)
    if (Object.keys(Tags).length === 0)
      throw new HearthError('INVALID_REQUEST', 'An error occurred and the request cannot be processed.')
    resource.change((tags) => addTags(tags, Tags))
    return { status: 204 }
  }
}
