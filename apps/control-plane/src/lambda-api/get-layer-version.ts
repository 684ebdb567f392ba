import { layerVersionOf } from './layer-target.ts'
import { toLayerOutput } from './layer-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §12, GetLayerVersion */
export const getLayerVersion: Operation = {
  name: 'GetLayerVersion',
  method: 'GET',
  path: '/2018-10-31/layers/:name/versions/:version',

  run(call, deps) {
    const { name, version } = layerVersionOf(call, deps)
    return { status: 200, body: toLayerOutput(deps.layers.get(name, version), deps, call.origin) }
  }
}
