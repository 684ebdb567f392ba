import type { Stats } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { scanText } from './block-records.ts'
import { scanCompressed } from './compression.ts'
import { selectEvents } from './event-selection.ts'
import { folderOfGroup, listGroupFolders } from './group-folders.ts'
import { LossWatch } from './loss-watch.ts'
import { lastRemoved, readRemovals } from './removals.ts'
import {
  compressedFile,
  indexFile,
  listSegments,
  type SegmentOnDisk,
  sizeOf,
  statOf,
  textFile,
  whereThere
} from './segment-files.ts'
import { type CompressedBlock, readIndex } from './segment-index.ts'
import { type Block, type SegmentIndex, SegmentScan } from './segment-scan.ts'
import type { LogCut, LogEvent, LogGroupFacts, LogQuery, LogReader, LogStreamFacts } from './types.ts'

const unzip = promisify(gunzip)

export interface LogReaderOptions {
  /** What of a group is not to be shown. Default: all is. */
  readonly cuts?: (group: string) => readonly LogCut[]
  /** Indexes of segments that are kept in memory. */
  readonly cachedIndexes?: number
}

/** Blocks that a search has read at once. */
const AHEAD = 4
/** Groups looked at at once. */
const LOOKERS = 8

/** A segment that is open for reading. */
interface OpenSegment {
  readonly number: number
  readonly index: SegmentIndex
  /** Whole lines of the block; empty where the file is damaged. */
  read(block: Block): Promise<Buffer>
  close(): Promise<void>
}

/** Reads what a log writer writes, in this process or another. @param logsDir - Absolute; need not be there. */
export function createLogReader(logsDir: string, options: LogReaderOptions = {}): LogReader {
  const cachedIndexes = options.cachedIndexes ?? 256
  const cutsOf = options.cuts ?? (() => [])
  /** By file, the least recently used first. */
  const scans = new Map<string, SegmentScan>()
  const indexes = new Map<string, SegmentIndex>()

  const dirOf = (group: string): string => path.join(logsDir, folderOfGroup(group))

  /** @returns undefined when the segment is gone */
  async function openSegment(dir: string, segment: SegmentOnDisk): Promise<OpenSegment | undefined> {
    const text = await whereThere(open(textFile(dir, segment.number), 'r'))
    if (text !== undefined) return whileOpen(text, () => openText(dir, segment.number, text))
    // Compressed since it was listed, or removed.
    const compressed = await whereThere(open(compressedFile(dir, segment.number), 'r'))
    if (compressed !== undefined) return whileOpen(compressed, () => openCompressed(dir, segment.number, compressed))
    return undefined
  }

  async function openText(dir: string, number: number, file: FileHandle): Promise<OpenSegment> {
    const name = textFile(dir, number)
    const { size, ino } = await file.stat()
    const key = `${name}:${ino}`
    let scan = recent(scans, key)
    if (scan === undefined || scan.textBytes > size) {
      scan = new SegmentScan()
      keep(scans, key, scan)
    }
    const known = scan
    const goOn = (): Promise<void> => scanText(dir, number, file, size, known)
    if (known.textBytes < size) await serially(key, goOn)
    return {
      number,
      index: known,
      async read({ offset, bytes }) {
        const lines = Buffer.allocUnsafe(bytes)
        const { bytesRead } = await file.read(lines, 0, bytes, offset)
        return lines.subarray(0, bytesRead)
      },
      close: () => file.close()
    }
  }

  /** Scans under way, by segment. */
  const scanning = new Map<string, Promise<void>>()

  async function serially(key: string, scan: () => Promise<void>): Promise<void> {
    for (let other = scanning.get(key); other !== undefined; other = scanning.get(key)) await other
    const done = scan().finally(() => scanning.delete(key))
    scanning.set(
      key,
      done.catch(() => undefined)
    )
    await done
  }

  async function openCompressed(dir: string, number: number, file: FileHandle): Promise<OpenSegment> {
    const name = indexFile(dir, number)
    let index = recent(indexes, name)
    if (index === undefined) {
      const text = await whereThere(readFile(name, 'utf8'))
      // The writer makes it again at its next start.
      index = (text === undefined ? undefined : readIndex(text)) ?? (await scanCompressed(file))
      keep(indexes, name, index)
    }
    return {
      number,
      index,
      async read(block) {
        const { at, size } = block as CompressedBlock
        const bytes = Buffer.allocUnsafe(size)
        await file.read(bytes, 0, size, at)
        return unzip(bytes).catch(() => Buffer.alloc(0))
      },
      close: () => file.close()
    }
  }

  function keep<T>(cache: Map<string, T>, key: string, value: T): void {
    cache.set(key, value)
    for (const oldest of cache.keys()) {
      if (cache.size <= cachedIndexes) break
      cache.delete(oldest)
    }
  }

  /** Calls `use` with each segment, in order, that is there when its turn comes. */
  async function* eachSegment(
    dir: string,
    query: Pick<LogQuery, 'after' | 'backwards'> = {},
    losses?: LossWatch
  ): AsyncGenerator<OpenSegment> {
    const { after, backwards = false } = query
    const segments = await listSegments(dir)
    await losses?.begin(segments[0]?.number)
    if (backwards) segments.reverse()
    for (const segment of segments) {
      if (after !== undefined && (backwards ? segment.number > after.segment : segment.number < after.segment)) continue
      const opened = await openSegment(dir, segment)
      if (opened === undefined) {
        losses?.miss()
        continue
      }
      try {
        await losses?.check(opened.number)
        yield opened
      } finally {
        await opened.close()
      }
    }
    await losses?.check()
  }

  async function facts(group: string, dir: string): Promise<LogGroupFacts | undefined> {
    const folder = await statOf(dir)
    if (folder?.isDirectory() !== true) return undefined
    let storedBytes = 0
    for (const { number, isText } of await listSegments(dir)) {
      storedBytes += isText
        ? await sizeOf(textFile(dir, number))
        : (await sizeOf(compressedFile(dir, number))) + (await sizeOf(indexFile(dir, number)))
    }
    const madeAt = madeAtOf(folder)
    const removedAt = cutsOf(group).find((cut) => cut.stream === '')?.at ?? 0
    if (madeAt > removedAt) return { name: group, createdAt: madeAt, storedBytes }
    for await (const { index } of eachSegment(dir, { backwards: true })) {
      // Written to again since, though what was before is not cleared away yet.
      if (index.ingestedAt > removedAt) return { name: group, createdAt: removedAt, storedBytes }
    }
    return undefined
  }

  async function* read(group: string, query: LogQuery): AsyncGenerator<readonly LogEvent[]> {
    const { after, backwards = false, onLoss } = query
    const dir = dirOf(group)
    const picks = selectEvents(group, query, cutsOf(group))
    const losses = onLoss === undefined || backwards ? undefined : new LossWatch(dir, after, onLoss)
    for await (const segment of eachSegment(dir, query, losses)) {
      const { number, index } = segment
      // As it is now: the scan of a segment that is being written goes on.
      const blocks = [...index.blocks]
      losses?.pass({ segment: number, offset: index.textBytes - 1 })
      if (!picks.overlaps(index) || !picks.hasStream(index)) continue
      if (backwards) blocks.reverse()
      const wanted = blocks.filter(
        (block) => picks.overlaps(block) && picks.isReached(number, block) && picks.mayHaveId(block)
      )
      for await (const { block, lines } of readAhead(segment, wanted, picks.isSearch ? AHEAD : 1)) {
        if (!picks.mayBeIn(lines)) continue
        for (const batch of picks.events(lines, number, block.offset)) {
          if (batch.length > 0) yield batch
          await nextTurn()
        }
      }
    }
  }

  return {
    async groups() {
      const folders = await listGroupFolders(logsDir)
      const found: LogGroupFacts[] = []
      const look = async (): Promise<void> => {
        for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
          const group = await facts(folder.group, folder.dir)
          if (group !== undefined) found.push(group)
        }
      }
      await Promise.all(Array.from({ length: LOOKERS }, look))
      return found.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    group: async (name) => facts(name, dirOf(name)),
    async kept(group) {
      const dir = dirOf(group)
      const folder = await statOf(dir)
      if (folder === undefined) return undefined
      let since = Number.POSITIVE_INFINITY
      for await (const { index } of eachSegment(dir)) since = Math.min(since, index.ingestedFrom)
      return { since, madeAt: madeAtOf(folder) }
    },
    async streams(group) {
      const cuts = cutsOf(group)
      const found = new Map<
        string,
        { name: string; firstEventAt: number; lastEventAt: number; lastIngestedAt: number }
      >()
      for await (const { index } of eachSegment(dirOf(group))) {
        for (const { name, from, to, ingestedAt } of index.streams) {
          if (cuts.some((cut) => (cut.stream === '' || cut.stream === name) && ingestedAt <= cut.at)) continue
          const known = found.get(name)
          if (known === undefined) {
            found.set(name, { name, firstEventAt: from, lastEventAt: to, lastIngestedAt: ingestedAt })
            continue
          }
          known.firstEventAt = Math.min(known.firstEventAt, from)
          known.lastEventAt = Math.max(known.lastEventAt, to)
          known.lastIngestedAt = Math.max(known.lastIngestedAt, ingestedAt)
        }
      }
      return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) satisfies LogStreamFacts[]
    },
    read,
    async end(group) {
      for await (const { number, index } of eachSegment(dirOf(group), { backwards: true })) {
        // Its last newline: no event begins there, and the next one begins behind it.
        if (index.textBytes > 0) return { segment: number, offset: index.textBytes - 1 }
      }
      return lastRemoved(await readRemovals(dirOf(group))) ?? { segment: 0, offset: 0 }
    }
  }
}

/** Blocks in this order; some are read while another is looked at, so that disk and unpacking do not wait for it. */
async function* readAhead(
  segment: OpenSegment,
  blocks: readonly Block[],
  ahead: number
): AsyncGenerator<{ readonly block: Block; readonly lines: Buffer }> {
  const reads: Promise<Buffer>[] = []
  try {
    for (const [i, block] of blocks.entries()) {
      while (reads.length < ahead && i + reads.length < blocks.length)
        reads.push(segment.read(blocks[i + reads.length]!))
      yield { block, lines: await reads.shift()! }
    }
  } finally {
    // The file is not closed under them.
    await Promise.allSettled(reads)
  }
}

/** Unix time in ms; not every file system knows. */
function madeAtOf({ birthtimeMs, ctimeMs }: Stats): number {
  return Math.floor(birthtimeMs > 0 ? birthtimeMs : ctimeMs)
}

/** Closes the file when what is to use it fails. */
async function whileOpen<T>(file: FileHandle, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (err) {
    await file.close()
    throw err
  }
}

function recent<T>(cache: Map<string, T>, key: string): T | undefined {
  const value = cache.get(key)
  if (value === undefined) return undefined
  cache.delete(key)
  cache.set(key, value)
  return value
}
