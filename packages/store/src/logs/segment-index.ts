import type { IdFilter } from './id-filter.ts'
import type { Block, SegmentIndex, StreamSpan } from './segment-scan.ts'

/** A block of a compressed segment, and where it lies in the file. */
export interface CompressedBlock extends Block {
  readonly at: number
  readonly size: number
}

export interface CompressedIndex extends SegmentIndex {
  readonly blocks: readonly CompressedBlock[]
}

/** The first one said nothing of request ids, of when the first event was taken, and of where the last begins. */
const FORMAT = 2
const FORMATS: readonly unknown[] = [1, FORMAT]

/** The text of an index file. */
export function writeIndex(index: CompressedIndex): string {
  const { textBytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams } = index
  const blocks = index.blocks.map(({ bytes, size, from: first, to: last, ids }) => [
    bytes,
    size,
    first,
    last,
    encodeIds(ids)
  ])
  return JSON.stringify({
    format: FORMAT,
    textBytes,
    from,
    to,
    ingestedFrom,
    ingestedAt,
    lastOffset,
    streams: encodeStreams(streams),
    blocks
  })
}

/** @returns undefined when the text is no index, or another format's: it is made again */
export function readIndex(text: string): CompressedIndex | undefined {
  let parsed: Record<string, unknown>
  try {
    parsed = JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
  const { format, textBytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams, blocks } = parsed
  if (!FORMATS.includes(format) || typeof textBytes !== 'number' || !Array.isArray(streams) || !Array.isArray(blocks)) {
    return undefined
  }
  let offset = 0
  let at = 0
  const placed = (blocks as [number, number, number | null, number | null, unknown][]).map(
    ([bytes, size, first, last, ids]) => {
      const block = { offset, bytes, at, size, from: earliest(first), to: latest(last), ids: decodeIds(ids) }
      offset += bytes
      at += size
      return block
    }
  )
  return {
    textBytes,
    from: earliest(from),
    to: latest(to),
    // Not known of the first format: any time before the last.
    ingestedFrom: format === FORMAT ? earliest(ingestedFrom) : Number.NEGATIVE_INFINITY,
    ingestedAt: latest(ingestedAt),
    lastOffset: typeof lastOffset === 'number' ? lastOffset : textBytes - 1,
    streams: decodeStreams(streams),
    blocks: placed
  }
}

export function encodeStreams(streams: readonly StreamSpan[]): unknown[] {
  return streams.map((span) => [span.name, span.from, span.to, span.ingestedAt])
}

export function decodeStreams(streams: readonly unknown[]): StreamSpan[] {
  return (streams as [string, number, number, number][]).map(([name, from, to, ingestedAt]) => ({
    name,
    from,
    to,
    ingestedAt
  }))
}

export function encodeIds(ids: IdFilter): string | null {
  return Buffer.isBuffer(ids) ? ids.toString('base64') : null
}

export function decodeIds(text: unknown): IdFilter {
  return typeof text === 'string' ? Buffer.from(text, 'base64') : undefined
}

/** JSON has no infinity: it is written as null. */
export function earliest(value: unknown): number {
  return typeof value === 'number' ? value : Number.POSITIVE_INFINITY
}

export function latest(value: unknown): number {
  return typeof value === 'number' ? value : Number.NEGATIVE_INFINITY
}
