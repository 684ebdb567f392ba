import { open, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { BlockNotes } from './block-notes.ts'
import { scanText } from './block-records.ts'
import { rebuildIndex } from './compression.ts'
import {
  blocksFile,
  compressedFile,
  indexFile,
  listNotes,
  listSegments,
  namesIn,
  PARTIAL,
  removeFile,
  sizeOf,
  statOf,
  textFile,
  whereThere
} from './segment-files.ts'
import { readIndex } from './segment-index.ts'
import { SegmentScan } from './segment-scan.ts'

/** A segment as its writer knows it. */
export interface Segment {
  readonly number: number
  /** On disk, with all that belongs to it. */
  bytes: number
  /** Of its text; 0 once that is compressed. */
  textBytes: number
  /** Of what describes its text while that is written. */
  noteBytes: number
  /** Of the one that is being written, once its file was opened. */
  notes: BlockNotes | undefined
  /** Unix time in ms. */
  readonly beganAt: number
  writtenAt: number
  isCompressed: boolean
  /** Nothing is appended to it any more, whatever the clock says. */
  isComplete: boolean
  /** Removed, perhaps in the middle of its compression. */
  isGone: boolean
}

const CLOSING_BRACE = 0x7d
/** Numbers of segments are the seconds of their beginning, so that a group that is made again goes on with greater ones. */
const FIRST_BY_TIME = 1_000_000_000

/** @param lastNumber - Of the one before it. @param now - Unix time in ms */
export function newSegment(lastNumber: number, now: number): Segment {
  return {
    number: Math.max(lastNumber + 1, Math.floor(now / 1_000)),
    bytes: 0,
    textBytes: 0,
    noteBytes: 0,
    notes: undefined,
    beganAt: now,
    writtenAt: now,
    isCompressed: false,
    isComplete: false,
    isGone: false
  }
}

/** Finds the segments that are there, the oldest first, and clears away what a crash has left. */
export async function loadSegments(dir: string): Promise<Segment[]> {
  for (const name of await namesIn(dir)) {
    if (name.endsWith(PARTIAL)) await removeFile(path.join(dir, name))
  }
  const found = await listSegments(dir)
  const texts = new Set(found.filter(({ isCompressed }) => !isCompressed).map(({ number }) => number))
  // Notes of segments that are gone or compressed.
  for (const number of await listNotes(dir)) if (!texts.has(number)) await removeFile(blocksFile(dir, number))
  const segments: Segment[] = []
  for (const { number, isText, isCompressed } of found) {
    const file = isCompressed ? compressedFile(dir, number) : textFile(dir, number)
    // The text goes last: both are complete.
    if (isCompressed && isText) await removeFile(textFile(dir, number))
    const stats = await statOf(file)
    if (stats === undefined) continue
    const { size, mtimeMs, birthtimeMs } = stats
    const noteBytes = isCompressed ? 0 : await sizeOf(blocksFile(dir, number))
    let index = isCompressed ? await indexSize(dir, number) : 0
    if (isCompressed && index === 0) index = await rebuildIndex(dir, number)
    segments.push({
      number,
      bytes: size + index + noteBytes,
      textBytes: isCompressed ? 0 : size,
      noteBytes,
      notes: undefined,
      beganAt: number < FIRST_BY_TIME ? birthtimeMs : number * 1_000,
      writtenAt: mtimeMs,
      isCompressed,
      isComplete: isCompressed,
      isGone: false
    })
  }
  return segments
}

/**
 * What has to be known of it once it is gone.
 *
 * @returns undefined when nothing says what was in it
 * @throws Error what the disk says
 */
export async function factsOf(
  dir: string,
  segment: Segment
): Promise<{ readonly textBytes: number; readonly lastOffset: number } | undefined> {
  const { number, notes, isCompressed, textBytes } = segment
  if (notes !== undefined) return notes
  if (isCompressed) {
    const text = await whereThere(readFile(indexFile(dir, number), 'utf8'))
    return text === undefined ? undefined : readIndex(text)
  }
  const file = await whereThere(open(textFile(dir, number), 'r'))
  if (file === undefined) return undefined
  try {
    const scan = new SegmentScan()
    await scanText(dir, number, file, textBytes, scan)
    return scan
  } finally {
    await file.close()
  }
}

/** Removes all of its files. */
export async function unlinkSegment(dir: string, { number }: Segment): Promise<void> {
  await removeFile(textFile(dir, number))
  await removeFile(blocksFile(dir, number))
  await removeFile(compressedFile(dir, number))
  await removeFile(compressedFile(dir, number) + PARTIAL)
  await removeFile(indexFile(dir, number))
}

/** @returns 0 when there is none, or not all of one: a power cut may leave that */
async function indexSize(dir: string, number: number): Promise<number> {
  const file = await whereThere(open(indexFile(dir, number), 'r'))
  if (file === undefined) return 0
  try {
    const { size } = await file.stat()
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1))
    return buffer[0] === CLOSING_BRACE ? size : 0
  } finally {
    await file.close()
  }
}
