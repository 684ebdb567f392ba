/**
 * Which request ids a block of lines may have: a search opens only the blocks that may have the one it looks for. Ids are
 * known by a hash of their bytes; a full block keeps a Bloom filter of these, which is wrong for about one block in a
 * hundred and never hides one.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Bits set for an id. */
const PROBES = 4
/** Bits per id, at least. */
const BITS = 10
const LEAST_BYTES = 8

/** Hashes while a block is being filled, then the filter's bytes; undefined: it may have any. */
export type IdFilter = ReadonlySet<number> | Buffer | undefined

/** FNV-1a of the bytes up to the next quote. */
export function hashId(data: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) {
    const byte = data[i]!
    if (byte === QUOTE) break
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  return hash
}

/** Of an id that is searched for. @returns undefined when lines do not have it as it is: any block may have it */
export function hashOfId(requestId: string): number | undefined {
  const bytes = Buffer.from(JSON.stringify(requestId).slice(1, -1))
  return bytes.length === 0 || bytes.includes(BACKSLASH) ? undefined : hashId(bytes, 0, bytes.length)
}

export function toFilter(hashes: ReadonlySet<number>): Buffer {
  const filter = Buffer.alloc(Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2((hashes.size * BITS) / 8))))
  const mask = filter.length * 8 - 1
  for (const hash of hashes) {
    const step = stepOf(hash)
    for (let i = 0, at = hash; i < PROBES; i++, at = (at + step) | 0) filter[(at & mask) >>> 3]! |= 1 << (at & 7)
  }
  return filter
}

export function mayHave(filter: IdFilter, hash: number): boolean {
  if (filter === undefined) return true
  if (!Buffer.isBuffer(filter)) return filter.has(hash)
  const mask = filter.length * 8 - 1
  const step = stepOf(hash)
  for (let i = 0, at = hash; i < PROBES; i++, at = (at + step) | 0) {
    if ((filter[(at & mask) >>> 3]! & (1 << (at & 7))) === 0) return false
  }
  return true
}

/** From one bit of an id to its next. */
function stepOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) | 1
}
