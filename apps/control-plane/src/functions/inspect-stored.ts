import { type FunctionRecord, HearthError } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import { checkUnzippedSize, type LayerAttachments } from '../layers/layer-attachments.ts'
import { inspectPackage } from '../packages/inspection.ts'
import type { Inspect } from '../packages/package-store.ts'
import { openPackageView, treeSize } from '../packages/package-view.ts'
import type { SettingsChange } from './function-settings.ts'
import type { Runtimes } from './runtimes.ts'

export interface InspectDeps {
  readonly runtimes: Runtimes
  readonly attachments: LayerAttachments
}

type Settings = Pick<FunctionRecord, 'runtime' | 'handler' | 'layers'>

/** How a new package is looked at before it is kept, together with the layers of its function. */
export function inspectFor({ runtimes, attachments }: InspectDeps, settings: Settings) {
  return async (...[view, unzippedSize]: Parameters<Inspect>): Promise<readonly string[]> => {
    checkUnzippedSize(unzippedSize, settings.layers)
    return inspectPackage(runtimes, view, settings, await attachments.view(settings.layers))
  }
}

/**
 * Looks at a function's package again when its runtime, handler or layers change.
 *
 * @returns what the deployer ought to know
 * @throws HearthError INVALID_HANDLER, INVALID_PACKAGE, INVALID_ARCHIVE
 */
export async function inspectStored(
  { artifacts, runtimes, attachments }: InspectDeps & { readonly artifacts: ArtifactStore },
  current: FunctionRecord,
  change: SettingsChange
): Promise<readonly string[]> {
  const { runtime = current.runtime, handler = current.handler } = change
  const changesLayers = 'layers' in change
  if (runtime === current.runtime && handler === current.handler && !changesLayers) return []
  runtimes.check(runtime)
  runtimes.checkHandler(runtime, handler)
  const layers = changesLayers ? change.layers : current.layers
  const folder = artifacts.codeDir(current.artifact)
  if (changesLayers && layers !== undefined) checkUnzippedSize(await treeSize(folder), layers)
  const opt = await attachments.view(layers)
  return inspectPackage(runtimes, await openPackageView(folder), { runtime, handler }, opt)
}

/**
 * For use under the write lock: code and layers were looked at together, so neither may have changed since.
 *
 * @throws HearthError UPDATE_IN_PROGRESS
 */
export function requireSame(
  seen: FunctionRecord | undefined,
  now: FunctionRecord | undefined,
  what: 'code' | 'layers' | 'log group'
) {
  const idOf = (record: FunctionRecord | undefined) => {
    if (what === 'code') return record?.artifact
    return what === 'layers' ? record?.layers?.tree : record?.logging.logGroup
  }
  if (idOf(seen) === idOf(now)) return
  throw new HearthError('UPDATE_IN_PROGRESS', `The function's ${what} changed in the meantime. Try again.`)
}
