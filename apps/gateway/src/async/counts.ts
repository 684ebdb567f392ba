import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What is counted of events that are run later. */
export interface AsyncCounts {
  accepted(): void
  /** An attempt begins. @param ageMs - Since the event was accepted */
  begun(ageMs: number): void
  retried(): void
  /** @param condition - `Success`, or why it failed */
  ended(condition: string): void
  /** An attempt to tell somebody of an event is over. */
  delivered(purpose: string, result: 'delivered' | 'retried' | 'refused' | 'failed'): void
  /** Asked at every scrape from now on. */
  observeBacklog(read: () => Promise<BacklogNow>): void
}

export interface BacklogNow {
  readonly functions: readonly FunctionBacklog[]
  readonly deliveries: number
}

export interface FunctionBacklog {
  readonly functionName: string
  readonly waiting: number
  readonly oldestAgeMs: number
}

const AGE_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 10, 60, 300, 3_600, 21_600]

export function createAsyncCounts(registers: Registry[]): AsyncCounts {
  const accepted = new Counter({ name: 'hearth_async_accepted_total', help: 'Events that were accepted.', registers })
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
    buckets: AGE_BUCKETS,
    registers
  })
  let backlog = (): Promise<BacklogNow | undefined> => Promise.resolve(undefined)
  const pending = new Gauge({
    name: 'hearth_async_pending_deliveries',
    help: 'Outcomes that have neither arrived nor been given up.',
    registers
  })
  const oldest = new Gauge({
    name: 'hearth_async_oldest_event_age_seconds',
    help: 'Age of the oldest event that waits for its first or next attempt.',
    labelNames: ['function'],
    registers
  })
  new Gauge({
    name: 'hearth_async_waiting_events',
    help: 'Events that wait for their first or next attempt; the functions with most of them.',
    labelNames: ['function'],
    registers,
    async collect() {
      // A queue that cannot be read has no say in what else is measured.
      const now = await backlog().catch(() => undefined)
      this.reset()
      oldest.reset()
      if (now !== undefined) pending.set(now.deliveries)
      for (const { functionName, waiting, oldestAgeMs } of now?.functions ?? []) {
        this.set({ function: functionName }, waiting)
        oldest.set({ function: functionName }, oldestAgeMs / 1_000)
      }
    }
  })
  return {
    accepted() {
      accepted.inc()
    },
    begun(ageMs) {
      age.observe(ageMs / 1_000)
    },
    retried() {
      retried.inc()
    },
    ended(condition) {
      ended.inc({ condition })
    },
    delivered(purpose, result) {
      deliveries.inc({ purpose, result })
    },
    observeBacklog(read) {
      backlog = read
    }
  }
}
