import { Counter, Gauge, type Registry } from 'prom-client'
import type { DropReason } from './batch-sender.ts'

/** What became of spans. */
export interface SpanCounts {
  readonly sent: (count: number) => void
  readonly dropped: (count: number, reason: DropReason) => void
  /** Reads how many calls wait to be sent at every scrape from now on. */
  observe(waiting: () => number): void
}

const REASONS: readonly DropReason[] = ['full', 'refused', 'unreachable', 'stopped']

export function createSpanCounts(registers: Registry[]): SpanCounts {
  const sent = new Counter({
    name: 'hearth_trace_spans_exported_total',
    help: 'Spans that the OTLP receiver took.',
    registers
  })
  const dropped = new Counter({
    name: 'hearth_trace_spans_dropped_total',
    help: 'Spans lost: too many waited (full), the receiver did not want them (refused), it was not there for too long (unreachable), the server stopped (stopped).',
    labelNames: ['reason'],
    registers
  })
  for (const reason of REASONS) dropped.inc({ reason }, 0)
  return {
    sent(count) {
      sent.inc(count)
    },
    dropped(count, reason) {
      dropped.inc({ reason }, count)
    },
    observe(waiting) {
      new Gauge({
        name: 'hearth_trace_calls_waiting',
        help: 'Calls whose spans wait to be exported.',
        registers,
        collect() {
          this.set(waiting())
        }
      })
    }
  }
}
