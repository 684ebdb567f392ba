import { LAYER_NAME, layerArn } from '@hearth/shared'
import { readListQuery } from './layer-filter.ts'
import { toLayerItem } from './layer-view.ts'
import type { Operation } from './operation.ts'
import { markerPage } from './page.ts'

/** @see reference: Lambda control API §12, ListLayers */
export const listLayers: Operation = {
  name: 'ListLayers',
  method: 'GET',
  path: '/2018-10-31/layers',

  run(call, deps) {
    const { page, filter } = readListQuery(call, deps.runtimes)
    const { items, next } = markerPage(
      page,
      ['ListLayers', filter],
      LAYER_NAME,
      (after, limit) => deps.layers.list(after, limit, filter),
      ({ name }) => name
    )
    return {
      status: 200,
      body: {
        Layers: items.map((version) => ({
          LayerName: version.name,
          LayerArn: layerArn(deps.scope, version.name),
          LatestMatchingVersion: toLayerItem(version, deps.scope)
        })),
        ...next
      }
    }
  }
}
