import { parseLayerName } from '@hearth/shared'
import { readListQuery } from './layer-filter.ts'
import { toLayerItem } from './layer-view.ts'
import type { Operation } from './operation.ts'
import { markerPage } from './page.ts'

const NUMBER = /^[1-9]\d{0,14}$/

/** @see reference: Lambda control API §12, ListLayerVersions */
export const listLayerVersions: Operation = {
  name: 'ListLayerVersions',
  method: 'GET',
  path: '/2018-10-31/layers/:name/versions',

  run(call, deps) {
    const name = parseLayerName(deps.scope, call.params['name'] ?? '')
    const { page, filter } = readListQuery(call, deps.runtimes)
    const { items, next } = markerPage(
      page,
      ['ListLayerVersions', name, filter],
      NUMBER,
      (before, limit) => deps.layers.listVersions(name, Number(before || Number.MAX_SAFE_INTEGER), limit, filter),
      ({ version }) => String(version)
    )
    return { status: 200, body: { LayerVersions: items.map((version) => toLayerItem(version, deps.scope)), ...next } }
  }
}
