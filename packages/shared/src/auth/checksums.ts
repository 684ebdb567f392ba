import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Reversed polynomial of Castagnoli's CRC. Source: RFC 3720 §12.1. */
const CASTAGNOLI = 0x82f63b78

type Checksum = (data: Buffer) => Buffer

const CHECKSUMS: ReadonlyMap<string, Checksum> = new Map<string, Checksum>([
  ['x-amz-checksum-crc32', (data) => bytesOf(crc32(data))],
  ['x-amz-checksum-crc32c', (data) => bytesOf(crc32c(data))],
  ['x-amz-checksum-sha1', (data) => createHash('sha1').update(data).digest()],
  ['x-amz-checksum-sha256', (data) => createHash('sha256').update(data).digest()]
])

/**
 * Whether data has the checksum that a trailer says.
 *
 * @param value - Base64.
 * @returns false also for a kind that is not known here: nobody should think that it was checked
 */
export function matchesChecksum(trailer: string, value: string, data: Buffer): boolean {
  return CHECKSUMS.get(trailer)?.(data).toString('base64') === value
}

function bytesOf(crc: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc >>> 0)
  return bytes
}

let table: Uint32Array | undefined

function crc32c(data: Buffer): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ CASTAGNOLI : crc >>> 1
    return crc
  })
  let crc = 0xffffffff
  for (const byte of data) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return ~crc
}
