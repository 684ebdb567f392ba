import type { KeyedAnswer, KeyedRequest, KeyRecord } from '../idempotency-keys.ts'
import type { SchemaState } from '../schema-state.ts'
import type { EventArchives } from './archive-types.ts'
import type { FunctionUsageCounts } from './function-usage-types.ts'

/** An event as it is accepted. */
export interface NewEvent {
  /** Lower-case UUID; the same on every attempt. */
  readonly requestId: string
  readonly functionName: string
  /** As the caller gave it, or ''. */
  readonly qualifier: string
  readonly traceId: string
  /** JSON text, or ''. */
  readonly clientContext: string
  readonly payload: Buffer
  /** Unix time in ms. */
  readonly acceptedAt: number
  /** It came with an Idempotency-Key: that is kept in the same transaction. */
  readonly keyed?: { readonly request: KeyedRequest; readonly answer: KeyedAnswer } | undefined
  /** A schedule made it: of one due time there is one event, however often it is enqueued. */
  readonly fired?: Fire | undefined
  /** Its sender may send it again: of one delivery there are the events of the first alone. */
  readonly receipt?: Receipt | undefined
}

/** One delivery of a sender. All that is made of one delivery has the same. */
export interface Receipt {
  /** Whose, and the sender's own id of it. */
  readonly key: string
  /** Another one each time that it is sent; told to the sender. */
  readonly id: string
  /** Until when it is remembered, Unix time in ms. */
  readonly expiresAt: number
}

/** A due time of a schedule. */
export interface Fire {
  /** Which schedule. */
  readonly key: string
  /** Unix time in ms. */
  readonly dueAt: number
}

/** An event that somebody is to run. */
export interface QueuedEvent extends NewEvent {
  /** Attempts that reached the function. */
  readonly attempts: number
  /** Attempts in a row that did not. */
  readonly throttles: number
}

/** How the last attempt went. */
export interface AttemptResult {
  /** Unix time in ms. */
  readonly startedAt: number | undefined
  readonly endedAt: number
  readonly attempts: number
  /** '' when it succeeded. */
  readonly errorType: string
  readonly errorMessage: string
}

/** Why an event is over, in the words of Lambda's destination records. */
export type Condition =
  | 'Success'
  | 'RetriesExhausted'
  | 'EventAgeExceeded'
  | 'ZeroReservedConcurrency'
  | 'RecursiveInvocationDetected'
  | 'FunctionNotFound'

/** What is to be sent when an event is over. */
export interface NewDelivery {
  /** UUID; by it receivers know what they have already. */
  readonly id: string
  /** Of the event. */
  readonly requestId: string
  readonly functionName: string
  readonly qualifier: string
  readonly purpose: 'OnSuccess' | 'OnFailure' | 'DeadLetter'
  /** An ARN, or the URL of a webhook. */
  readonly target: string
  readonly traceId: string
  /** JSON text of a dead letter's attributes, or ''. */
  readonly attributes: string
  /** JSON. */
  readonly body: Buffer
  /** Unix time in ms. */
  readonly createdAt: number
}

/** One that somebody is to send. */
export interface Delivery extends NewDelivery {
  /** That have failed. */
  readonly attempts: number
}

export interface DeliveryRecord extends Omit<NewDelivery, 'body' | 'traceId' | 'attributes'> {
  readonly state: 'waiting' | 'claimed' | 'delivered' | 'failed'
  readonly attempts: number
  readonly endedAt: number | undefined
  /** Of the last attempt that failed, or ''. */
  readonly error: string
}

/** How one attempt to deliver went. */
export interface DeliveryResult {
  /** Unix time in ms. */
  readonly at: number
  /** That have failed, this one included. */
  readonly attempts: number
  /** '' when it was delivered. */
  readonly error: string
}

/** Which records are asked for. */
export interface ListQuery {
  readonly functionName: string
  readonly status: 'queued' | 'running' | 'succeeded' | 'failed' | undefined
  /** Ids of the function's events that run now: the queue knows only who has them. */
  readonly running: readonly string[]
  /** The last record of the page before. */
  readonly before: { readonly acceptedAt: number; readonly requestId: string } | undefined
  readonly limit: number
}

/** Events of one function that nobody runs yet. */
export interface Backlog {
  readonly functionName: string
  readonly waiting: number
  /** When the oldest was accepted, Unix time in ms. */
  readonly oldestAt: number
}

/** Events that nobody runs yet, of all functions together. */
export interface TotalBacklog {
  readonly waiting: number
  /** When the oldest was accepted, Unix time in ms; undefined: none waits. */
  readonly oldestAt: number | undefined
  /** Those with most of them first. */
  readonly functions: readonly Backlog[]
}

export interface InvocationRecord {
  readonly requestId: string
  readonly functionName: string
  readonly qualifier: string
  /** `claimed`: with the running gateway, in memory or in a function. */
  readonly state: 'waiting' | 'claimed' | 'succeeded' | 'failed'
  /** Unix times in ms. */
  readonly acceptedAt: number
  readonly dueAt: number
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  readonly attempts: number
  readonly condition: Condition | undefined
  readonly errorType: string | undefined
  readonly errorMessage: string | undefined
}

export interface Claimed {
  readonly events: readonly QueuedEvent[]
  /** When the next event of this function that nobody has is due, Unix time in ms; undefined: there is none. */
  readonly nextDueAt: number | undefined
}

/**
 * Durable events. Everything that is asked in one turn of the event loop is done as one: a promise that resolves means
 * that it is on disk. What a process has claimed is its own until it ends; then it waits again.
 */
export interface EventQueue {
  /**
   * An event whose id is there already is accepted and changes nothing.
   *
   * @param claimed - The caller runs it itself, from memory; not with a receipt
   * @returns the id of the first of its delivery where this is not the first: nothing was written then
   * @throws QueueUnavailableError when it cannot be written; nothing is left behind
   */
  enqueue(event: NewEvent, claimed: boolean): Promise<string | undefined>
  /** Takes events of a function that are due, the oldest first. */
  claim(functionName: string, now: number, limit: number): Promise<Claimed>
  /**
   * The event is over; a failed one keeps its payload. What is to be sent of it is on disk with it, or neither is. Of an
   * event that is over already nothing changes.
   */
  complete(
    requestId: string,
    condition: Condition,
    result: AttemptResult,
    deliveries?: readonly NewDelivery[]
  ): Promise<void>
  /**
   * Gives an event back, to be run not before `dueAt`.
   *
   * @param throttles - Attempts in a row that did not reach it
   * @param traceId - From now on; undefined: as it is
   */
  retry(requestId: string, dueAt: number, throttles: number, result: AttemptResult, traceId?: string): Promise<void>
  /** Every function that has events which nobody has, and when the first is due. */
  waiting(): Promise<readonly { readonly functionName: string; readonly dueAt: number }[]>
  find(requestId: string): Promise<InvocationRecord | undefined>
  /** The newest first. */
  list(query: ListQuery): Promise<readonly InvocationRecord[]>
  /** @param limit - Functions that are named; the totals are of all */
  backlog(limit: number): Promise<TotalBacklog>
  /** Deliveries that have neither arrived nor been given up, and when the oldest was made: Unix time in ms. */
  pendingDeliveries(): Promise<{ readonly count: number; readonly oldestAt: number | undefined }>
  /** Takes deliveries that are due, the oldest first. @param except - Targets to leave alone for now */
  claimDeliveries(
    now: number,
    limit: number,
    except: readonly string[]
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly nextDueAt: number | undefined }>
  /** It has arrived, or is given up and keeps its body. */
  endDelivery(id: string, isDelivered: boolean, result: DeliveryResult): Promise<void>
  retryDelivery(id: string, dueAt: number, result: DeliveryResult): Promise<void>
  /** Of one event. */
  listDeliveries(requestId: string): Promise<readonly DeliveryRecord[]>
  /** Failed events of a function wait again, from the first attempt on. @returns how many */
  redrive(functionName: string, now: number, limit: number): Promise<number>
  /** Forgets what ended before. @returns how many, at most `limit` */
  prune(endedBefore: number, limit: number): Promise<number>
  /** The last due time of each schedule that was fired. */
  listFires(): Promise<readonly Fire[]>
  /** It was fired, and made no event. */
  noteFire(fire: Fire): Promise<void>
  /** Schedules that are gone. */
  forgetFires(keys: readonly string[]): Promise<void>
  /** Notes a delivery of which nothing is made. @returns as {@link EventQueue.enqueue} @throws QueueUnavailableError */
  receive(receipt: Receipt, now: number): Promise<string | undefined>
  /** Forgets deliveries that are remembered for long enough. @returns how many, at most `limit` */
  pruneReceipts(now: number, limit: number): Promise<number>
  /** Keys of requests, beside the events that such requests make. */
  readonly keys: AsyncIdempotencyKeys
  /** What archives of event buses keep, written with the events that it makes. */
  readonly archives: EventArchives
  readonly usage: UsageCounts
  /** What functions used. */
  readonly functionUsage: FunctionUsageCounts
  /** What was done to its file. */
  schema(): Promise<SchemaState>
  /** Finishes what was asked. */
  close(): Promise<void>
}

/** Requests of one API key that were let through under one usage plan, on one day. */
export interface UsageDay {
  readonly planId: string
  readonly keyId: string
  /** Since 1970-01-01, UTC. */
  readonly day: number
  readonly used: number
}

export interface UsageQuery {
  /** Undefined: of all. */
  readonly planId?: string | undefined
  /** First and last day. */
  readonly from: number
  readonly to: number
}

/** Counted requests of API keys. Each method resolves when it is on disk. @throws QueueUnavailableError */
export interface UsageCounts {
  list(query: UsageQuery): Promise<readonly UsageDay[]>
  /** A count that is smaller than what is there changes nothing. */
  put(days: readonly UsageDay[]): Promise<void>
  /** Forgets the days before. @returns how many, at most `limit` */
  prune(before: number, limit: number): Promise<number>
}

/** {@link IdempotencyKeys}, each method when it is on disk. @throws QueueUnavailableError */
export interface AsyncIdempotencyKeys {
  find(caller: string, key: string, now: number): Promise<KeyRecord | undefined>
  reserve(request: KeyedRequest, now: number): Promise<boolean>
  conclude(request: KeyedRequest, answer: KeyedAnswer | undefined, now: number): Promise<void>
  forget(caller: string, key: string): Promise<void>
  prune(now: number, limit: number): Promise<number>
}

/** The queue cannot write now: disk full, file locked. */
export class QueueUnavailableError extends Error {
  override readonly name = 'QueueUnavailableError'
}
