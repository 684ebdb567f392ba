import type { LogEvent } from '@hearth/store'

/** An event and where it stands. */
export interface ExportedEvent {
  readonly group: string
  readonly event: LogEvent
}

/** How a kind of target is told of events. */
export interface Encoding {
  /** JSON. */
  encode(events: readonly ExportedEvent[]): string
  /** @param answer - Body of a successful answer. @returns how many events it says it did not take */
  rejectedIn(answer: string): number
}

/** What the events are of, as dashboards ask for it. */
export function serviceOf({ group, event }: ExportedEvent): string {
  return event.functionName === '' ? group : event.functionName
}

const NS_PER_MS = 1_000_000n
/** A line has more bytes than this, so that no two lines of one file have the same number. */
const LEAST_LINE = 17

/**
 * Unix time in ns, as text: doubles have no room for it. What was written in one ms stays in order, equal lines stay apart,
 * and an event has the same time whenever it is sent.
 */
export function nanoseconds({ at, position }: LogEvent): string {
  const within = BigInt(Math.floor(position.offset / LEAST_LINE)) % NS_PER_MS
  return String(BigInt(Math.trunc(at)) * NS_PER_MS + within)
}
