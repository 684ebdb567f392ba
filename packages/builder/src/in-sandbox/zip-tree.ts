import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import yazl from 'yazl'
import type { Limits } from '../job.ts'
import { BuildError } from './build-error.ts'

export type Zip = NodeJS.ReadableStream

/** The same tree makes the same zip. */
const FIXED_TIME = new Date(Date.UTC(2020, 0, 1, 12))
const SYMLINK = 0o120777

/** Files of a package by relative path, with where each lies now. */
export type Tree = Map<string, string>

/** Adds what is below `root`; a path that is there already is replaced. Links are kept as links, other kinds left out. */
export function addTree(tree: Tree, root: string, wanted: (relative: string) => boolean = () => true): void {
  const visit = (relative: string): void => {
    for (const entry of readdirSync(path.join(root, relative), { withFileTypes: true })) {
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (entry.isDirectory()) visit(name)
      else if ((entry.isFile() || entry.isSymbolicLink()) && wanted(name)) tree.set(name, path.join(root, name))
    }
  }
  visit('')
}

/** @throws BuildError when the tree is more than a package may be */
export function zipTree(tree: Tree, limits: Limits): Zip {
  const zip = new yazl.ZipFile()
  let bytes = 0
  if (tree.size > limits.entries) {
    throw new BuildError(`The package would have ${tree.size} files; ${limits.entries} are allowed.`, {
      code: 'TooLarge'
    })
  }
  for (const [name, file] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const stat = lstatSync(file)
    if (stat.isSymbolicLink()) {
      zip.addBuffer(Buffer.from(readlinkSync(file)), name, { mtime: FIXED_TIME, mode: SYMLINK, compress: false })
      continue
    }
    bytes += stat.size
    if (bytes > limits.bytes) {
      const message = `The package with its dependencies would have more than ${limits.bytes} bytes unpacked, which is Lambda's limit.`
      throw new BuildError(message, { code: 'TooLarge' })
    }
    const options = { mtime: FIXED_TIME, mode: (stat.mode & 0o111) === 0 ? 0o100644 : 0o100755 }
    // Small files are the most of node_modules, and a descriptor each, one after the other, is slow.
    if (stat.size < 65_536) zip.addBuffer(readFileSync(file), name, options)
    else zip.addFile(file, name, options)
  }
  zip.end()
  return zip.outputStream
}
