import type { KeyedAnswer, KeyedRequest } from '../idempotency-keys.ts'
import type { ArchivedEvent, ReplayPosition, ReplayProgress, ReplayQuery } from './archive-types.ts'
import type { FunctionUsageOperation } from './function-usage-types.ts'
import type {
  AttemptResult,
  Condition,
  DeliveryResult,
  Fire,
  ListQuery,
  NewDelivery,
  NewEvent,
  Receipt,
  UsageDay,
  UsageQuery
} from './types.ts'

/** Where a payload lies in the batch's bytes. */
export interface Span {
  readonly start: number
  readonly length: number
}

/** What the gateway's thread asks of the writer's. Payloads lie end to end in one buffer that goes along. */
export type Operation =
  | (Omit<NewEvent, 'payload'> & Span & { readonly kind: 'enqueue'; readonly claimed: boolean })
  | { readonly kind: 'claim'; readonly functionName: string; readonly now: number; readonly limit: number }
  | {
      readonly kind: 'complete'
      readonly requestId: string
      readonly condition: Condition
      readonly result: AttemptResult
      readonly deliveries: readonly (Omit<NewDelivery, 'body'> & Span)[]
    }
  | {
      readonly kind: 'retry'
      readonly requestId: string
      readonly dueAt: number
      readonly throttles: number
      readonly result: AttemptResult
      readonly traceId: string | undefined
    }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'find'; readonly requestId: string }
  | { readonly kind: 'list'; readonly query: ListQuery }
  | { readonly kind: 'pending-deliveries' }
  | { readonly kind: 'backlog'; readonly limit: number }
  | {
      readonly kind: 'claim-deliveries'
      readonly now: number
      readonly limit: number
      readonly except: readonly string[]
    }
  | {
      readonly kind: 'end-delivery'
      readonly id: string
      readonly isDelivered: boolean
      readonly result: DeliveryResult
    }
  | { readonly kind: 'retry-delivery'; readonly id: string; readonly dueAt: number; readonly result: DeliveryResult }
  | { readonly kind: 'list-deliveries'; readonly requestId: string }
  | { readonly kind: 'redrive'; readonly functionName: string; readonly now: number; readonly limit: number }
  | { readonly kind: 'prune'; readonly endedBefore: number; readonly limit: number }
  | { readonly kind: 'list-fires' }
  | { readonly kind: 'note-fire'; readonly fire: Fire }
  | { readonly kind: 'forget-fires'; readonly keys: readonly string[] }
  | ArchiveOperation
  | { readonly kind: 'receive'; readonly receipt: Receipt; readonly now: number }
  | { readonly kind: 'prune-receipts'; readonly now: number; readonly limit: number }
  | { readonly kind: 'list-usage'; readonly query: UsageQuery }
  | { readonly kind: 'put-usage'; readonly days: readonly UsageDay[] }
  | { readonly kind: 'prune-usage'; readonly before: number; readonly limit: number }
  | { readonly kind: 'schema' }
  | FunctionUsageOperation
  | KeyOperation

/** On archives, as {@link EventArchives} has them. */
export type ArchiveOperation =
  | (Omit<ArchivedEvent, 'event'> & Span & { readonly kind: 'archive'; readonly archives: readonly string[] })
  | { readonly kind: 'archive-totals' }
  | { readonly kind: 'prune-archive'; readonly archive: string; readonly before: number; readonly limit: number }
  | { readonly kind: 'drop-archive'; readonly archive: string; readonly limit: number }
  | { readonly kind: 'begin-replay'; readonly id: string }
  | { readonly kind: 'read-replay'; readonly query: ReplayQuery }
  | { readonly kind: 'advance-replay'; readonly id: string; readonly position: ReplayPosition }
  | {
      readonly kind: 'end-replay'
      readonly id: string
      readonly state: ReplayProgress['state']
      readonly reason: string
      readonly at: number
    }
  | { readonly kind: 'list-replays' }
  | { readonly kind: 'forget-replays'; readonly ids: readonly string[] }
  | { readonly kind: 'count-due'; readonly functionName: string; readonly now: number; readonly most: number }

/** On requests that came with an Idempotency-Key. */
export type KeyOperation =
  | { readonly kind: 'findKey'; readonly caller: string; readonly key: string; readonly now: number }
  | { readonly kind: 'reserveKey'; readonly request: KeyedRequest; readonly now: number }
  | {
      readonly kind: 'concludeKey'
      readonly request: KeyedRequest
      readonly answer: KeyedAnswer | undefined
      readonly now: number
    }
  | { readonly kind: 'forgetKey'; readonly caller: string; readonly key: string }
  | { readonly kind: 'pruneKeys'; readonly now: number; readonly limit: number }

/** What this process still has after the writer's thread was lost. */
export interface Held {
  readonly events: readonly string[]
  readonly deliveries: readonly string[]
  /** Events whose acceptance was refused because nobody knew whether they were written. */
  readonly refused: readonly string[]
}

export interface WriterData {
  readonly file: string
  readonly migrationsDir: string
  readonly maxPages: number
  readonly busyMs: number
  readonly held: Held
}

export interface Batch {
  readonly operations: readonly Operation[]
  readonly bytes: Uint8Array
}

/** Answers in the order of the operations; of a batch that could only be done in part, `failed` has the others. */
export type BatchAnswer =
  | { readonly opened: true }
  | { readonly opened: false; readonly message: string }
  | { readonly answers: readonly unknown[]; readonly failed: readonly number[]; readonly message: string }
