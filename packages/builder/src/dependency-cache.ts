import { randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'

/** Installed dependencies by the hash of all that decided them, unpacked, for sandboxes to mount. */
export interface DependencyCache {
  /** @returns the folder, kept until `release`; undefined when it is not there */
  take(key: string): Promise<CachedTree | undefined>
  /** Fills an entry; nothing of it is seen before it is whole and on disk. */
  put(key: string, fill: (folder: string) => Promise<void>): Promise<CachedTree>
}

export interface CachedTree {
  readonly folder: string
  readonly release: () => Promise<void>
}

export interface DependencyCacheOptions {
  readonly dir: string
  /** Emptied at every start of the server; on the same file system. */
  readonly tmpDir: string
  readonly maxBytes: number
}

export function createDependencyCache({ dir, tmpDir, maxBytes }: DependencyCacheOptions): DependencyCache {
  const users = new Map<string, number>()
  const sizes = new Map<string, number>()
  const at = (key: string) => path.join(dir, key)

  const use = (key: string): CachedTree => {
    users.set(key, (users.get(key) ?? 0) + 1)
    let released = false
    return {
      folder: at(key),
      async release() {
        if (released) return
        released = true
        users.set(key, (users.get(key) ?? 1) - 1)
        if (users.get(key) === 0) users.delete(key)
        await collect()
      }
    }
  }

  const discard = async (key: string): Promise<void> => {
    const doomed = path.join(tmpDir, randomUUID())
    sizes.delete(key)
    await rename(at(key), doomed)
    await rm(doomed, { recursive: true, force: true })
  }

  /** The least recently used go first, until the rest fits. */
  async function collect(): Promise<void> {
    const entries: { key: string; bytes: number; usedAt: number }[] = []
    for (const key of await readdir(dir).catch(() => [])) {
      const { mtimeMs } = await stat(at(key))
      const bytes = sizes.get(key) ?? (await sizeOf(at(key)))
      sizes.set(key, bytes)
      entries.push({ key, bytes, usedAt: mtimeMs })
    }
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
    entries.sort((a, b) => a.usedAt - b.usedAt)
    for (const { key, bytes } of entries) {
      if (total <= maxBytes) return
      if (users.has(key)) continue
      await discard(key).catch(() => {})
      total -= bytes
    }
  }

  return {
    async take(key) {
      const tree = use(key)
      try {
        const now = new Date()
        await utimes(at(key), now, now)
        return tree
      } catch {
        await tree.release()
        return undefined
      }
    },
    async put(key, fill) {
      const making = path.join(tmpDir, randomUUID())
      try {
        await mkdir(making, { mode: 0o755 })
        // Brings every file to the disk too.
        await fill(making)
        await mkdir(dir, { recursive: true, mode: 0o755 })
        const tree = use(key)
        sizes.delete(key)
        // What another deploy of the same function is using stays; anything else there was to be made anew.
        const isShared = users.get(key) !== 1
        if (!isShared) await discard(key).catch(() => {})
        await rename(making, at(key)).catch((thrown: NodeJS.ErrnoException) => {
          if (thrown.code !== 'ENOTEMPTY' && thrown.code !== 'EEXIST') throw thrown
        })
        await syncFolder(dir)
        return tree
      } finally {
        await rm(making, { recursive: true, force: true })
      }
    }
  }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // Small files take a block each, and so do folders.
    const { size } = await lstat(path.join(entry.parentPath, entry.name))
    bytes += Math.max(size, 4096)
  }
  return bytes
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
