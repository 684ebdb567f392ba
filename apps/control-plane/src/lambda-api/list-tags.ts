import type { Operation } from './operation.ts'
import { taggedResourceOf } from './tagged-resource.ts'

/** @see reference: Lambda control API §13 */
export const listTags: Operation = {
  name: 'ListTags',
  method: 'GET',
  path: '/2017-03-31/tags/:resource',

  run(call, deps) {
    return { status: 200, body: { Tags: taggedResourceOf(call, deps).read() } }
  }
}
