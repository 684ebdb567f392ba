import { open } from 'node:fs/promises'
import { listSegments, logDirOf, segmentFile } from './log-segments.ts'

export interface LogQuery {
  /** ISO 8601 in UTC with milliseconds, or '' for all that is kept. */
  readonly since: string
  readonly requestId: string
  /** At most this many lines: the newest. */
  readonly limit: number
}

const CHUNK_BYTES = 262_144
/** Where the time stands in a line: the writer's own layout. */
const TIME_START = '{"t":"'.length
const TIME_END = TIME_START + 24

/**
 * Lines of one function, as they are in its files, newest last. Reads from the newest file backwards and only as far
 * as `limit` needs; never more than one chunk of work between two turns of the event loop.
 */
export async function readLog(logsDir: string, functionName: string, query: LogQuery): Promise<Buffer> {
  const dir = logDirOf(logsDir, functionName)
  const segments = await listSegments(dir)
  const needle = query.requestId === '' ? undefined : Buffer.from(`"requestId":${JSON.stringify(query.requestId)},`)
  let found: Buffer[] = []
  for (let i = segments.length - 1; i >= 0 && found.length < query.limit; i--) {
    const lines = await readSegment(
      segmentFile(dir, segments[i]!.number),
      needle,
      query.since,
      query.limit - found.length
    )
    if (lines === undefined) continue
    found = [...lines.kept, ...found]
    // Files are in order of time: when this one reaches back before `since`, the older ones have nothing.
    if (lines.olderSeen) break
  }
  return Buffer.concat(found)
}

interface SegmentLines {
  readonly kept: Buffer[]
  readonly olderSeen: boolean
}

/** @returns undefined when the file is gone: the writer removes the oldest at any time */
async function readSegment(
  file: string,
  needle: Buffer | undefined,
  since: string,
  limit: number
): Promise<SegmentLines | undefined> {
  const handle = await open(file, 'r').catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return undefined
    throw err
  })
  if (handle === undefined) return undefined
  try {
    let kept: Buffer[] = []
    let olderSeen = false
    let rest = Buffer.alloc(0)
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES)
      if (bytesRead === 0) break
      const data =
        rest.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      let start = 0
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
        const line = data.subarray(start, end + 1)
        start = end + 1
        // A line that a crash cut short has no closing brace.
        if (line.length < TIME_END || line[line.length - 2] !== 0x7d) continue
        if (since !== '' && line.toString('latin1', TIME_START, TIME_END) < since) {
          olderSeen = true
          continue
        }
        if (needle !== undefined && line.indexOf(needle) === -1) continue
        kept.push(line)
      }
      rest = data.subarray(start)
      // Let go of the chunks behind lines that will not be answered.
      if (kept.length > 2 * limit) kept = kept.slice(-limit).map((line) => Buffer.from(line))
    }
    return { kept: kept.slice(-limit), olderSeen }
  } finally {
    await handle.close()
  }
}
