import { policyDocument } from '../functions/statements.ts'
import { layerVersionOf } from './layer-target.ts'
import type { Operation } from './operation.ts'
import { LAYER_STATEMENTS } from './statement-notes.ts'

/** @see reference: Lambda control API §12, layer policy */
export const getLayerVersionPolicy: Operation = {
  name: 'GetLayerVersionPolicy',
  method: 'GET',
  path: '/2018-10-31/layers/:name/versions/:version/policy',
  note: LAYER_STATEMENTS,

  run(call, deps) {
    const { name, version } = layerVersionOf(call, deps)
    const policy = deps.layers.getPolicy(name, version)
    return { status: 200, body: { Policy: JSON.stringify(policyDocument(policy)), RevisionId: policy.revisionId } }
  }
}
