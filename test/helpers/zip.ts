import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ZipFile } from 'yazl'

/** A zip of these files. */
export async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name)
  zip.end()
  return buffer(zip.outputStream)
}

/** A zip of these programs, which may be executed. */
export async function executableZipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name, { mode: 0o100755 })
  zip.end()
  return buffer(zip.outputStream)
}

/**
 * Installed npm packages and all that they need, as `npm install` in an empty folder would lay them out.
 *
 * @param from - A folder that has them
 * @returns path below `node_modules/` → content
 */
export function installed(packages: readonly string[], from: string): Record<string, Buffer> {
  const files: Record<string, Buffer> = {}
  const taken = new Map<string, string>()
  const take = (name: string, wantedBy: string, at: string): void => {
    const folder = folderOf(name, wantedBy)
    if (folder === undefined) return
    const top = taken.get(name)
    if (top === folder) return
    // Another version than the one that has the common place goes below who wants it.
    const place = top === undefined ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (top === undefined) taken.set(name, folder)
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
      const full = path.join(file.parentPath, file.name)
      const relative = path.relative(folder, full)
      if (file.isFile() && !relative.startsWith('node_modules')) files[`${place}/${relative}`] = readFileSync(full)
    }
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>
    }
    for (const needed of Object.keys(dependencies)) take(needed, folder, place)
  }
  for (const name of packages) take(name, from, '')
  return files
}

function folderOf(name: string, from: string): string | undefined {
  const folder = path.join(from, 'node_modules', name)
  if (existsSync(path.join(folder, 'package.json'))) return folder
  return path.dirname(from) === from ? undefined : folderOf(name, path.dirname(from))
}
