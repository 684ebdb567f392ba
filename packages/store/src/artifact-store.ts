import { randomUUID } from 'node:crypto'
import { existsSync, renameSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { codeDirOf, type DataLayout } from './data-dir.ts'
import { syncDir, TEMP_PREFIX } from './durable-file.ts'

/** A package on its way in: whoever fills it publishes or discards it. */
export interface Stage {
  /** Folder of its own under data/tmp. */
  readonly dir: string
  /** Where the package as uploaded belongs. */
  readonly packageFile: string
  /** Where its unpacked tree belongs. */
  readonly codeDir: string
  discard(): Promise<void>
}

/** Code packages by the sha256 of their bytes, packed and unpacked. One process (the control plane) writes. */
export interface ArtifactStore {
  stage(): Promise<Stage>
  /** Moves a filled stage to its place. What is there under the same hash already is kept. */
  publish(stage: Stage, sha256: string): Promise<void>
  /** Moves the code of a filled stage, which has no package, to its place: a tree that was made of others. */
  publishTree(stage: Stage, digest: string): Promise<void>
  has(sha256: string): boolean
  hasTree(digest: string): boolean
  packageFile(sha256: string): string
  /** Folder of the unpacked package, absolute. */
  codeDir(sha256: string): string
  /** Keeps an artifact from being collected until the returned function is called: between publish and commit. */
  pin(sha256: string): () => void
  /** Removes what a crash left half-done; call before the first stage. @returns the number of leftovers */
  sweep(): Promise<number>
  /**
   * Removes artifacts that have been seen unreferenced for at least `graceMs`: a gateway may go on running an old
   * version for as long as its last invocation takes.
   *
   * @returns hashes of what was removed
   */
  collect(isReferenced: (sha256: string) => boolean, graceMs: number): Promise<readonly string[]>
}

const SHA256 = /^[0-9a-f]{64}$/

export function createArtifactStore(layout: DataLayout, nowMs: () => number = Date.now): ArtifactStore {
  const pins = new Map<string, number>()
  // In memory on purpose: after a restart the grace time begins again, which errs on the safe side.
  const unreferencedSince = new Map<string, number>()
  const packageFile = (sha256: string): string => path.join(layout.artifacts, sha256)
  const codeDir = (sha256: string): string => codeDirOf(layout.dir, sha256)

  const moveToTmp = (entry: string): string => {
    const doomed = path.join(layout.tmp, randomUUID())
    renameSync(entry, doomed)
    return doomed
  }

  return {
    packageFile,
    codeDir,

    async stage() {
      const dir = path.join(layout.tmp, randomUUID())
      await mkdir(dir, { mode: 0o700 })
      return {
        dir,
        packageFile: path.join(dir, 'package'),
        codeDir: path.join(dir, 'code'),
        discard: () => rm(dir, { recursive: true, force: true })
      }
    },

    async publish(stage, sha256) {
      const file = await open(stage.packageFile, 'r')
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await moveUnlessThere(stage.codeDir, codeDir(sha256))
      await moveUnlessThere(stage.packageFile, packageFile(sha256))
      await syncDir(layout.code)
      await syncDir(layout.artifacts)
      await stage.discard()
    },

    async publishTree(stage, digest) {
      await moveUnlessThere(stage.codeDir, codeDir(digest))
      await syncDir(layout.code)
      await stage.discard()
    },

    hasTree: (digest) => existsSync(codeDir(digest)),

    has: (sha256) => existsSync(packageFile(sha256)) && existsSync(codeDir(sha256)),

    pin(sha256) {
      pins.set(sha256, (pins.get(sha256) ?? 0) + 1)
      let released = false
      return () => {
        if (released) return
        released = true
        const left = (pins.get(sha256) ?? 1) - 1
        if (left === 0) pins.delete(sha256)
        else pins.set(sha256, left)
      }
    },

    async sweep() {
      const inTmp = (await readdir(layout.tmp)).map((name) => path.join(layout.tmp, name))
      const inDir = (await readdir(layout.dir))
        .filter((name) => name.startsWith(TEMP_PREFIX))
        .map((name) => path.join(layout.dir, name))
      const leftovers = [...inTmp, ...inDir]
      for (const leftover of leftovers) await rm(leftover, { recursive: true, force: true })
      return leftovers.length
    },

    async collect(isReferenced, graceMs) {
      const names = [...(await readdir(layout.artifacts)), ...(await readdir(layout.code))]
      const present = new Set(names.filter((name) => SHA256.test(name)))
      for (const sha256 of unreferencedSince.keys()) if (!present.has(sha256)) unreferencedSince.delete(sha256)
      const removed: string[] = []
      for (const sha256 of present) {
        // From here to the renames nothing may be awaited: a deploy pins first and then looks whether the artifact is
        // there, so it either is seen here or finds nothing there.
        if (isReferenced(sha256) || pins.has(sha256)) {
          unreferencedSince.delete(sha256)
          continue
        }
        const since = unreferencedSince.get(sha256) ?? nowMs()
        unreferencedSince.set(sha256, since)
        if (nowMs() - since < graceMs) continue
        const doomed = [packageFile(sha256), codeDir(sha256)].filter((entry) => existsSync(entry)).map(moveToTmp)
        unreferencedSince.delete(sha256)
        removed.push(sha256)
        for (const entry of doomed) await rm(entry, { recursive: true, force: true })
      }
      return removed
    }
  }
}

/** Two uploads of the same bytes may finish together: the second finds the first one's result, which is the same. */
async function moveUnlessThere(from: string, to: string): Promise<void> {
  if (existsSync(to)) return
  try {
    await rename(from, to)
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw thrown
  }
}
