import type { FileHandle } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { hashId, type IdFilter, toFilter } from './id-filter.ts'
import { readHead, requestIdAt, streamName } from './lines.ts'

/** Whole lines that are read, and compressed, at once. */
export interface Block {
  /** In the segment's text. */
  readonly offset: number
  readonly bytes: number
  /** Unix time in ms of the earliest and the latest event; Infinity and -Infinity without any. */
  readonly from: number
  readonly to: number
  readonly ids: IdFilter
}

/** Unix times in ms. */
export interface StreamSpan {
  readonly name: string
  from: number
  to: number
  ingestedAt: number
}

/** What is known of lines without reading them again. */
export interface LineFacts {
  readonly from: number
  readonly to: number
  /** Unix time in ms at which the first and the last event were taken. */
  readonly ingestedFrom: number
  readonly ingestedAt: number
  /** In the segment's text: where the last event begins; -1 without any. */
  readonly lastOffset: number
  readonly streams: readonly StreamSpan[]
}

export type ScannedBlock = Block & LineFacts

/** What is known of a segment without reading its text. */
export interface SegmentIndex extends LineFacts {
  /** Of whole lines, uncompressed. */
  readonly textBytes: number
  readonly blocks: readonly Block[]
}

/** A block has at most this many bytes, or one line that is longer. */
export const BLOCK_BYTES = 262_144

interface OpenBlock extends ScannedBlock {
  bytes: number
  from: number
  to: number
  ingestedFrom: number
  ingestedAt: number
  lastOffset: number
  ids: Set<number> | undefined
  streams: StreamSpan[]
}

/** Makes blocks of lines that come one after the other. Parses no JSON: what it needs of a line is at known places. */
export class BlockScan {
  readonly #onFull: (block: ScannedBlock) => void
  #block: OpenBlock
  readonly #spans = new Map<string, StreamSpan>()
  #stream: Buffer | undefined
  #span: StreamSpan | undefined

  #lastOffset: number

  /**
   * @param offset - Where in the segment's text the first line begins
   * @param lastOffset - Where the last event before that begins
   */
  constructor(offset: number, lastOffset: number, onFull: (block: ScannedBlock) => void) {
    this.#onFull = onFull
    this.#lastOffset = lastOffset
    this.#block = emptyBlock(offset)
  }

  /** Up to the end of the last line. */
  get textBytes(): number {
    return this.#block.offset + this.#block.bytes
  }

  /** The one that is being filled. */
  get open(): ScannedBlock {
    return this.#block
  }

  /** Where the last event begins; -1 without any. */
  get lastOffset(): number {
    return this.#lastOffset
  }

  /** @param data - Whole lines. @param isOneBlock - Whatever their size */
  add(data: Buffer, isOneBlock = false): void {
    let start = 0
    for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
      const bytes = end + 1 - start
      if (!isOneBlock && this.#block.bytes + bytes > BLOCK_BYTES) this.finish()
      this.#note(data, start, end)
      this.#block.bytes += bytes
      start = end + 1
    }
  }

  /** Bytes that end with a newline and are no line. */
  skip(bytes: number): void {
    this.#block.bytes += bytes
  }

  /** The next line begins another block. */
  finish(): void {
    const block = this.#block
    if (block.bytes === 0) return
    this.#block = emptyBlock(block.offset + block.bytes)
    this.#spans.clear()
    this.#stream = undefined
    this.#onFull({ ...block, ids: block.ids && toFilter(block.ids) })
  }

  #note(data: Buffer, start: number, end: number): void {
    const head = readHead(data, start, end)
    if (head === undefined) return
    const block = this.#block
    const { at, ingestedAt, stream } = head
    if (at < block.from) block.from = at
    if (at > block.to) block.to = at
    if (ingestedAt < block.ingestedFrom) block.ingestedFrom = ingestedAt
    if (ingestedAt > block.ingestedAt) block.ingestedAt = ingestedAt
    block.lastOffset = block.offset + block.bytes
    this.#lastOffset = block.lastOffset
    // Lines of one instance come one after the other, mostly.
    if (this.#span === undefined || stream !== this.#stream) {
      this.#stream = stream
      this.#span = this.#spanOf(streamName(stream))
    }
    widen(this.#span, at, at, ingestedAt)
    const id = requestIdAt(data, head.end)
    if (id === -1) block.ids = undefined
    else if (data[id] !== 0x22) block.ids?.add(hashId(data, id, end))
  }

  #spanOf(name: string): StreamSpan {
    let span = this.#spans.get(name)
    if (span === undefined) {
      span = emptySpan(name)
      this.#spans.set(name, span)
      this.#block.streams.push(span)
    }
    return span
  }
}

/** The index of a segment, which may go on: of blocks that somebody has described already, and of lines. */
export class SegmentScan implements SegmentIndex {
  from = Number.POSITIVE_INFINITY
  to = Number.NEGATIVE_INFINITY
  ingestedFrom = Number.POSITIVE_INFINITY
  ingestedAt = Number.NEGATIVE_INFINITY
  lastOffset = -1
  /** Of the file that describes full blocks: as far as it has been read. */
  recordBytes = 0
  readonly #streams = new Map<string, StreamSpan>()
  readonly #full: Block[] = []
  #scan = this.#scanFrom(0)

  get textBytes(): number {
    return this.#scan.textBytes
  }

  get streams(): readonly StreamSpan[] {
    return [...this.#streams.values()]
  }

  get blocks(): readonly Block[] {
    const { open } = this.#scan
    return open.bytes === 0 ? this.#full : [...this.#full, open]
  }

  /** @param data - Whole lines, which follow on those before */
  add(data: Buffer): void {
    this.#scan.add(data)
    this.#learn(this.#scan.open)
  }

  /** @param data - Whole lines: a block */
  addBlock(data: Buffer): void {
    this.#scan.finish()
    this.#scan.add(data, true)
    this.#scan.finish()
  }

  /** The next line begins another block. */
  finishBlock(): void {
    this.#scan.finish()
  }

  /**
   * Takes a block that is described already, also in place of what was found out of the same lines.
   *
   * @returns whether it follows on what is known
   */
  take(block: ScannedBlock): boolean {
    const end = block.offset + block.bytes
    if (block.offset > this.textBytes) return false
    if (end <= this.textBytes) return true
    this.#scan.finish()
    let last = this.#full.at(-1)
    while (last !== undefined && last.offset >= block.offset) {
      this.#full.pop()
      last = this.#full.at(-1)
    }
    if (last !== undefined) this.#full[this.#full.length - 1] = { ...last, bytes: block.offset - last.offset }
    this.#full.push(block)
    this.#learn(block)
    this.#scan = this.#scanFrom(end)
    return true
  }

  #scanFrom(offset: number): BlockScan {
    return new BlockScan(offset, this.lastOffset, (block) => {
      this.#full.push(block)
      this.#learn(block)
    })
  }

  #learn(facts: LineFacts): void {
    this.from = Math.min(this.from, facts.from)
    this.to = Math.max(this.to, facts.to)
    this.ingestedFrom = Math.min(this.ingestedFrom, facts.ingestedFrom)
    this.ingestedAt = Math.max(this.ingestedAt, facts.ingestedAt)
    this.lastOffset = Math.max(this.lastOffset, facts.lastOffset)
    for (const { name, from, to, ingestedAt } of facts.streams) {
      let span = this.#streams.get(name)
      if (span === undefined) {
        span = emptySpan(name)
        this.#streams.set(name, span)
      }
      widen(span, from, to, ingestedAt)
    }
  }
}

function emptyBlock(offset: number): OpenBlock {
  return {
    offset,
    bytes: 0,
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
    ingestedFrom: Number.POSITIVE_INFINITY,
    ingestedAt: Number.NEGATIVE_INFINITY,
    lastOffset: -1,
    ids: new Set(),
    streams: []
  }
}

function emptySpan(name: string): StreamSpan {
  return {
    name,
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
    ingestedAt: Number.NEGATIVE_INFINITY
  }
}

function widen(span: StreamSpan, from: number, to: number, ingestedAt: number): void {
  if (from < span.from) span.from = from
  if (to > span.to) span.to = to
  if (ingestedAt > span.ingestedAt) span.ingestedAt = ingestedAt
}

/**
 * Calls `each` with the whole lines from `offset` on, about a block at a time; the event loop turns between two of them.
 * What has no newline yet is left.
 */
export async function readLines(file: FileHandle, offset: number, each: (lines: Buffer) => void): Promise<void> {
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
    each(data.subarray(0, end))
    await nextTurn()
  }
}
