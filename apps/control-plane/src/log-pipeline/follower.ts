import { isBefore, type LogCursors, type LogEvent, type LogLoss, type LogPosition, type LogReader } from '@hearth/store'

export interface FollowerOptions {
  readonly reader: LogReader
  readonly cursors: LogCursors
  /** Whose cursors. */
  readonly name: string
  /** Unix time in ms: events that were taken before are not for it. Where it is known already, what was said then holds. */
  readonly since: number
  /** Events were removed before they were read: about so many bytes. */
  readonly onGap: (group: string, bytes: number) => void
}

/** Events of a group, in their order, that are to be done next. */
export interface Stretch {
  readonly group: string
  readonly events: readonly LogEvent[]
  readonly end: LogPosition
  /** There are no more now. */
  readonly isAll: boolean
  /** It was begun before, and may be done in part. */
  readonly isAgain: boolean
  /** Bytes of what was removed before it was read, between these events or before them; undefined: nothing was. */
  readonly lostBytes: number | undefined
}

export interface StretchLimits {
  readonly events: number
  /** Characters of messages; one event may have more. */
  readonly characters: number
}

/** Somebody who follows logs from a durable place on. */
export interface Follower {
  /** @returns undefined when there is nothing new */
  next(group: string, limits: StretchLimits): Promise<Stretch | undefined>
  /** It is about to be handed over: if that is cut short, just this comes again. */
  begin(stretch: Stretch): void
  /** In a transaction of the caller's, perhaps. */
  finish(stretch: Stretch): void
}

export function createFollower({ reader, cursors, name, since, onGap }: FollowerOptions): Follower {
  const from = cursors.register(name, since)

  /** The last event that is not for it. */
  async function startOf(group: string): Promise<LogPosition | undefined> {
    const facts = await reader.group(group)
    if (facts === undefined || facts.createdAt >= from) return undefined
    for await (const events of reader.read(group, { backwards: true })) {
      const found = events.find(({ ingestedAt }) => ingestedAt < from)
      if (found !== undefined) return found.position
    }
    return undefined
  }

  return {
    async next(group, limits) {
      let cursor = cursors.find(name, group)
      if (cursor === undefined) {
        cursors.save(name, group, await startOf(group))
        cursor = cursors.find(name, group)!
      }
      const { position: after, until } = cursor
      let lost: { bytes: number; until: LogPosition } | undefined
      const onLoss = ({ bytes, until: last }: LogLoss): void => {
        lost = { bytes: (lost?.bytes ?? 0) + bytes, until: last }
      }
      const { events, isAll } = await collect(reader.read(group, { after, onLoss }), limits, until)
      const last = events.at(-1)?.position
      if (last === undefined) {
        // What was under way, or all that there was, has been removed meanwhile.
        const end = furthest(until, lost?.until)
        if (end !== undefined) cursors.save(name, group, end)
        if (lost !== undefined) onGap(group, lost.bytes)
        return undefined
      }
      // Up to the last that is gone nothing is left to read.
      const end = furthest(until ?? last, lost?.until)!
      return { group, events, end, isAll, isAgain: until !== undefined, lostBytes: lost?.bytes }
    },
    begin({ group, end, isAgain }) {
      if (!isAgain) cursors.plan(name, group, end)
    },
    finish({ group, end, lostBytes }) {
      cursors.save(name, group, end)
      if (lostBytes !== undefined) onGap(group, lostBytes)
    }
  }
}

function furthest(a: LogPosition | undefined, b: LogPosition | undefined): LogPosition | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return isBefore(b, a) ? a : b
}

async function collect(
  batches: AsyncIterable<readonly LogEvent[]>,
  limits: StretchLimits,
  until: LogPosition | undefined
): Promise<{ readonly events: readonly LogEvent[]; readonly isAll: boolean }> {
  const events: LogEvent[] = []
  let characters = 0
  for await (const batch of batches) {
    for (const event of batch) {
      const isFull = events.length >= limits.events || (events.length > 0 && characters >= limits.characters)
      // What was begun is done again as it was: its end is the limit.
      if (until === undefined ? isFull : isBefore(until, event.position)) return { events, isAll: false }
      events.push(event)
      characters += event.message.length
    }
  }
  return { events, isAll: until === undefined }
}
