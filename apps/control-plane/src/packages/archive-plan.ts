// Threads that unpack start with a deploy: the whole of @hearth/shared would take most of that time.
import { LIMITS } from '@hearth/shared/limits'

/** An archive that must not be unpacked. The message names the entry and is for the caller. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
  /** What AWS says in this case, where it says something of its own. */
  readonly awsMessage: string | undefined

  constructor(message: string, options: { readonly cause?: unknown; readonly awsMessage?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.awsMessage = options.awsMessage
  }
}

/** A name may be this long; Linux allows 4,096 for a whole path, and the code folder's own path is in it. */
const NAME_BYTES = 2_048
const COMPONENT_BYTES = 255
/** Below this much, a high ratio does no harm. */
const RATIO_COUNTS_FROM_BYTES = 16 * 1_048_576
/** Links are followed this often, as Linux does. */
const LINK_STEPS = 40

/**
 * What an archive will become on disk, checked entry by entry before anything of it is written: names that leave the
 * folder, names that are there twice, files under files or links, links that lead out, sums that are too large.
 */
export interface ArchivePlan {
  /** @returns the relative path to make, or undefined for the root itself */
  directory(name: string): string | undefined
  /** @param size - Bytes as declared. @returns the relative path to write */
  file(name: string, size: number): string
  symlink(name: string, target: string): void
  /** All links, once every entry is known. @throws ArchiveError when one leads out */
  resolvedLinks(): readonly { readonly path: string; readonly target: string }[]
  /** Relative paths of the files so far. */
  readonly files: readonly string[]
  /** Bytes of them, as declared. */
  readonly bytes: number
}

/**
 * @param packedBytes - Size of the archive as it was uploaded
 * @param home - Where functions see the tree, such as `/opt`: absolute links to below it are made relative ones
 */
export function createArchivePlan(packedBytes: number, home?: string): ArchivePlan {
  const kinds = new Map<string, 'file' | 'directory' | 'link'>()
  const links = new Map<string, { readonly name: string; readonly target: string }>()
  let entries = 0
  let bytes = 0
  const files: string[] = []

  const claim = (name: string, kind: 'file' | 'directory' | 'link'): string | undefined => {
    entries += 1
    if (entries > LIMITS.archiveEntries)
      throw new ArchiveError(`The archive has more than ${LIMITS.archiveEntries} entries.`)
    const parts = splitName(name)
    const path = parts.join('/')
    if (path === '') {
      if (kind === 'directory') return undefined
      throw entryError(name, 'has no name')
    }
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/')
      const there = kinds.get(parent)
      if (there !== undefined && there !== 'directory')
        throw entryError(name, `lies under ${quote(parent)}, which is a ${there}`)
      kinds.set(parent, 'directory')
    }
    const there = kinds.get(path)
    if (there !== undefined && !(there === 'directory' && kind === 'directory')) {
      throw entryError(name, there === kind ? 'is there twice' : `is there twice, as a ${there} and as a ${kind}`)
    }
    kinds.set(path, kind)
    return path
  }

  return {
    directory: (name) => claim(name, 'directory'),

    file(name, size) {
      const path = claim(name, 'file')
      bytes += size
      if (path !== undefined) files.push(path)
      if (bytes > LIMITS.unzippedBytes) throw tooLarge(name)
      if (bytes > RATIO_COUNTS_FROM_BYTES && bytes > packedBytes * LIMITS.archiveRatio) {
        throw new ArchiveError(
          `Unpacked, the archive would be more than ${LIMITS.archiveRatio} times its size (reached at entry ${quote(name)}).`
        )
      }
      return path ?? ''
    },

    symlink(name, target) {
      const path = claim(name, 'link')
      if (target === '' || target.includes('\0') || Buffer.byteLength(target) > NAME_BYTES)
        throw entryError(name, 'is a link without a usable target')
      const inner = home !== undefined && target.startsWith(`${home}/`) ? target.slice(home.length + 1) : undefined
      if (inner === undefined && target.startsWith('/')) throw entryError(name, 'is a link to an absolute path')
      const up = '../'.repeat((path ?? '').split('/').length - 1)
      links.set(path ?? '', { name, target: inner === undefined ? target : `${up}${inner}` })
    },

    resolvedLinks() {
      for (const [path, { name }] of links) {
        if (!staysInside(path, links)) throw entryError(name, 'is a link that leads out of the package')
      }
      return [...links].map(([path, { target }]) => ({ path, target }))
    },

    files,
    get bytes() {
      return bytes
    }
  }
}

export function entryError(name: string, why: string, cause?: unknown): ArchiveError {
  return new ArchiveError(`Entry ${quote(name)} ${why}.`, cause === undefined ? {} : { cause })
}

export function tooLarge(name: string): ArchiveError {
  return new ArchiveError(
    `Unpacked, the archive would be larger than ${LIMITS.unzippedBytes} bytes (reached at entry ${quote(name)}).`,
    {
      awsMessage: `Unzipped size must be smaller than ${LIMITS.unzippedBytes} bytes`
    }
  )
}

/** Path components of a name; `.` and empty ones are dropped, as in the `./` that tar writes. */
function splitName(name: string): readonly string[] {
  if (name.includes('\0')) throw entryError(name, 'has a NUL byte in its name')
  if (name.includes('\\')) throw entryError(name, 'has a backslash in its name')
  if (name.includes('\ufffd')) throw entryError(name, 'has a name that is not UTF-8')
  if (name.startsWith('/') || /^[a-zA-Z]:/.test(name)) throw entryError(name, 'has an absolute name')
  if (Buffer.byteLength(name) > NAME_BYTES) throw entryError(name, `has a name of more than ${NAME_BYTES} bytes`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  for (const part of parts) {
    if (part === '..') throw entryError(name, 'leaves the package folder')
    if (Buffer.byteLength(part) > COMPONENT_BYTES)
      throw entryError(name, `has a part of more than ${COMPONENT_BYTES} bytes in its name`)
  }
  return parts
}

/**
 * Follows a link through the planned tree, link by link: comparing texts is not enough, because `a/..` is another
 * place when `a` is a link.
 *
 * @param links - All links of the tree by their relative paths; none of them lies under another
 */
export function staysInside(path: string, links: ReadonlyMap<string, { readonly target: string }>): boolean {
  let steps = 0
  const todo = path.split('/')
  const at: string[] = []
  while (todo.length > 0) {
    const part = todo.shift()
    if (part === undefined || part === '' || part === '.') continue
    if (part === '..') {
      if (at.pop() === undefined) return false
      continue
    }
    at.push(part)
    const link = links.get(at.join('/'))
    if (link === undefined) continue
    steps += 1
    if (steps > LINK_STEPS) return false
    at.pop()
    todo.unshift(...link.target.split('/'))
  }
  return true
}

/** Names come from strangers: shortened, and with control characters made visible. */
function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}
