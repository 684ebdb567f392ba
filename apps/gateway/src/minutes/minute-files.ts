import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import { type Dimensions, MinuteTable, type Tally, type Way, WIDTH } from './minute-table.ts'

/** Of another format, or of another division into reports, nothing is read. */
const FORMAT = 1
/** Rows of one piece, each with its buckets: half a MiB at most. */
const ROWS = 250

interface Head {
  readonly format: number
  readonly at: number
  readonly rows: number
}

interface Piece {
  readonly ways: readonly Way[]
  readonly values: Float64Array
  /** By row, of those that have some. */
  readonly buckets: readonly (readonly [row: number, buckets: Uint32Array])[]
}

interface SavedTally extends Omit<Tally, 'buckets'> {
  readonly metric: string
  readonly durations: readonly (readonly [ms: number, count: number])[] | undefined
}

type SavedTallies = readonly (readonly [dimensions: Dimensions, tallies: readonly SavedTally[]])[]

/** Minutes on disk, one file each: what was counted outlives a process that is killed. */
export interface MinuteFiles {
  /** Writes all that the minute has now, in pieces, and resolves when that is its file. @returns bytes */
  save(at: number, table: MinuteTable): Promise<number>
  /** It was told. */
  remove(key: string): Promise<void>
  /** What the process before has left, the oldest first; what cannot be read is removed. */
  load(): Promise<readonly (readonly [at: number, table: MinuteTable])[]>
}

/** @param dir - Made when it is needed; nobody else writes there */
export function createMinuteFiles(dir: string): MinuteFiles {
  const fileOf = (key: string): string => path.join(dir, `${key}.minute`)
  return {
    async save(at, table) {
      const file = fileOf(table.key)
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const handle = await open(`${file}.new`, 'w', 0o600)
      let bytes = 0
      try {
        for (const piece of piecesOf(at, table)) {
          const body = serialize(piece)
          const length = Buffer.alloc(4)
          length.writeUInt32LE(body.length)
          bytes += (await handle.writev([length, body])).bytesWritten
          await nextTurn()
        }
      } finally {
        await handle.close()
      }
      await rename(`${file}.new`, file)
      return bytes
    },
    remove: (key) => unlink(fileOf(key)).catch(ignoreMissing),
    async load() {
      const loaded: [number, MinuteTable][] = []
      for (const name of await readdir(dir).catch(() => [])) {
        const file = path.join(dir, name)
        const table = name.endsWith('.minute') ? await read(file, name.slice(0, -7)).catch(() => undefined) : undefined
        if (table === undefined) await unlink(file).catch(ignoreMissing)
        else loaded.push(table)
      }
      return loaded.sort(([a], [b]) => a - b)
    }
  }
}

/** Rows are consistent, each by itself, also while calls go on being counted. */
function* piecesOf(at: number, table: MinuteTable): Generator<Head | Piece | SavedTallies> {
  const rows = table.ways.length
  const tallies: SavedTallies = [...table.tallies()].map(([dimensions, of]) => [dimensions, [...of].map(saved)])
  yield { format: FORMAT, at, rows } satisfies Head
  for (let from = 0; from < rows; from += ROWS) {
    const to = Math.min(rows, from + ROWS)
    const buckets: [number, Uint32Array][] = []
    for (let row = from; row < to; row++) {
      const own = table.bucketsOf(row)
      if (own !== undefined) buckets.push([row, own.slice()])
    }
    yield { ways: table.ways.slice(from, to), values: table.values.slice(from * WIDTH, to * WIDTH), buckets }
  }
  yield tallies
}

function saved([metric, { count, sum, min, max, buckets }]: [metric: string, tally: Tally]): SavedTally {
  return { metric, count, sum, min, max, durations: buckets?.values() }
}

/** @throws Error when it is none, or of another format */
async function read(file: string, key: string): Promise<[at: number, table: MinuteTable]> {
  const text = await readFile(file)
  let position = 0
  const next = (): unknown => {
    const length = text.readUInt32LE(position)
    const piece = text.subarray(position + 4, position + 4 + length)
    if (piece.length < length) throw new Error('it is cut off')
    position += 4 + length
    return deserialize(piece)
  }
  const { format, at, rows } = next() as Head
  if (format !== FORMAT) throw new Error('another format')
  const table = new MinuteTable(rows, key)
  while (table.ways.length < rows) {
    const { ways, values, buckets } = next() as Piece
    const first = table.ways.length
    table.restoreRows(ways, values, new Map(buckets.map(([row, own]) => [row - first, own])))
    await nextTurn()
  }
  for (const [dimensions, tallies] of next() as SavedTallies) {
    for (const { metric, durations, ...figures } of tallies) table.restoreTally(dimensions, metric, figures, durations)
  }
  table.seal()
  return [at, table]
}

function ignoreMissing(thrown: unknown): void {
  if ((thrown as { code?: unknown }).code !== 'ENOENT') throw thrown
}
