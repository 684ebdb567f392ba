import { type FileHandle, open, rename } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { scanText } from './block-records.ts'
import { blocksFile, compressedFile, indexFile, PARTIAL, removeFile, textFile } from './segment-files.ts'
import { type CompressedBlock, type CompressedIndex, writeIndex } from './segment-index.ts'
import { SegmentScan } from './segment-scan.ts'

const zip = promisify(gzip)
const unzip = promisify(gunzip)
/** Fast, and a tenth of most logs is left. */
const LEVEL = 3
/** How a gzip member begins. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08, 0x00])

/**
 * Makes `<n>.ndjson.gz` and `<n>.index.json` of `<n>.ndjson`, which is removed when both are on disk for good: a crash
 * leaves the text, or all of it compressed. The file is ordinary gzip, one member per block, so that what is in the
 * middle can be read without what is before it.
 *
 * @param onBytes - Told how much more is on disk, as it is written
 * @returns bytes on disk
 */
export async function compressSegment(dir: string, number: number, onBytes: (bytes: number) => void): Promise<number> {
  const text = await open(textFile(dir, number), 'r')
  try {
    const target = compressedFile(dir, number)
    const out = await open(target + PARTIAL, 'w', 0o600)
    let size = 0
    let index: CompressedIndex
    try {
      const scan = new SegmentScan()
      await scanText(dir, number, text, (await text.stat()).size, scan)
      index = await pack(text, scan, async (bytes) => {
        await out.writeFile(bytes)
        size += bytes.length
        onBytes(bytes.length)
      })
      // Retention goes by when it was written.
      const { atime, mtime } = await text.stat()
      await out.utimes(atime, mtime)
      await out.sync()
    } finally {
      await out.close()
    }
    size += await saveIndex(dir, number, index)
    await rename(target + PARTIAL, target)
    await removeFile(textFile(dir, number))
    await removeFile(blocksFile(dir, number))
    return size
  } finally {
    await text.close()
  }
}

/** Makes the index of a compressed segment again. @returns its bytes on disk */
export async function rebuildIndex(dir: string, number: number): Promise<number> {
  const file = await open(compressedFile(dir, number), 'r')
  try {
    return await saveIndex(dir, number, await scanCompressed(file))
  } finally {
    await file.close()
  }
}

async function pack(
  text: FileHandle,
  scan: SegmentScan,
  write: (bytes: Buffer) => Promise<void>
): Promise<CompressedIndex> {
  const sizes: number[] = []
  // One that is open has its filter of ids when it is finished.
  scan.finishBlock()
  for (const { offset, bytes } of scan.blocks) {
    const lines = Buffer.allocUnsafe(bytes)
    const { bytesRead } = await text.read(lines, 0, bytes, offset)
    const packed = await zip(lines.subarray(0, bytesRead), { level: LEVEL })
    sizes.push(packed.length)
    await write(packed)
  }
  return withSizes(scan, sizes)
}

function withSizes(scan: SegmentScan, sizes: readonly number[]): CompressedIndex {
  let at = 0
  const blocks = scan.blocks.map((block, i): CompressedBlock => {
    const size = sizes[i]!
    at += size
    return { ...block, at: at - size, size }
  })
  const { textBytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams } = scan
  return { textBytes, from, to, ingestedFrom, ingestedAt, lastOffset, streams, blocks }
}

async function saveIndex(dir: string, number: number, index: CompressedIndex): Promise<number> {
  const file = indexFile(dir, number)
  const bytes = Buffer.from(writeIndex(index))
  const out = await open(file + PARTIAL, 'w', 0o600)
  try {
    await out.writeFile(bytes)
    await out.sync()
  } finally {
    await out.close()
  }
  await rename(file + PARTIAL, file)
  return bytes.length
}

/**
 * The index of a compressed segment whose own is missing. Members are told apart by trying where the next begins; what
 * comes after damage is lost, since nothing says where in the text it stood.
 */
export async function scanCompressed(file: FileHandle): Promise<CompressedIndex> {
  const { size } = await file.stat()
  const data = Buffer.allocUnsafe(size)
  const { bytesRead } = await file.read(data, 0, size, 0)
  const whole = data.subarray(0, bytesRead)
  const scan = new SegmentScan()
  const sizes: number[] = []
  let start = 0
  while (start < whole.length) {
    const member = await firstMember(whole, start)
    if (member === undefined) break
    scan.addBlock(member.lines)
    sizes.push(member.end - start)
    start = member.end
  }
  return withSizes(scan, sizes)
}

/** The magic's bytes may stand within a member too: then what is before them cannot be unpacked. */
async function firstMember(data: Buffer, start: number): Promise<{ lines: Buffer; end: number } | undefined> {
  for (let end = start; end < data.length; ) {
    const next = data.indexOf(MAGIC, end + 1)
    end = next === -1 ? data.length : next
    const lines = await unzip(data.subarray(start, end), { finishFlush: constants.Z_FINISH }).catch(() => undefined)
    if (lines !== undefined) return { lines, end }
  }
  return undefined
}
