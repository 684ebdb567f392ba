import { createGunzip } from 'node:zlib'
import { LIMITS } from '@hearth/shared/limits'
import { Parser, type ReadEntry } from 'tar'
import { ArchiveError, type ArchivePlan, createArchivePlan, entryError } from './archive-plan.ts'
import { createTreeWriter, runAll, type TreeWriter } from './tree-writer.ts'

/** Headers and padding may add this to the files' own bytes before the stream is called a bomb. */
const OVERHEAD_BYTES = LIMITS.archiveEntries * 2_048
const CHUNK_BYTES = 65_536

/**
 * Unpacks a gzipped tar below `root`, entry by entry as they come.
 *
 * @throws ArchiveError
 */
export async function unpackTarGz(bytes: Buffer, root: string, home?: string): Promise<ArchivePlan> {
  const plan = createArchivePlan(bytes.length, home)
  const writer = createTreeWriter(root)
  const jobs: (() => Promise<void>)[] = []
  const failures: Error[] = []
  // An emitter's error goes through this and not through an exception, which would leave the parser half-way.
  const fail = (thrown: Error): void => {
    failures.push(thrown)
  }
  const parser = new Parser({ strict: true, maxMetaEntrySize: 1_048_576, brotli: false, zstd: false })
  parser.on('error', (cause: Error) => {
    fail(new ArchiveError(`The tar archive cannot be unpacked: ${cause.message}.`, { cause }))
  })
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    fail(entryError(entry.path, `is of a kind that cannot be unpacked (${entry.type})`))
  })
  parser.on('entry', (entry: ReadEntry) => {
    try {
      take(entry, plan, writer, jobs)
    } catch (thrown) {
      fail(thrown as Error)
      entry.resume()
    }
  })
  // What follows the end mark is nobody's, and the parser would collect it in time that grows with its square.
  let ended = false
  parser.on('eof', () => {
    ended = true
  })
  let total = 0
  let first = true
  for await (const chunk of gunzip(bytes)) {
    total += chunk.length
    if (total > LIMITS.unzippedBytes + OVERHEAD_BYTES) {
      throw new ArchiveError(`Unpacked, the archive would be larger than ${LIMITS.unzippedBytes} bytes.`, {
        awsMessage: `Unzipped size must be smaller than ${LIMITS.unzippedBytes} bytes`
      })
    }
    // The parser would unpack what is packed twice, out of sight of the counter above.
    if (first && chunk[0] === 0x1f && chunk[1] === 0x8b) throw new ArchiveError('The archive is compressed twice.')
    first = false
    parser.write(chunk)
    if (failures[0] !== undefined) throw failures[0]
    await runAll(jobs.splice(0))
    if (ended) break
  }
  parser.end()
  if (failures[0] !== undefined) throw failures[0]
  await runAll(jobs.splice(0))
  if (plan.files.length === 0) throw new ArchiveError('The archive has no files in it.')
  await writer.finish(plan)
  return plan
}

/** Checks an entry at once and collects its bytes; what is to be written is done between two chunks. */
function take(entry: ReadEntry, plan: ArchivePlan, writer: TreeWriter, jobs: (() => Promise<void>)[]): void {
  switch (entry.type) {
    case 'Directory': {
      const path = plan.directory(entry.path)
      entry.resume()
      if (path !== undefined) jobs.push(() => writer.directory(path))
      return
    }
    case 'SymbolicLink':
      plan.symlink(entry.path, entry.linkpath ?? '')
      entry.resume()
      return
    case 'File':
    case 'OldFile':
    case 'ContiguousFile': {
      const path = plan.file(entry.path, entry.size)
      const executable = ((entry.mode ?? 0) & 0o111) !== 0
      const chunks: Buffer[] = []
      entry.on('data', (chunk: Buffer) => chunks.push(chunk))
      entry.on('end', () => jobs.push(() => writer.file(path, executable, chunks)))
      return
    }
    default:
      throw entryError(entry.path, entry.type === 'Link' ? 'is a hard link' : `is a special file (${entry.type})`)
  }
}

async function* gunzip(bytes: Buffer): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES })
  stream.end(bytes)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk
  } catch (cause) {
    throw new ArchiveError(`The archive cannot be read: ${(cause as Error).message}.`, { cause })
  } finally {
    stream.destroy()
  }
}
