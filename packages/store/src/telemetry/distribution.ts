import type { StatisticSet } from './types.ts'

export type Distribution = readonly (readonly [value: number, count: number])[]

/** Neighbouring buckets' bounds differ by this factor: a value read back is within 1 % of the one put in. */
const GROWTH = Math.log(1.02)
/** Numbers nearer to zero are zero. */
const SMALLEST = 1e-9
/** Makes the number of every bucket of a positive value positive. */
const OFFSET = Math.ceil(-Math.log(SMALLEST) / GROWTH) + 1
/** Few distinct values are kept as they are. */
const EXACT_VALUES = 12
/** With more buckets than this, two become one until they fit. */
const MAX_BUCKETS = 512
const EXACT = 255

/**
 * Values by frequency as a few bytes: up to a dozen distinct values exactly, more in logarithmic buckets (1 % of
 * error; with a wide spread 2 %, 4 % and so on).
 *
 * @returns null when there is nothing to say beyond minimum and maximum
 */
export function encodeDistribution({ min, max, distribution }: StatisticSet): Buffer | null {
  if (distribution === undefined || min === max) return null
  const out: number[] = []
  const exact = merged(distribution)
  if (exact.length <= EXACT_VALUES) {
    out.push(EXACT)
    const head = Buffer.alloc(exact.length * 8)
    exact.forEach(([value], i) => head.writeDoubleLE(value, i * 8))
    writeNumber(out, exact.length)
    for (const [, count] of exact) writeNumber(out, count)
    return Buffer.concat([Buffer.from(out), head])
  }
  let level = 0
  let buckets = bucketsOf(exact, level)
  while (buckets.size > MAX_BUCKETS) buckets = bucketsOf(exact, ++level)
  out.push(level)
  let before = 0
  for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
    const step = bucket - before
    writeNumber(out, step < 0 ? -step * 2 - 1 : step * 2)
    writeNumber(out, count)
    before = bucket
  }
  return Buffer.from(out)
}

/** The inverse of {@link encodeDistribution}, with minimum and maximum exact. */
export function decodeDistribution(
  bytes: Buffer | null,
  { count, min, max }: Pick<StatisticSet, 'count' | 'min' | 'max'>
): Distribution | undefined {
  if (bytes === null) return min === max || count === 1 ? [[min, count]] : undefined
  const reader = { bytes, at: 1 }
  const pairs: [number, number][] = []
  if (bytes[0] === EXACT) {
    const length = readNumber(reader)
    for (let i = 0; i < length; i++) pairs.push([0, readNumber(reader)])
    for (const pair of pairs) {
      pair[0] = bytes.readDoubleLE(reader.at)
      reader.at += 8
    }
    return pairs
  }
  const level = bytes[0]!
  let bucket = 0
  while (reader.at < bytes.length) {
    const step = readNumber(reader)
    bucket += step % 2 === 1 ? -(step + 1) / 2 : step / 2
    pairs.push([Math.min(max, Math.max(min, valueOf(bucket, level))), readNumber(reader)])
  }
  return pairs
}

/** Both together; without a distribution when one of them has none. */
export function combine(a: StatisticSet, b: StatisticSet): StatisticSet {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    distribution: a.distribution && b.distribution && [...a.distribution, ...b.distribution]
  }
}

/** Sorted by value, each value once. */
export function merged(distribution: Distribution): [value: number, count: number][] {
  const sorted = [...distribution].sort(([a], [b]) => a - b)
  const out: [number, number][] = []
  for (const [value, count] of sorted) {
    const last = out.at(-1)
    if (last?.[0] === value) last[1] += count
    else if (count > 0) out.push([value, count])
  }
  return out
}

function bucketsOf(values: Distribution, level: number): Map<number, number> {
  const buckets = new Map<number, number>()
  for (const [value, count] of values) {
    const bucket = bucketOf(value, level)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  }
  return buckets
}

function bucketOf(value: number, level: number): number {
  const size = Math.abs(value)
  if (size < SMALLEST) return 0
  const index = Math.floor((Math.floor(Math.log(size) / GROWTH) + OFFSET) / 2 ** level) + 1
  return value < 0 ? -index : index
}

function valueOf(bucket: number, level: number): number {
  if (bucket === 0) return 0
  const low = (Math.abs(bucket) - 1) * 2 ** level - OFFSET
  return Math.sign(bucket) * Math.exp((low + 2 ** level / 2) * GROWTH)
}

/** Counts may be fractions (CloudWatch takes any number): those are written with an escape. */
function writeNumber(out: number[], value: number): void {
  if (!Number.isSafeInteger(value)) {
    // No number begins with an empty continuation.
    out.push(0x80, 0x00)
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    out.push(...bytes)
    return
  }
  let rest = value
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  out.push(rest)
}

function readNumber(reader: { readonly bytes: Buffer; at: number }): number {
  const { bytes } = reader
  if (bytes[reader.at] === 0x80 && bytes[reader.at + 1] === 0x00) {
    const value = bytes.readDoubleLE(reader.at + 2)
    reader.at += 10
    return value
  }
  let value = 0
  let scale = 1
  for (;;) {
    const byte = bytes[reader.at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
    scale *= 0x80
  }
}
