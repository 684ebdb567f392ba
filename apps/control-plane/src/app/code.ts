import { type Builder, buildHostIdentity, createBuilder } from '@hearth/builder'
import { createArtifactStore } from '@hearth/store'
import { createCodeLinks } from '../code-links.ts'
import type { Deps } from '../deps.ts'
import { createLayerAttachments } from '../layers/layer-attachments.ts'
import { createLayerService } from '../layers/layer-service.ts'
import { createLayerTrees } from '../packages/layer-trees.ts'
import { createPackageStore, type PackageStore } from '../packages/package-store.ts'
import { createS3Source } from '../packages/s3-source.ts'
import type { Log } from './log.ts'
import type { PartDeps } from './part.ts'

/** Packages of functions and layers: checked, built, kept. */
export interface Code {
  readonly deps: Pick<Deps, 'artifacts' | 'packages' | 'builder' | 'layers' | 'attachments' | 's3' | 'links'>
  /** What a crash had left, and was removed. */
  readonly leftovers: number
  close(): Promise<void>
}

export async function openCode({ options, storage, scope, log, now }: PartDeps): Promise<Code> {
  const artifacts = createArtifactStore(storage.layout)
  const leftovers = await artifacts.sweep()
  const packages = createPackageStore(artifacts)
  const builder = openBuilder(options, storage.layout, packages, log)
  const layers = createLayerService(storage.repositories.layers, scope, now)
  const trees = createLayerTrees(artifacts)
  const s3 = createS3Source(options.config.s3)
  return {
    deps: {
      artifacts,
      packages,
      builder,
      layers,
      attachments: createLayerAttachments(layers, trees, artifacts, scope),
      s3,
      links: createCodeLinks(storage.keyring[0].key, now)
    },
    leftovers,
    async close() {
      await builder?.close()
      await packages.close()
      await trees.close()
      s3.close()
    }
  }
}

/** @returns undefined when the operator has not allowed builds */
function openBuilder(
  { config, searchPath = '', runtimeDir }: PartDeps['options'],
  layout: PartDeps['storage']['layout'],
  packages: PackageStore,
  log: Log
): Builder | undefined {
  const { builds, isolation = 'strict', dataDir, runDir } = config
  if (builds === undefined) return undefined
  return createBuilder({
    settings: builds,
    isolation,
    searchPath,
    log: (level, message, fields = {}) => {
      log(level, fields, message)
    },
    unpack: (zip, folder) => packages.unpack(zip, folder),
    dataDir,
    tmpDir: layout.tmp,
    cacheDir: layout.builds,
    ...buildHostIdentity(dataDir, runDir, runtimeDir)
  })
}
