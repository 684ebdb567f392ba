import { busArn, compileEventPattern, type EventBus, HearthError, matchesEvent, prepareEvent } from '@hearth/shared'
import { z } from 'zod'
import type { EventRules } from './event-rules.ts'
import {
  BusName,
  Description,
  type EventsOperation,
  eventsOperation,
  NewBusName,
  OnBus,
  onBus,
  Page,
  pageOf,
  TagList
} from './model.ts'

/** On buses, and on patterns alone. */
export const BUS_OPERATIONS: readonly EventsOperation[] = [
  eventsOperation({
    name: 'CreateEventBus',
    note: '`EventSourceName`, `KmsKeyIdentifier`, `DeadLetterConfig` and `LogConfig` are refused',
    input: z.strictObject({
      Name: NewBusName,
      Description: Description.optional(),
      Tags: TagList.default([])
    }),
    target: ({ Name }, rules) => onBus(Name, rules),
    run({ Name, Description: text, Tags }, rules) {
      const bus = rules.createBus(Name, text, Tags)
      return { EventBusArn: busArn(rules.scope, bus.name), ...(text === undefined ? {} : { Description: text }) }
    }
  }),
  eventsOperation({
    name: 'UpdateEventBus',
    input: z.strictObject({ Name: NewBusName, Description: Description.optional() }),
    target: ({ Name }, rules) => onBus(Name, rules),
    run({ Name, Description: text }, rules) {
      return viewOf(rules.updateBus(Name, text), rules)
    }
  }),
  eventsOperation({
    name: 'DescribeEventBus',
    input: z.object({ Name: OnBus }),
    target: ({ Name }, rules) => onBus(Name, rules),
    run: ({ Name }, rules) => viewOf(rules.getBus(Name), rules)
  }),
  eventsOperation({
    name: 'DeleteEventBus',
    input: z.object({ Name: BusName }),
    target: ({ Name }, rules) => onBus(Name, rules),
    run({ Name }, rules) {
      rules.deleteBus(Name)
      return undefined
    }
  }),
  eventsOperation({
    name: 'ListEventBuses',
    input: z.object({ NamePrefix: z.string().min(1).max(256).optional(), ...Page }),
    target: () => '*',
    run(input, rules) {
      const { items, next } = pageOf(
        'ListEventBuses',
        input,
        (after, limit) => rules.repository.listBuses(input.NamePrefix ?? '', after, limit),
        ({ name }) => name
      )
      return { EventBuses: items.map((bus) => viewOf(bus, rules)), ...next }
    }
  }),
  eventsOperation({
    name: 'TestEventPattern',
    input: z.object({ EventPattern: z.string().max(4_096), Event: z.string().max(262_144) }),
    target: () => '*',
    run({ EventPattern, Event }) {
      const pattern = compileEventPattern(EventPattern)
      return { Result: matchesEvent(pattern, prepareEvent(objectIn(Event))) }
    }
  })
]

function viewOf({ name, description, createdAt, modifiedAt }: EventBus, { scope }: EventRules) {
  return {
    Name: name,
    Arn: busArn(scope, name),
    ...(description === undefined ? {} : { Description: description }),
    CreationTime: createdAt / 1_000,
    LastModifiedTime: modifiedAt / 1_000
  }
}

function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Told below.
  }
  throw new HearthError('VALIDATION_FAILED', 'Parameter Event is not valid.')
}
