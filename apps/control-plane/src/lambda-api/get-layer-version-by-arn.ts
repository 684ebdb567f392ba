import { HearthError, LAYER_VERSION_ARN_PATTERN, parseLayerName, parseLayerVersionArn } from '@hearth/shared'
import { z } from 'zod'
import { checkModel } from './constraints.ts'
import { toLayerOutput } from './layer-view.ts'
import type { Operation } from './operation.ts'

const Request = z.object({ Arn: z.string().regex(new RegExp(`^(?:${LAYER_VERSION_ARN_PATTERN})$`)) })

/** @see reference: Lambda control API §12, GetLayerVersionByArn */
export const getLayerVersionByArn: Operation = {
  name: 'GetLayerVersionByArn',
  method: 'GET',
  path: '/2018-10-31/layers?find=LayerVersion',

  run({ query, origin }, deps) {
    const { Arn } = checkModel(Request, query)
    const ref = parseLayerVersionArn(Arn)
    if (ref === undefined) throw new HearthError('LAYER_NOT_FOUND', 'The resource you requested does not exist.')
    const name = parseLayerName(deps.scope, Arn.slice(0, Arn.lastIndexOf(':')))
    return { status: 200, body: toLayerOutput(deps.layers.get(name, ref.version), deps, origin) }
  }
}
