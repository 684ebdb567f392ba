import type { FunctionRecord } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import { inspectPackage } from '../packages/inspection.ts'
import { openPackageView } from '../packages/package-view.ts'
import type { SettingsChange } from './function-settings.ts'
import type { Runtimes } from './runtimes.ts'

/**
 * Looks at a function's package again when its runtime or handler changes.
 *
 * @returns what the deployer ought to know
 * @throws HearthError INVALID_HANDLER, INVALID_PACKAGE
 */
export async function inspectStored(
  { artifacts, runtimes }: { readonly artifacts: ArtifactStore; readonly runtimes: Runtimes },
  current: FunctionRecord,
  change: SettingsChange
): Promise<readonly string[]> {
  const { runtime = current.runtime, handler = current.handler } = change
  if (runtime === current.runtime && handler === current.handler) return []
  runtimes.check(runtime)
  runtimes.checkHandler(runtime, handler)
  return inspectPackage(runtimes, await openPackageView(artifacts.codeDir(current.artifact)), { runtime, handler })
}
