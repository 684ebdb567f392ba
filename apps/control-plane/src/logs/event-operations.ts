import { compileLogFilter, logEventIds } from '@hearth/shared'
import type { LogEvent, LogPosition } from '@hearth/store'
import { z } from 'zod'
import { type EventPage, readPage } from './event-pages.ts'
import {
  FilterPattern,
  groupNameOf,
  type LogsOperation,
  logsOperation,
  OfGroup,
  onGroup,
  onStream,
  StreamName,
  Time,
  Token
} from './operation.ts'
import { invalid } from './refusals.ts'
import { BEGINNING, fromStreamToken, fromToken, toStreamToken, toToken } from './tokens.ts'

const Limit = z.int().min(1).max(10_000).default(10_000)

/** Reading what was written. */
export const EVENT_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'GetLogEvents',
    note: '`unmask` changes nothing: nothing is masked',
    input: z.object({
      ...OfGroup,
      logStreamName: StreamName,
      startTime: Time.optional(),
      endTime: Time.optional(),
      nextToken: Token.optional(),
      limit: Limit,
      startFromHead: z.boolean().default(false),
      unmask: z.boolean().optional()
    }),
    target: (input, groups) => onStream(groupNameOf(input, groups.scope), input.logStreamName, groups),
    async run(input, groups) {
      const { logStreamName, startTime, endTime, nextToken, limit, startFromHead } = input
      const group = groupNameOf(input, groups.scope)
      checkTimes(startTime, endTime)
      const of = `${group}\n${logStreamName}`
      const token = nextToken === undefined ? undefined : fromStreamToken(nextToken, of)
      await groups.requireStream(group, logStreamName)
      const backwards = token === undefined ? !startFromHead : token.direction === 'b'
      const page = await readPage(groups.reader, group, {
        query: {
          after: token?.at,
          backwards,
          since: startTime,
          until: endTime,
          streams: (name) => name === logStreamName
        },
        limit
      })
      const { events, first, last } = inOrder(page, backwards)
      const before = first ?? token?.at ?? BEGINNING
      const behind = last ?? token?.at ?? BEGINNING
      return {
        events: events.map(({ at, message, ingestedAt }) => ({ timestamp: at, message, ingestionTime: ingestedAt })),
        nextForwardToken: toStreamToken('f', of, behind),
        nextBackwardToken: toStreamToken('b', of, before)
      }
    }
  }),
  logsOperation({
    name: 'FilterLogEvents',
    note: 'events are in the order in which they were written, and within a page in the order of their times',
    input: z.object({
      ...OfGroup,
      logStreamNames: z.array(StreamName).min(1).max(100).optional(),
      logStreamNamePrefix: StreamName.optional(),
      startTime: Time.optional(),
      endTime: Time.optional(),
      filterPattern: FilterPattern.default(''),
      nextToken: Token.optional(),
      limit: Limit,
      interleaved: z.boolean().optional(),
      startFromHead: z.boolean().default(true),
      unmask: z.boolean().optional()
    }),
    target: (input, groups) => onGroup(groupNameOf(input, groups.scope), groups),
    async run(input, groups) {
      const { logStreamNames, logStreamNamePrefix: prefix, startTime, endTime, filterPattern, startFromHead } = input
      const group = groupNameOf(input, groups.scope)
      if (logStreamNames !== undefined && prefix !== undefined) {
        throw invalid('logStreamNamePrefix and logStreamNames are mutually exclusive parameters.')
      }
      checkTimes(startTime, endTime)
      const filter = compileLogFilter(filterPattern)
      const query = ['filter', group, logStreamNames, prefix, startTime, endTime, filterPattern, startFromHead]
      const after =
        input.nextToken === undefined ? undefined : toPosition(fromToken(input.nextToken, query, groups.now()))
      await groups.require(group)
      const page = await readPage(groups.reader, group, {
        query: {
          after,
          backwards: !startFromHead,
          since: startTime,
          // Of this operation the end belongs to it.
          until: endTime === undefined ? undefined : endTime + 1,
          streams: streamTest(logStreamNames, prefix)
        },
        limit: input.limit,
        wanted: filterPattern.trim() === '' ? undefined : ({ message }) => filter.matches(message)
      })
      const eventId = logEventIds(group)
      const events = startFromHead ? byTime(page.events) : byTime([...page.events].reverse()).reverse()
      return {
        events: events.map((event) => ({
          logStreamName: event.stream,
          timestamp: event.at,
          message: event.message,
          ingestionTime: event.ingestedAt,
          eventId: eventId(event)
        })),
        searchedLogStreams: [],
        ...(page.isEnd || page.last === undefined
          ? {}
          : { nextToken: toToken(query, [page.last.segment, page.last.offset], groups.now()) })
      }
    }
  })
]

/** @throws HearthError VALIDATION_FAILED */
function checkTimes(startTime: number | undefined, endTime: number | undefined): void {
  if (startTime !== undefined && endTime !== undefined && startTime > endTime) {
    throw invalid('endTime must be greater than or equal to startTime.')
  }
}

function streamTest(names: readonly string[] | undefined, prefix: string | undefined) {
  if (prefix !== undefined) return (name: string) => name.startsWith(prefix)
  if (names === undefined) return undefined
  const wanted = new Set(names)
  return (name: string) => wanted.has(name)
}

function toPosition(after: readonly (string | number)[]): LogPosition {
  return { segment: Number(after[0]), offset: Number(after[1]) }
}

/** Lines of one stream are stamped by the runtime and by the server, whose clocks are read a moment apart. */
const SAME_MOMENT_MS = 1_000

/** In the order of their times, but what one stream wrote within a moment as it was written. @param events - As written */
function byTime(events: readonly LogEvent[]): LogEvent[] {
  const last = new Map<string, number>()
  const timed = events.map((event) => {
    const before = last.get(event.stream) ?? event.at
    const at = before > event.at && before - event.at <= SAME_MOMENT_MS ? before : event.at
    last.set(event.stream, at)
    return { event, at }
  })
  return timed.sort((a, b) => a.at - b.at || a.event.ingestedAt - b.event.ingestedAt).map(({ event }) => event)
}

/** Events of a page, and its ends, from the older to the newer. */
function inOrder({ events, last }: EventPage, backwards: boolean) {
  const first = events[0]?.position
  const end = last ?? events.at(-1)?.position
  return backwards
    ? { events: [...events].reverse(), first: end, last: first ?? end }
    : { events, first: first ?? end, last: end }
}
