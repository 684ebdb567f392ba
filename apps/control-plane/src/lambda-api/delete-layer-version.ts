import { layerVersionOf } from './layer-target.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §12, DeleteLayerVersion: a version that is not there is as good as deleted */
export const deleteLayerVersion: Operation = {
  name: 'DeleteLayerVersion',
  method: 'DELETE',
  path: '/2018-10-31/layers/:name/versions/:version',

  run(call, deps) {
    const { name, version } = layerVersionOf(call, deps)
    deps.layers.remove(name, version)
    return { status: 204 }
  }
}
