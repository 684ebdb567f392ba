import type { Outcome, OutcomeStatus, Phases } from '@hearth/executor'
import type { Entry } from '../function-routes.ts'

/** `faas.trigger` of OpenTelemetry's conventions. */
export type Trigger = 'http' | 'pubsub' | 'timer' | 'other'

/** A span elsewhere that this one has to do with, without being its child. */
export interface SpanLink {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
}

/** A call that is over. */
export interface CallRecord {
  readonly type: 'call'
  /** As the function saw it. */
  readonly header: string
  readonly parentId: string
  readonly traceState: string
  /** Whether somebody waited for the answer; if not, an event was taken from a queue. */
  readonly isAwaited: boolean
  readonly trigger: Trigger
  readonly requestId: string
  readonly invokedArn: string
  readonly function: FunctionFacts
  readonly outcome: OutcomeFacts
  /** Milliseconds, monotonic; absent: when it was handed to the executor. */
  readonly startedAt?: number
  readonly endedAt: number
  /** The attempts before, records of a batch. */
  readonly links?: readonly SpanLink[]
  /** Of kept events: which attempt it is, from 1 on, and how long it had waited in ms. */
  readonly attempt?: number
  readonly waitedMs?: number
}

/** An event that was accepted to be run later. */
export interface SendRecord {
  readonly type: 'send'
  /** As it is kept. */
  readonly header: string
  readonly parentId: string
  readonly traceState: string
  readonly requestId: string
  readonly invokedArn: string
  readonly function: FunctionFacts
  /** Milliseconds, monotonic. */
  readonly startedAt: number
  readonly endedAt: number
}

export type TraceRecord = CallRecord | SendRecord

interface FunctionFacts {
  readonly name: string
  readonly version: string
  readonly memoryMiB: number
}

/** An {@link Outcome} without its bytes, which are not to be kept in memory. */
interface OutcomeFacts {
  readonly status: OutcomeStatus
  readonly errorType: string
  readonly cold: boolean
  readonly phases: Phases
  readonly billedMs: number
  readonly maxMemoryMiB: number
}

export function factsOf(entry: Entry, outcome: Outcome): Pick<CallRecord, 'function' | 'outcome'> {
  const { status, errorType, cold, phases, billedMs, maxMemoryMiB } = outcome
  return { function: functionFacts(entry), outcome: { status, errorType, cold, phases, billedMs, maxMemoryMiB } }
}

export function functionFacts({ record: { name, version, memoryMiB } }: Entry): FunctionFacts {
  return { name, version, memoryMiB }
}
