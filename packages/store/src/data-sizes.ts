import { opendir, stat } from 'node:fs/promises'
import path from 'node:path'

export interface FolderSize {
  readonly files: number
  readonly bytes: number
  /** There is more: it was not counted to the end. */
  readonly isPart: boolean
}

/** Files that are looked at in one folder. */
const MOST_FILES = 100_000

/** What lies in the data folder: of each file and folder in it the size, by name. What vanishes meanwhile is left out. */
export async function readDataSizes(dataDir: string): Promise<Readonly<Record<string, FolderSize>>> {
  const sizes: Record<string, FolderSize> = {}
  for await (const entry of await opendir(dataDir)) {
    sizes[entry.name] = await sizeOf(path.join(dataDir, entry.name), entry.isDirectory())
  }
  return sizes
}

async function sizeOf(root: string, isFolder: boolean): Promise<FolderSize> {
  let files = 0
  let bytes = 0
  const waiting = isFolder ? [root] : []
  if (!isFolder) {
    files = 1
    bytes = await bytesOf(root)
  }
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const listing = await opendir(folder).catch(() => undefined)
    if (listing === undefined) continue
    for await (const entry of listing) {
      if (files >= MOST_FILES) return { files, bytes, isPart: true }
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) waiting.push(file)
      else {
        files += 1
        bytes += await bytesOf(file)
      }
    }
  }
  return { files, bytes, isPart: false }
}

async function bytesOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0
  )
}
