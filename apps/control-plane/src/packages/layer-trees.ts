import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { HearthError } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import { Piscina } from 'piscina'
import type { MergeTask } from './merge-worker.ts'

/** What a list of layers looks like at /opt; kept in the artifact store until `release`. */
export interface LayerTree {
  /** Hex digest: the tree's name in the artifact store. */
  readonly tree: string
  /** Whether it brings extensions. */
  readonly extensions: boolean
  readonly release: () => void
}

/** Makes one tree of each distinct list of layers, at deploy time: a start mounts it and pays nothing. */
export interface LayerTrees {
  /**
   * @param layers - Hex sha256 of their packages, in the function's order; at least one
   * @throws HearthError INVALID_ARCHIVE when they do not go together
   */
  combine(layers: readonly string[]): Promise<LayerTree>
  close(): Promise<void>
}

export function createLayerTrees(artifacts: ArtifactStore): LayerTrees {
  const workers = new Piscina<MergeTask, string | undefined>({
    filename: new URL(`./merge-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 10_000,
    atomics: 'disabled'
  })

  const merge = async (layers: readonly string[], tree: string): Promise<void> => {
    const stage = await artifacts.stage()
    try {
      const sources = layers.map((layer) => path.resolve(artifacts.codeDir(layer)))
      const problem = await workers.run({ sources, target: path.resolve(stage.codeDir) })
      if (problem !== undefined) throw new HearthError('INVALID_ARCHIVE', problem)
      await artifacts.publishTree(stage, tree)
    } finally {
      await stage.discard()
    }
  }

  return {
    async combine(layers) {
      const tree = nameOf(layers)
      // The layers too: they may be deleted while they are read.
      const releases = [tree, ...layers].map((digest) => artifacts.pin(digest))
      const release = () => {
        for (const unpin of releases) unpin()
      }
      try {
        if (!artifacts.hasTree(tree)) await merge(layers, tree)
        return { tree, extensions: await bringsExtensions(artifacts.codeDir(tree)), release }
      } catch (thrown) {
        release()
        throw thrown
      }
    },

    close: () => workers.close()
  }
}

/** A single layer is its own tree. */
function nameOf(layers: readonly string[]): string {
  const [only = ''] = layers
  if (layers.length === 1) return only
  return createHash('sha256')
    .update(`hearth/opt\n${layers.join('\n')}`)
    .digest('hex')
}

async function bringsExtensions(folder: string): Promise<boolean> {
  const entries = await readdir(path.join(folder, 'extensions'), { withFileTypes: true }).catch(() => [])
  return entries.some((entry) => !entry.isDirectory())
}
