import { Counter, Gauge, type Registry } from 'prom-client'

const RESULTS = ['delivered', 'repeated', 'dead-letter', 'failed', 'error'] as const

/** What is counted of schedules, and of rules that have one. */
export interface ScheduleCounts {
  /** @param result - `error`: it could not be written, and is tried again */
  fired(result: (typeof RESULTS)[number]): void
  /** @param ms - How much later than it was to be something is fired */
  late(ms: number): void
}

export function createScheduleCounts(registers: Registry[]): ScheduleCounts {
  const fires = new Counter({
    name: 'hearth_schedule_fires_total',
    help: 'Times that were due, by what became of their events.',
    labelNames: ['result'],
    registers
  })
  for (const result of RESULTS) fires.inc({ result }, 0)
  const lag = new Gauge({
    name: 'hearth_scheduler_lag_seconds',
    help: 'How much later than it was to be the last one was fired.',
    registers
  })
  return {
    fired(result) {
      fires.inc({ result })
    },
    late(ms) {
      lag.set(Math.max(0, ms) / 1_000)
    }
  }
}
