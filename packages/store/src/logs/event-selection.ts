import { hashOfId, mayHave } from './id-filter.ts'
import { eachLine, readHead, readLine, requestNeedle, textNeedle } from './lines.ts'
import type { Block, SegmentIndex } from './segment-scan.ts'
import type { LogCut, LogEvent, LogPosition, LogQuery } from './types.ts'

/** Events decoded between two turns of the event loop. */
const BATCH = 500

/** What of a group a query wants. */
export function selectEvents(group: string, query: LogQuery, cuts: readonly LogCut[]) {
  const { after, backwards = false, streams, functionName, requestId, text } = query
  const since = query.since ?? Number.NEGATIVE_INFINITY
  const until = query.until ?? Number.POSITIVE_INFINITY
  const needles: Buffer[] = []
  if (requestId !== undefined) needles.push(requestNeedle(requestId))
  if (text !== undefined) needles.push(textNeedle(text))
  const idHash = requestId === undefined ? undefined : hashOfId(requestId)

  const wantsStream = (name: string, ingestedAt: number): boolean =>
    streams?.(name) !== false && !cuts.some((cut) => (cut.stream === '' || cut.stream === name) && ingestedAt <= cut.at)

  function isBehind(position: LogPosition): boolean {
    if (after === undefined) return true
    const distance = position.segment - after.segment || position.offset - after.offset
    return backwards ? distance < 0 : distance > 0
  }

  function pick(line: Buffer, position: LogPosition): LogEvent | undefined {
    if (!isBehind(position) || !needles.every((needle) => line.includes(needle))) return undefined
    const head = readHead(line)
    if (head === undefined || head.at < since || head.at >= until) return undefined
    const event = readLine(line, position, group)
    if (event === undefined || !wantsStream(event.stream, event.ingestedAt)) return undefined
    if (requestId !== undefined && event.requestId !== requestId) return undefined
    if (text !== undefined && !event.message.includes(text)) return undefined
    return functionName === undefined || event.functionName === functionName ? event : undefined
  }

  return {
    overlaps: ({ from, to }: { readonly from: number; readonly to: number }): boolean => from < until && to >= since,
    hasStream: (index: SegmentIndex): boolean =>
      (streams === undefined && cuts.length === 0) ||
      index.streams.some((span) => wantsStream(span.name, span.ingestedAt)),
    isReached: (segment: number, { offset, bytes }: Block): boolean =>
      backwards ? isBehind({ segment, offset }) : isBehind({ segment, offset: offset + bytes - 1 }),
    /** Few blocks have what is searched for. */
    isSearch: needles.length > 0,
    /** Most blocks have nothing of one request: they are not read. */
    mayHaveId: ({ ids }: Block): boolean => idHash === undefined || mayHave(ids, idHash),
    /** Nor are they looked at line by line. */
    mayBeIn: (lines: Buffer): boolean => needles.every((needle) => lines.includes(needle)),
    /** In the query's direction. */
    *events(data: Buffer, segment: number, offset: number): Generator<LogEvent[]> {
      const starts: number[] = []
      const end = eachLine(data, (_line, start) => starts.push(start))
      let batch: LogEvent[] = []
      for (let i = 0; i < starts.length; i++) {
        const line = backwards ? starts.length - 1 - i : i
        const start = starts[line]!
        const event = pick(data.subarray(start, (starts[line + 1] ?? end) - 1), { segment, offset: offset + start })
        if (event !== undefined) batch.push(event)
        if (i % BATCH !== BATCH - 1) continue
        yield batch
        batch = []
      }
      yield batch
    }
  }
}
