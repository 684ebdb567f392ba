import { LAYER_NAME, layerArn } from '@hearth/shared'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { readListQuery } from './layer-filter.ts'
import { toLayerItem } from './layer-view.ts'
import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §12, ListLayers */
export const listLayers: Operation = {
  name: 'ListLayers',
  method: 'GET',
  path: '/2018-10-31/layers',

  run(call, deps) {
    const { limit, marker, filter } = readListQuery(call, deps.runtimes)
    const after = marker === undefined ? '' : fromCursor(marker, 'Marker', LAYER_NAME)
    const found = deps.layers.list(after, limit + 1, filter)
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    return {
      status: 200,
      body: {
        Layers: page.map((version) => ({
          LayerName: version.name,
          LayerArn: layerArn(deps.scope, version.name),
          LatestMatchingVersion: toLayerItem(version, deps.scope)
        })),
        ...(last === undefined ? {} : { NextMarker: toCursor(last.name) })
      }
    }
  }
}
