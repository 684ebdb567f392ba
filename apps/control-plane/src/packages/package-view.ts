import { constants, lstatSync } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { PackageView } from '@hearth/executor/runtimes'

/**
 * An unpacked package as languages look at it. Links are never followed: what they name is the sandbox's affair.
 *
 * @param folder - Absolute
 * @param files - Relative paths of what is in it; undefined: looked up
 */
export async function openPackageView(folder: string, files?: readonly string[]): Promise<PackageView> {
  return {
    files: files ?? (await listFiles(folder)),
    isExecutable(file) {
      try {
        return (lstatSync(path.join(folder, file)).mode & 0o100) !== 0
      } catch {
        return false
      }
    },
    async head(file, bytes) {
      try {
        const handle = await open(path.join(folder, file), constants.O_RDONLY | constants.O_NOFOLLOW)
        try {
          const length = Math.min(bytes, (await handle.stat()).size)
          const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0)
          return buffer.subarray(0, bytesRead)
        } finally {
          await handle.close()
        }
      } catch {
        return Buffer.alloc(0)
      }
    }
  }
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
}

/** Bytes of the files below a folder, as they count towards the limit of unpacked code. */
export async function treeSize(folder: string): Promise<number> {
  let bytes = 0
  for (const file of await listFiles(folder)) {
    const stats = await lstat(path.join(folder, file))
    if (stats.isFile()) bytes += stats.size
  }
  return bytes
}
