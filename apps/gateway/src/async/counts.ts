import { Counter, Histogram, type Registry } from 'prom-client'

/** What is counted of events that are run later. */
export interface AsyncCounts {
  accepted(): void
  /** An attempt begins. @param ageMs - Since the event was accepted */
  begun(ageMs: number): void
  retried(): void
  /** @param condition - `Success`, or why it failed */
  ended(condition: string): void
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
  const age = new Histogram({
    name: 'hearth_async_event_age_seconds',
    help: 'Age of events when an attempt begins.',
    buckets: AGE_BUCKETS,
    registers
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
    }
  }
}
