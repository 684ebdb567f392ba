import { parseLayerName } from '@hearth/shared'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { readListQuery } from './layer-filter.ts'
import { toLayerItem } from './layer-view.ts'
import type { Operation } from './operation.ts'

const NUMBER = /^[1-9]\d{0,14}$/

/** @see reference: Lambda control API §12, ListLayerVersions */
export const listLayerVersions: Operation = {
  name: 'ListLayerVersions',
  method: 'GET',
  path: '/2018-10-31/layers/:name/versions',

  run(call, deps) {
    const name = parseLayerName(deps.scope, call.params['name'] ?? '')
    const { limit, marker, filter } = readListQuery(call, deps.runtimes)
    const before = marker === undefined ? Number.MAX_SAFE_INTEGER : Number(fromCursor(marker, 'Marker', NUMBER))
    const found = deps.layers.listVersions(name, before, limit + 1, filter)
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    return {
      status: 200,
      body: {
        LayerVersions: page.map((version) => toLayerItem(version, deps.scope)),
        ...(last === undefined ? {} : { NextMarker: toCursor(String(last.version)) })
      }
    }
  }
}
