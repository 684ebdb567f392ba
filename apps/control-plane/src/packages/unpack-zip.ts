import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { LIMITS } from '@hearth/shared/limits'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { ArchiveError, type ArchivePlan, createArchivePlan, entryError, tooLarge } from './archive-plan.ts'
import { createTreeWriter, runAll } from './tree-writer.ts'

const COULD_NOT_UNZIP = 'Could not unzip uploaded file. Please check your file, then try to upload again.'
const SYMLINK = 0o120000
const DIRECTORY = 0o040000
const REGULAR = 0o100000
const LOCAL_HEADER_BYTES = 30

/** A zip in memory or in a file. */
interface ZipSource {
  readonly size: number
  open(options: yauzl.Options): Promise<ZipFile>
  /** Up to `length` bytes from there. */
  read(position: number, length: number): Promise<Buffer>
}

/**
 * Unpacks a zip below `root`. The whole central directory is checked before the first byte is written.
 *
 * @param home - Where functions see the tree; see {@link createArchivePlan}
 * @throws ArchiveError
 */
export async function unpackZip(bytes: Buffer, root: string, home?: string): Promise<ArchivePlan> {
  return unpack(
    {
      size: bytes.length,
      open: (options) => promisify<Buffer, yauzl.Options, ZipFile>(yauzl.fromBuffer)(bytes, options),
      read: async (position, length) => bytes.subarray(position, position + length)
    },
    root,
    home
  )
}

/** The same with a zip too large to be held in memory. @throws ArchiveError */
export async function unpackZipFile(file: string, root: string, home?: string): Promise<ArchivePlan> {
  const handle = await open(file, 'r')
  try {
    return await unpack(
      {
        size: (await handle.stat()).size,
        open: (options) => promisify<string, yauzl.Options, ZipFile>(yauzl.open)(file, options),
        async read(position, length) {
          const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
          return buffer.subarray(0, bytesRead)
        }
      },
      root,
      home
    )
  } finally {
    await handle.close()
  }
}

async function unpack(source: ZipSource, root: string, home: string | undefined): Promise<ArchivePlan> {
  const zip = await openZip(source)
  try {
    return await unpackOpen(zip, source, root, home)
  } finally {
    zip.close()
  }
}

async function unpackOpen(
  zip: ZipFile,
  source: ZipSource,
  root: string,
  home: string | undefined
): Promise<ArchivePlan> {
  const plan = createArchivePlan(source.size, home)
  const writer = createTreeWriter(root)
  const files: { readonly entry: Entry; readonly path: string }[] = []
  const entries = await readEntries(zip)
  await checkOverlaps(entries, source)
  for (const entry of entries) {
    if (entry.isEncrypted()) throw entryError(entry.fileName, 'is encrypted')
    const type = typeOf(entry)
    if (type === DIRECTORY) {
      const path = plan.directory(entry.fileName)
      if (path !== undefined) await writer.directory(path)
    } else if (type === SYMLINK) {
      plan.symlink(entry.fileName, (await readAll(zip, entry)).toString('utf8'))
    } else if (type === REGULAR) {
      files.push({ entry, path: plan.file(entry.fileName, entry.uncompressedSize) })
    } else {
      throw entryError(entry.fileName, 'is a special file')
    }
  }
  let written = 0
  const count = (size: number, name: string): void => {
    written += size
    if (written > LIMITS.unzippedBytes) throw tooLarge(name)
  }
  await runAll(
    files.map(({ entry, path }) => () => {
      const executable = ((entry.externalFileAttributes >>> 16) & 0o111) !== 0
      return writer.file(path, executable, read(zip, entry, count))
    })
  )
  await writer.finish(plan)
  return plan
}

async function openZip(source: ZipSource): Promise<ZipFile> {
  let zip: ZipFile
  try {
    zip = await source.open({
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      validateEntrySizes: true
    })
  } catch (cause) {
    throw new ArchiveError(`The zip file cannot be read: ${(cause as Error).message}.`, {
      cause,
      awsMessage: COULD_NOT_UNZIP
    })
  }
  if (zip.entryCount === 0)
    throw new ArchiveError('The zip file is empty.', { awsMessage: 'Uploaded file must be a non-empty zip' })
  if (zip.entryCount > LIMITS.archiveEntries) {
    throw new ArchiveError(`The archive has ${zip.entryCount} entries; ${LIMITS.archiveEntries} are allowed.`)
  }
  return zip
}

/** yauzl itself refuses names with `..`, absolute ones and backslashes; its message names them. */
function readEntries(zip: ZipFile): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = []
    zip.on('entry', (entry: Entry) => {
      entries.push(entry)
      zip.readEntry()
    })
    zip.once('end', () => {
      resolve(entries)
    })
    zip.once('error', (cause: Error) => {
      reject(
        new ArchiveError(`The zip file cannot be unpacked: ${cause.message}.`, { cause, awsMessage: COULD_NOT_UNZIP })
      )
    })
    zip.readEntry()
  })
}

/** Entries that share bytes are how a small file becomes a huge one ("better zip bomb"): no honest tool writes them. */
async function checkOverlaps(entries: readonly Entry[], source: ZipSource): Promise<void> {
  const ranges: { start: number; end: number; name: string }[] = []
  for (const entry of entries) {
    const start = entry.relativeOffsetOfLocalHeader
    const header = await source.read(start, LOCAL_HEADER_BYTES)
    if (header.length < LOCAL_HEADER_BYTES) throw entryError(entry.fileName, 'has no data')
    const dataStart = start + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28)
    ranges.push({ start, end: dataStart + entry.compressedSize, name: entry.fileName })
  }
  ranges.sort((a, b) => a.start - b.start)
  let end = 0
  for (const range of ranges) {
    if (range.start < end) throw entryError(range.name, 'shares its data with another entry')
    if (range.end > source.size) throw entryError(range.name, 'has less data than it says')
    end = range.end
  }
}

function typeOf(entry: Entry): number {
  const type = (entry.externalFileAttributes >>> 16) & 0o170000
  if (type === SYMLINK) return SYMLINK
  if (entry.fileName.endsWith('/')) return type === 0 || type === DIRECTORY ? DIRECTORY : type
  // 0: written by a tool that knows no Unix modes.
  if (type === 0 || type === REGULAR) return REGULAR
  return type === DIRECTORY ? -1 : type
}

async function* read(
  zip: ZipFile,
  entry: Entry,
  count: (size: number, name: string) => void
): AsyncGenerator<Uint8Array> {
  let checksum = 0
  try {
    const openStream = promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))
    for await (const chunk of (await openStream(entry)) as AsyncIterable<Buffer>) {
      count(chunk.length, entry.fileName)
      checksum = crc32(chunk, checksum)
      yield chunk
    }
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    throw entryError(entry.fileName, `cannot be unpacked: ${(cause as Error).message}`, cause)
  }
  if (checksum !== entry.crc32) throw entryError(entry.fileName, 'is damaged: its checksum is wrong')
}

async function readAll(zip: ZipFile, entry: Entry): Promise<Buffer> {
  if (entry.uncompressedSize > 4_096) throw entryError(entry.fileName, 'is a link without a usable target')
  const chunks: Uint8Array[] = []
  for await (const chunk of read(zip, entry, () => undefined)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
