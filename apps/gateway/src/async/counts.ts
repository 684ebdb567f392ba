import type { Condition, Delivery } from '@hearth/store'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { DEAD_LETTER_ERRORS, DESTINATION_FAILURES, DROPPED, DROPS, RECEIVED, RECURSIVE } from '../function-columns.ts'
import type { FunctionMetrics } from '../function-metrics.ts'
import type { MinuteMetrics } from '../minutes/minute-metrics.ts'

/** What is counted of events that are run later. */
export interface AsyncCounts {
  accepted(functionName: string): void
  /** An attempt begins. @param ageMs - Since the event was accepted */
  begun(functionName: string, ageMs: number): void
  retried(): void
  /** @param condition - `Success`, or why it failed */
  ended(functionName: string, condition: Condition): void
  /** An attempt to tell somebody of an event is over. */
  delivered(
    functionName: string,
    purpose: Delivery['purpose'],
    result: 'delivered' | 'retried' | 'refused' | 'failed'
  ): void
  /** Asked at every scrape from now on. */
  observeBacklog(read: () => Promise<BacklogNow>): void
}

export interface BacklogNow {
  readonly functions: readonly FunctionBacklog[]
  /** Of all functions. */
  readonly events: QueueNow
  readonly deliveries: QueueNow
}

export interface QueueNow {
  readonly waiting: number
  /** 0: nothing waits. */
  readonly oldestAgeMs: number
}

export interface FunctionBacklog {
  readonly functionName: string
  readonly waiting: number
  readonly oldestAgeMs: number
}

const DROP_OF: Readonly<Record<Exclude<Condition, 'Success'>, (typeof DROPS)[number]>> = {
  EventAgeExceeded: 'age',
  RetriesExhausted: 'retries',
  FunctionNotFound: 'deleted',
  ZeroReservedConcurrency: 'switched_off',
  RecursiveInvocationDetected: 'recursion'
}
/** The queue's label where there is one. */
const EVENTS = { queue: 'events' }
const AGE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 10, 60, 300, 3_600, 21_600]

/** @param functions - Counts by function */
export function createAsyncCounts(
  registers: Registry[],
  functions: FunctionMetrics,
  minutes: MinuteMetrics
): AsyncCounts {
  const retried = new Counter({ name: 'hearth_async_retried_total', help: 'Events given back for later.', registers })
  const ended = new Counter({
    name: 'hearth_async_ended_total',
    help: 'Events that are over, by how.',
    labelNames: ['condition'],
    registers
  })
  const deliveries = new Counter({
    name: 'hearth_async_deliveries_total',
    help: 'Attempts to deliver outcomes to destinations and dead-letter targets; refused: not allowed by the role; failed: given up.',
    labelNames: ['purpose', 'result'],
    registers
  })
  const age = new Histogram({
    name: 'hearth_async_event_age_seconds',
    help: 'Age of events when an attempt begins.',
    labelNames: ['queue'],
    buckets: AGE_BUCKETS,
    registers
  })
  age.zero(EVENTS)
  let backlog = (): Promise<BacklogNow | undefined> => Promise.resolve(undefined)
  // Rendered in this order: the first of them asks for all.
  new Gauge({
    name: 'hearth_async_pending_deliveries',
    help: 'Outcomes that have neither arrived nor been given up.',
    registers,
    async collect() {
      // A queue that cannot be read has no say in what else is measured.
      const now = await backlog().catch(() => undefined)
      oldest.reset()
      waiting.reset()
      for (const { functionName, waiting: count, oldestAgeMs } of now?.functions ?? []) {
        waiting.set({ function: functionName }, count)
        oldest.set({ function: functionName }, oldestAgeMs / 1_000)
      }
      if (now === undefined) return
      this.set(now.deliveries.waiting)
      for (const [queue, { waiting: count, oldestAgeMs }] of [
        ['events', now.events],
        ['deliveries', now.deliveries]
      ] as const) {
        depth.set({ queue }, count)
        oldestOfAll.set({ queue }, oldestAgeMs / 1_000)
      }
    }
  })
  const oldest = new Gauge({
    name: 'hearth_async_oldest_event_age_seconds',
    help: 'Age of the oldest event that waits for its first or next attempt.',
    labelNames: ['function'],
    registers
  })
  const depth = new Gauge({
    name: 'hearth_queue_depth',
    help: 'What waits: events for their first or next attempt, deliveries of outcomes.',
    labelNames: ['queue'],
    registers
  })
  const oldestOfAll = new Gauge({
    name: 'hearth_queue_oldest_age_seconds',
    help: 'Age of what waits longest.',
    labelNames: ['queue'],
    registers
  })
  const waiting = new Gauge({
    name: 'hearth_async_waiting_events',
    help: 'Events that wait for their first or next attempt; the functions with most of them.',
    labelNames: ['function'],
    registers
  })
  return {
    accepted(functionName) {
      functions.countEvent(functionName, RECEIVED)
      minutes.count('AsyncEventsReceived', functionName)
    },
    begun(functionName, ageMs) {
      age.observe(EVENTS, ageMs / 1_000)
      minutes.observe('AsyncEventAge', ageMs, functionName)
    },
    retried() {
      retried.inc()
    },
    ended(functionName, condition) {
      ended.inc({ condition })
      if (condition === 'Success') return
      functions.countEvent(functionName, DROPPED + DROPS.indexOf(DROP_OF[condition]))
      minutes.count('AsyncEventsDropped', functionName)
      if (condition !== 'RecursiveInvocationDetected') return
      functions.count(functionName, RECURSIVE)
      minutes.count('RecursiveInvocationsDropped', functionName)
    },
    delivered(functionName, purpose, result) {
      deliveries.inc({ purpose, result })
      if (result !== 'failed') return
      functions.countEvent(functionName, purpose === 'DeadLetter' ? DEAD_LETTER_ERRORS : DESTINATION_FAILURES)
      minutes.count(purpose === 'DeadLetter' ? 'DeadLetterErrors' : 'DestinationDeliveryFailures', functionName)
    },
    observeBacklog(read) {
      backlog = read
    }
  }
}
