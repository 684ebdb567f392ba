import { archiveArn, busArn, type EventReplay, replayArn } from '@hearth/shared'
import { z } from 'zod'
import type { JsonTarget } from '../json-protocol/operation.ts'
import type { EventRules } from './event-rules.ts'
import { Arn, Description, type EventsOperation, eventsOperation, oneFilter, Page, pageOf } from './model.ts'

const ReplayName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[.\-_A-Za-z0-9]+$/)
const ReplayState = z.enum(['STARTING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'CANCELLED', 'FAILED'])
/** Unix time in s, as the JSON protocol writes times. */
const Time = z.number().min(0).max(8.64e12)
const OneReplay = z.object({ ReplayName })

export const REPLAY_OPERATIONS: readonly EventsOperation[] = [
  eventsOperation({
    name: 'StartReplay',
    note: 'events are sent in the order of their times, up to a thousand in a second, and wait while a function has that many waiting',
    input: z.object({
      ReplayName,
      Description: Description.optional(),
      EventSourceArn: Arn,
      EventStartTime: Time,
      EventEndTime: Time,
      Destination: z.object({ Arn, FilterArns: z.array(Arn).max(100).default([]) })
    }),
    target: ({ ReplayName: name, EventSourceArn, Destination }, rules) => [
      onReplay(name, rules),
      { resource: EventSourceArn },
      { resource: Destination.Arn }
    ],
    run(input, rules) {
      const replay = rules.archives.startReplay(input.ReplayName, {
        archive: input.EventSourceArn,
        destination: input.Destination.Arn,
        rules: input.Destination.FilterArns,
        description: input.Description,
        eventsFrom: Math.round(input.EventStartTime * 1_000),
        eventsUntil: Math.round(input.EventEndTime * 1_000)
      })
      return {
        ReplayArn: replayArn(rules.scope, replay.name),
        State: replay.state,
        ReplayStartTime: replay.startedAt / 1_000
      }
    }
  }),
  eventsOperation({
    name: 'DescribeReplay',
    input: OneReplay,
    target: ({ ReplayName: name }, rules) => onReplay(name, rules),
    run({ ReplayName: name }, rules) {
      const replay = rules.archives.getReplay(name)
      const { description, rules: filters, bus } = replay
      return {
        ...viewOf(replay, rules),
        ReplayArn: replayArn(rules.scope, name),
        ...(description === undefined ? {} : { Description: description }),
        Destination: { Arn: busArn(rules.scope, bus), ...(filters.length === 0 ? {} : { FilterArns: filters }) }
      }
    }
  }),
  eventsOperation({
    name: 'CancelReplay',
    input: OneReplay,
    target: ({ ReplayName: name }, rules) => onReplay(name, rules),
    run({ ReplayName: name }, rules) {
      const { state } = rules.archives.cancelReplay(name)
      return { ReplayArn: replayArn(rules.scope, name), State: state }
    }
  }),
  eventsOperation({
    name: 'ListReplays',
    input: z.object({
      NamePrefix: ReplayName.optional(),
      EventSourceArn: Arn.optional(),
      State: ReplayState.optional(),
      ...Page
    }),
    target: () => '*',
    run(input, rules) {
      const { NamePrefix: prefix, EventSourceArn, State: state } = input
      oneFilter('ListReplays', [prefix, EventSourceArn, state])
      const start = archiveArn(rules.scope, '')
      const source = EventSourceArn?.startsWith(start) === true ? EventSourceArn.slice(start.length) : EventSourceArn
      const { items, next } = pageOf(
        'ListReplays',
        input,
        (after, limit) => rules.archives.repository.listReplays({ prefix, source, state }, after, limit),
        ({ name }) => name
      )
      return { Replays: items.map((replay) => viewOf(replay, rules)), ...next }
    }
  })
]

function onReplay(name: string, { scope }: EventRules): JsonTarget {
  return { resource: replayArn(scope, name) }
}

function viewOf(replay: EventReplay, { scope }: EventRules) {
  const times = Object.entries({ EventLastReplayedTime: replay.lastEventAt, ReplayEndTime: replay.endedAt })
  return {
    ReplayName: replay.name,
    EventSourceArn: archiveArn(scope, replay.archive),
    State: replay.state,
    ...(replay.reason === undefined ? {} : { StateReason: replay.reason }),
    EventStartTime: replay.eventsFrom / 1_000,
    EventEndTime: replay.eventsUntil / 1_000,
    ReplayStartTime: replay.startedAt / 1_000,
    ...Object.fromEntries(times.flatMap(([name, at]) => (at === undefined ? [] : [[name, at / 1_000]])))
  }
}
