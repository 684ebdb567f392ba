import { readdir } from 'node:fs/promises'
import path from 'node:path'

/** Functions' own groups: their folder has the function's name, which is safe. */
const FUNCTION_GROUP = /^\/aws\/lambda\/([A-Za-z0-9_-]{1,64})$/
const FUNCTION_FOLDER = /^[A-Za-z0-9_-]{1,64}$/
/** Characters of a file name that no function has, one for each of a group's that a file name cannot take, or should not. */
const MARK = '@'
const SLASH = '+'
const HASH = '='
/** A folder that ends with it holds the rest of a longer name. */
const GOES_ON = '~'
/** File names have at most 255 bytes; groups have up to 512 characters, all of them of one byte. */
const PART = 240
const PARTS = /^@[.+=_A-Za-z0-9-]{1,240}$/

/** The log group that a function writes to when nothing else is said. */
export function groupOfFunction(functionName: string): string {
  return `/aws/lambda/${functionName}`
}

/**
 * Where a group's files lie, relative to the logs' folder: `hello` for `/aws/lambda/hello`, and `@` with `+` for `/`
 * and `=` for `#` for all others, in folders within each other where the name is long.
 *
 * @throws RangeError when the name is no log group's
 */
export function folderOfGroup(group: string): string {
  const own = FUNCTION_GROUP.exec(group)
  if (own !== null) return own[1]!
  if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(group)) throw new RangeError(`no log group has the name ${group}`)
  const safe = group.replaceAll('/', SLASH).replaceAll('#', HASH)
  const parts: string[] = []
  for (let at = 0; at < safe.length; at += PART) parts.push(MARK + safe.slice(at, at + PART))
  return parts.map((part, i) => (i < parts.length - 1 ? part + GOES_ON : part)).join(path.sep)
}

/** Of the names that {@link folderOfGroup} makes; undefined for folders that are no group's. */
function groupOfFolder(parts: readonly string[]): string | undefined {
  if (parts.length === 1 && FUNCTION_FOLDER.test(parts[0]!)) return groupOfFunction(parts[0]!)
  if (!parts.every((part) => PARTS.test(part))) return undefined
  const name = parts.map((part) => part.slice(1)).join('')
  const group = name.replaceAll(SLASH, '/').replaceAll(HASH, '#')
  // Two folders of one group would be two groups.
  const folder = [...parts.slice(0, -1).map((part) => part + GOES_ON), parts.at(-1)!].join(path.sep)
  return group.length <= 512 && folderOfGroup(group) === folder ? group : undefined
}

/** A group that has a folder. */
export interface GroupFolder {
  readonly group: string
  /** Absolute. */
  readonly dir: string
}

/** In no order. Folders that are not ours are left alone. */
export async function listGroupFolders(logsDir: string): Promise<GroupFolder[]> {
  const found: GroupFolder[] = []
  await walk(logsDir, [], found)
  return found
}

async function walk(dir: string, before: readonly string[], found: GroupFolder[]): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return []
    throw err
  })
  for (const entry of entries) {
    if (!entry.isDirectory()) continue
    const { name } = entry
    if (name.startsWith(MARK) && name.endsWith(GOES_ON)) {
      // Three parts hold the longest name.
      if (before.length < 2) await walk(path.join(dir, name), [...before, name.slice(0, -1)], found)
      continue
    }
    const group = groupOfFolder([...before, name])
    if (group !== undefined) found.push({ group, dir: path.join(dir, name) })
  }
}
