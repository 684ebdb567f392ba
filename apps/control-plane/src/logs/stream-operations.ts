import { createHash } from 'node:crypto'
import { logGroupArn } from '@hearth/shared'
import { z } from 'zod'
import type { KnownStream, LogGroups } from './log-groups.ts'
import {
  GroupName,
  groupNameOf,
  type LogsOperation,
  logsOperation,
  OfGroup,
  onGroup,
  onStream,
  StreamName,
  Token
} from './operation.ts'
import { invalid } from './refusals.ts'
import { fromToken, toToken } from './tokens.ts'

const PAGE = 50

/** Log streams. */
export const STREAM_OPERATIONS: readonly LogsOperation[] = [
  logsOperation({
    name: 'CreateLogStream',
    input: z.object({ logGroupName: GroupName, logStreamName: StreamName }),
    target: ({ logGroupName }, groups) => onGroup(logGroupName, groups),
    async run({ logGroupName, logStreamName }, groups) {
      await groups.createStream(logGroupName, logStreamName)
      return undefined
    }
  }),
  logsOperation({
    name: 'DeleteLogStream',
    input: z.object({ logGroupName: GroupName, logStreamName: StreamName }),
    target: ({ logGroupName, logStreamName }, groups) => onStream(logGroupName, logStreamName, groups),
    async run({ logGroupName, logStreamName }, groups) {
      await groups.removeStream(logGroupName, logStreamName)
      return undefined
    }
  }),
  logsOperation({
    name: 'DescribeLogStreams',
    input: z.object({
      ...OfGroup,
      logStreamNamePrefix: StreamName.optional(),
      orderBy: z.enum(['LogStreamName', 'LastEventTime']).default('LogStreamName'),
      descending: z.boolean().default(false),
      nextToken: Token.optional(),
      limit: z.int().min(1).max(PAGE).default(PAGE)
    }),
    target: (input, groups) => onGroup(groupNameOf(input, groups.scope), groups),
    async run(input, groups) {
      const { logStreamNamePrefix: prefix, orderBy, descending, nextToken, limit } = input
      if (prefix !== undefined && orderBy === 'LastEventTime') {
        throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.')
      }
      const group = groupNameOf(input, groups.scope)
      const keyOf = (stream: KnownStream): Key => [orderBy === 'LastEventTime' ? lastOf(stream) : 0, stream.name]
      const query = ['streams', group, prefix, orderBy, descending]
      const after = nextToken === undefined ? undefined : toKey(fromToken(nextToken, query, groups.now()))
      const found = (await groups.streams(group))
        .filter(({ name }) => name.startsWith(prefix ?? ''))
        .map((stream) => ({ stream, key: keyOf(stream) }))
        .sort((a, b) => (descending ? compare(b.key, a.key) : compare(a.key, b.key)))
        .filter(({ key }) => after === undefined || (descending ? compare(after, key) : compare(key, after)) > 0)
      const page = found.slice(0, limit)
      const last = page.at(-1)
      return {
        logStreams: page.map(({ stream }) => viewOf(group, stream, groups)),
        ...(found.length > limit ? { nextToken: toToken(query, last!.key, groups.now()) } : {})
      }
    }
  })
]

type Key = readonly [time: number, name: string]

function toKey(after: readonly (string | number)[]): Key {
  return [Number(after[0]), String(after[1])]
}

function compare(a: Key, b: Key): number {
  if (a[0] !== b[0]) return a[0] - b[0]
  return a[1] === b[1] ? 0 : a[1] < b[1] ? -1 : 1
}

function lastOf({ createdAt, events }: KnownStream): number {
  return events?.lastEventAt ?? createdAt
}

function viewOf(group: string, { name, createdAt, events }: KnownStream, { scope }: LogGroups) {
  return {
    logStreamName: name,
    creationTime: createdAt,
    ...(events === undefined
      ? {}
      : {
          firstEventTimestamp: events.firstEventAt,
          lastEventTimestamp: events.lastEventAt,
          lastIngestionTime: events.lastIngestedAt
        }),
    uploadSequenceToken: sequenceToken(group, name),
    arn: `${logGroupArn(scope, group)}:log-stream:${name}`,
    // AWS stopped counting.
    storedBytes: 0
  }
}

/** Clients send it along; nobody reads it. */
export function sequenceToken(group: string, stream: string): string {
  const digest = createHash('sha256').update(`${group}\n${stream}`).digest('hex')
  return String(BigInt(`0x${digest}`))
    .slice(0, 56)
    .padStart(56, '4')
}
