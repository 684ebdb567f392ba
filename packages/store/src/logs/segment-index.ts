import type { FileHandle } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { eachLine, readHead, streamName } from './lines.ts'

/** Whole lines that are read, and compressed, at once. */
export interface Block {
  /** In the segment's text. */
  readonly offset: number
  readonly bytes: number
  /** Unix time in ms of the earliest and the latest event; Infinity and -Infinity without any. */
  readonly from: number
  readonly to: number
}

/** Unix times in ms. */
export interface StreamSpan {
  readonly name: string
  from: number
  to: number
  ingestedAt: number
}

/** What is known of a segment without reading its text. */
export interface SegmentIndex {
  /** Of whole lines, uncompressed. */
  readonly textBytes: number
  readonly from: number
  readonly to: number
  /** Unix time in ms at which the last event was taken. */
  readonly ingestedAt: number
  readonly streams: readonly StreamSpan[]
  readonly blocks: readonly Block[]
}

/** A block has this many bytes, and what is left of its last line. */
export const BLOCK_BYTES = 262_144

/**
 * Makes the index of a segment from its text, which may go on later. Parses no JSON: most of a line's stream and time
 * is at known places.
 */
export class SegmentScan implements SegmentIndex {
  textBytes = 0
  from = Number.POSITIVE_INFINITY
  to = Number.NEGATIVE_INFINITY
  ingestedAt = Number.NEGATIVE_INFINITY
  readonly #streams = new Map<string, StreamSpan>()
  readonly #blocks: Block[] = []

  get streams(): readonly StreamSpan[] {
    return [...this.#streams.values()]
  }

  get blocks(): readonly Block[] {
    return this.#blocks
  }

  /** @param data - Whole lines, which follow on those before; they become a block, or part of the last one if `joins`. */
  add(data: Buffer, joins = false): void {
    let from = Number.POSITIVE_INFINITY
    let to = Number.NEGATIVE_INFINITY
    let bytes: Buffer = Buffer.alloc(0)
    let span: StreamSpan | undefined
    eachLine(data, (line) => {
      const head = readHead(line)
      if (head === undefined) return
      const { at, ingestedAt } = head
      if (at < from) from = at
      if (at > to) to = at
      if (ingestedAt > this.ingestedAt) this.ingestedAt = ingestedAt
      // Lines of one instance come one after the other, mostly.
      if (span === undefined || !bytes.equals(head.stream)) {
        bytes = head.stream
        span = this.#spanOf(bytes)
      }
      if (at < span.from) span.from = at
      if (at > span.to) span.to = at
      if (ingestedAt > span.ingestedAt) span.ingestedAt = ingestedAt
    })
    const last = joins ? this.#blocks.at(-1) : undefined
    if (last !== undefined && last.bytes + data.length <= BLOCK_BYTES) {
      const { offset, bytes: before } = last
      const joined = { offset, bytes: before + data.length, from: Math.min(last.from, from), to: Math.max(last.to, to) }
      this.#blocks[this.#blocks.length - 1] = joined
    } else {
      this.#blocks.push({ offset: this.textBytes, bytes: data.length, from, to })
    }
    this.textBytes += data.length
    if (from < this.from) this.from = from
    if (to > this.to) this.to = to
  }

  #spanOf(bytes: Buffer): StreamSpan {
    const name = streamName(bytes)
    let span = this.#streams.get(name)
    if (span === undefined) {
      span = {
        name,
        from: Number.POSITIVE_INFINITY,
        to: Number.NEGATIVE_INFINITY,
        ingestedAt: Number.NEGATIVE_INFINITY
      }
      this.#streams.set(name, span)
    }
    return span
  }
}

/**
 * Calls `each` with the whole lines from `offset` on, a block at a time; the event loop turns between two of them. What
 * has no newline yet is left.
 */
export async function readBlocks(
  file: FileHandle,
  offset: number,
  each: (lines: Buffer) => void | Promise<void>
): Promise<void> {
  let at = offset
  let rest = Buffer.alloc(0)
  for (;;) {
    const chunk = Buffer.allocUnsafe(BLOCK_BYTES)
    const { bytesRead } = await file.read(chunk, 0, BLOCK_BYTES, at)
    if (bytesRead === 0) return
    at += bytesRead
    const data = rest.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    const end = data.lastIndexOf(10) + 1
    rest = data.subarray(end)
    if (end === 0) continue
    await each(data.subarray(0, end))
    await nextTurn()
  }
}

/** A block of a compressed segment, and where it lies in the file. */
export interface CompressedBlock extends Block {
  readonly at: number
  readonly size: number
}

export interface CompressedIndex extends SegmentIndex {
  readonly blocks: readonly CompressedBlock[]
}

const FORMAT = 1

/** The text of an index file. */
export function writeIndex(index: CompressedIndex): string {
  const { textBytes, from, to, ingestedAt } = index
  const streams = index.streams.map((span) => [span.name, span.from, span.to, span.ingestedAt])
  const blocks = index.blocks.map((block) => [block.bytes, block.size, block.from, block.to])
  return JSON.stringify({ format: FORMAT, textBytes, from, to, ingestedAt, streams, blocks })
}

/** @returns undefined when the text is no index, or another format's: it is made again */
export function readIndex(text: string): CompressedIndex | undefined {
  let parsed: Record<string, unknown>
  try {
    parsed = JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
  const { format, textBytes, from, to, ingestedAt, streams, blocks } = parsed
  if (format !== FORMAT || typeof textBytes !== 'number' || !Array.isArray(streams) || !Array.isArray(blocks)) {
    return undefined
  }
  let offset = 0
  let at = 0
  const placed = (blocks as [number, number, number | null, number | null][]).map(([bytes, size, first, last]) => {
    const block = { offset, bytes, at, size, from: earliest(first), to: latest(last) }
    offset += bytes
    at += size
    return block
  })
  return {
    textBytes,
    from: earliest(from),
    to: latest(to),
    ingestedAt: latest(ingestedAt),
    streams: (streams as [string, number, number, number][]).map(([name, first, last, taken]) => ({
      name,
      from: first,
      to: last,
      ingestedAt: taken
    })),
    blocks: placed
  }
}

/** JSON has no infinity: it is written as null. */
function earliest(value: unknown): number {
  return typeof value === 'number' ? value : Number.POSITIVE_INFINITY
}

function latest(value: unknown): number {
  return typeof value === 'number' ? value : Number.NEGATIVE_INFINITY
}
