import { layerVersionOf, oneOf } from './layer-target.ts'
import type { Operation } from './operation.ts'
import { LAYER_STATEMENTS } from './statement-notes.ts'

/** @see reference: Lambda control API §12, layer policy */
export const removeLayerVersionPermission: Operation = {
  name: 'RemoveLayerVersionPermission',
  method: 'DELETE',
  path: '/2018-10-31/layers/:name/versions/:version/policy/:statement',
  note: LAYER_STATEMENTS,

  run(call, deps) {
    const { name, version } = layerVersionOf(call, deps)
    deps.layers.removePermission(name, version, call.params['statement'] ?? '', oneOf(call.query['RevisionId']))
    return { status: 204 }
  }
}
