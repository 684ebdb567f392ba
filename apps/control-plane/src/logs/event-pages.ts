import type { LogEvent, LogPosition, LogQuery, LogReader } from '@hearth/store'

/** Of an answer, counted as AWS does: bytes of UTF-8, and something for each event. */
const PAGE_BYTES = 1_048_576
const EVENT_BYTES = 26
/** A page that takes longer is answered as it is: the next one goes on. */
const PAGE_MS = 1_000

export interface PageRequest {
  readonly query: LogQuery
  /** At most so many events. */
  readonly limit: number
  readonly wanted?: ((event: LogEvent) => boolean) | undefined
}

export interface EventPage {
  /** In the direction of reading. */
  readonly events: readonly LogEvent[]
  /** Position of the last event that was looked at; undefined: there was none. */
  readonly last: LogPosition | undefined
  /** Whether nothing is left. */
  readonly isEnd: boolean
}

/** Reads as much as one answer takes: events, bytes, or time. */
export async function readPage(
  reader: LogReader,
  group: string,
  { query, limit, wanted }: PageRequest
): Promise<EventPage> {
  const events: LogEvent[] = []
  const endsAt = performance.now() + PAGE_MS
  let bytes = 0
  let last: LogPosition | undefined
  for await (const batch of reader.read(group, query)) {
    for (const event of batch) {
      if (wanted === undefined || wanted(event)) {
        const own = Buffer.byteLength(event.message) + EVENT_BYTES
        if (events.length >= limit || (events.length > 0 && bytes + own > PAGE_BYTES))
          return { events, last, isEnd: false }
        bytes += own
        events.push(event)
      }
      last = event.position
    }
    if (performance.now() > endsAt) return { events, last, isEnd: false }
  }
  return { events, last, isEnd: true }
}
