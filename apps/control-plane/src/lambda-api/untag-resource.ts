import { dropTags } from '../functions/function-tags.ts'
import { checkModel } from './constraints.ts'
import { UntagResourceRequest } from './model.ts'
import type { Operation } from './operation.ts'
import { taggedResourceOf } from './tagged-resource.ts'

/** @see reference: Lambda control API §13 */
export const untagResource: Operation = {
  name: 'UntagResource',
  method: 'DELETE',
  path: '/2017-03-31/tags/:resource',

  run(call, deps) {
    const sent = call.query['tagKeys']
    const { TagKeys } = checkModel(UntagResourceRequest, { TagKeys: typeof sent === 'string' ? [sent] : sent })
    taggedResourceOf(call, deps).change((tags) => dropTags(tags, TagKeys))
    return { status: 204 }
  }
}
