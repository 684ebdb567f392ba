import { appendFile, type FileHandle, readFile, truncate } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { blocksFile, whereThere } from './segment-files.ts'
import { decodeIds, decodeStreams, earliest, encodeIds, encodeStreams, latest } from './segment-index.ts'
import { BLOCK_BYTES, readLines, type ScannedBlock, type SegmentScan } from './segment-scan.ts'

/**
 * The index of a segment that is being written: `<n>.blocks.ndjson`, a line for each block once it is full, so that readers
 * need not read the text to know what is in it. Each line has a checksum and follows on the one before; what comes after
 * one that does not is not believed.
 */

const CRC_CHARS = 8

export function encodeRecord(block: ScannedBlock): Buffer {
  const { offset, bytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams, ids } = block
  const fields = [offset, bytes, from, to, ingestedFrom, ingestedAt, lastOffset, encodeStreams(streams), encodeIds(ids)]
  const json = JSON.stringify(fields)
  return Buffer.from(`${crcOf(json)} ${json}\n`)
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(CRC_CHARS, '0')
}

/** @returns undefined for what is no record, or was cut short */
function decodeRecord(line: string): ScannedBlock | undefined {
  const json = line.slice(CRC_CHARS + 1)
  if (line.slice(0, CRC_CHARS) !== crcOf(json)) return undefined
  const [offset, bytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams, ids] = JSON.parse(json) as unknown[]
  return {
    offset: Number(offset),
    bytes: Number(bytes),
    from: earliest(from),
    to: latest(to),
    ingestedFrom: earliest(ingestedFrom),
    ingestedAt: latest(ingestedAt),
    lastOffset: Number(lastOffset),
    streams: decodeStreams(streams as unknown[]),
    ids: decodeIds(ids)
  }
}

interface Records {
  readonly blocks: readonly ScannedBlock[]
  /** Of the file, as far as it is believed. */
  readonly bytes: number
}

/**
 * @param size - Of the text: what goes beyond is of no use
 * @param skip - Bytes of the file that have been read before
 */
async function readRecords(dir: string, number: number, size: number, skip = 0): Promise<Records> {
  const data = await whereThere(readFile(blocksFile(dir, number)))
  const blocks: ScannedBlock[] = []
  let bytes = skip
  let at: number | undefined = skip === 0 ? 0 : undefined
  if (data === undefined) return { blocks, bytes: 0 }
  for (let end = data.indexOf(10, bytes); end !== -1; end = data.indexOf(10, bytes)) {
    const block = decodeRecord(data.toString('utf8', bytes, end))
    if (block === undefined || block.offset !== (at ?? block.offset) || block.offset + block.bytes > size) break
    at = block.offset + block.bytes
    blocks.push(block)
    bytes = end + 1
  }
  return { blocks, bytes }
}

/** Brings what is known of a segment's text up to what stands in it. @param size - Of the text, at least */
export async function scanText(
  dir: string,
  number: number,
  file: FileHandle,
  size: number,
  scan: SegmentScan
): Promise<void> {
  if (size - scan.textBytes > BLOCK_BYTES) {
    const { blocks, bytes } = await readRecords(dir, number, size, scan.recordBytes)
    for (const block of blocks) if (!scan.take(block)) break
    scan.recordBytes = bytes
  }
  await readLines(file, scan.textBytes, (lines) => {
    scan.add(lines)
  })
}

/** @returns bytes written */
export async function appendRecords(dir: string, number: number, records: readonly Buffer[]): Promise<number> {
  const data = Buffer.concat(records)
  await appendFile(blocksFile(dir, number), data, { mode: 0o600 })
  return data.length
}

/**
 * What of the file can be believed by who is going to append to it; the rest is cut off.
 *
 * @param size - Of the text
 * @returns where in the text it ends and the last event of it begins, and bytes of the file
 */
export async function repairRecords(
  dir: string,
  number: number,
  size: number,
  isLineEnd: (offset: number) => Promise<boolean>
): Promise<{ readonly textBytes: number; readonly lastOffset: number; readonly bytes: number }> {
  const { blocks, bytes } = await readRecords(dir, number, size)
  const last = blocks.at(-1)
  const textBytes = last === undefined ? 0 : last.offset + last.bytes
  // Another text stands there than the one that was described.
  const isOurs = textBytes === 0 || (await isLineEnd(textBytes))
  const lastOffset = Math.max(-1, ...blocks.map((block) => block.lastOffset))
  const kept = isOurs ? { textBytes, lastOffset, bytes } : { textBytes: 0, lastOffset: -1, bytes: 0 }
  await whereThere(truncate(blocksFile(dir, number), kept.bytes))
  return kept
}
