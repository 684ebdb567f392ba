import { type ArnScope, busArn, contextKeys, DEFAULT_BUS, HearthError, ruleArn, type Wish } from '@hearth/shared'
import { z } from 'zod'
import { tagItem } from '../access/tags.ts'
import { ANY_KEY, readPage } from '../http/cursor.ts'
import {
  defineJsonOperation,
  type JsonOperation,
  type JsonOperationDefinition,
  type JsonTarget
} from '../json-protocol/operation.ts'
import type { EventRules } from './event-rules.ts'

// Constraints of EventBridge's service model.

export const RuleName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[.\-_A-Za-z0-9]+$/)
/** A bus by its name or its ARN. */
export const BusName = z
  .string()
  .min(1)
  .max(1_600)
  .regex(/^(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/.\-_A-Za-z0-9]+$/)
  .transform((text) => (text.startsWith('arn:') ? text.slice(text.indexOf('/') + 1) : text))
export const OnBus = BusName.default(DEFAULT_BUS)
export const NewBusName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[/.\-_A-Za-z0-9]+$/)
export const ArchiveName = z
  .string()
  .min(1)
  .max(48)
  .regex(/^[.\-_A-Za-z0-9]+$/)
export const Description = z.string().max(512)
export const Arn = z.string().min(1).max(1_600)
export const State = z.enum(['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'])
export const TagKey = z.string().min(1).max(128)
export const TagList = z.array(tagItem(z.string().max(256))).max(50)
export const Page = { NextToken: z.string().min(1).max(2_048).optional(), Limit: z.int().min(1).max(100).optional() }

const PAGE = 100

export type EventsOperation = JsonOperation<EventRules>

export function eventsOperation<Input extends z.ZodType>(
  definition: JsonOperationDefinition<EventRules, Input>
): EventsOperation {
  return defineJsonOperation<EventRules, Input>(definition)
}

/** A page of a list that is in the order of its keys. @param input - With the list's filters */
export function pageOf<Item>(
  operation: string,
  input: { readonly NextToken?: string | undefined; readonly Limit?: number | undefined },
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): { readonly items: readonly Item[]; readonly next: { readonly NextToken?: string } } {
  const { NextToken: cursor, Limit: limit = PAGE, ...filters } = input
  const request = { query: [operation, filters], cursor, limit, key: ANY_KEY, member: 'NextToken' } as const
  const { items, next } = readPage(request, read, keyOf)
  return { items, next: next === undefined ? {} : { NextToken: next } }
}

/** @throws HearthError VALIDATION_FAILED when more than one is said */
export function oneFilter(operation: string, filters: readonly (string | undefined)[]): void {
  if (filters.filter((filter) => filter !== undefined).length <= 1) return
  throw new HearthError(
    'VALIDATION_FAILED',
    `At most one filter is allowed for ${operation}. Use either : State, EventSourceArn, or NamePrefix.`
  )
}

export function onBus(bus: string, { scope }: { readonly scope: ArnScope }): JsonTarget {
  return { resource: busArn(scope, bus) }
}

export function onRule(bus: string, rule: string, { scope }: { readonly scope: ArnScope }): JsonTarget {
  return { resource: ruleArn(scope, bus, rule) }
}

/** Whoever names a role hands its rights on. */
export function passRole(roleArn: string | undefined, service: string): readonly (Wish & JsonTarget)[] {
  if (roleArn === undefined) return []
  const context = { 'iam:PassedToService': service }
  return [{ action: 'iam:PassRole', resource: roleArn, context, keys: contextKeys(context) }]
}

/** @throws HearthError UNSUPPORTED_FEATURE */
export function refuseMembers(input: object, supported: ReadonlySet<string>, where: string): void {
  const other = Object.keys(input).find((name) => !supported.has(name))
  if (other === undefined) return
  throw new HearthError('UNSUPPORTED_FEATURE', `${other} of ${where} is not supported by this server.`, {
    awsCode: 'ValidationException'
  })
}
