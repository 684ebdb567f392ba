import { randomUUID } from 'node:crypto'
import type { MetricSample } from '@hearth/store'
import { type ReporterOptions, startReporter } from '../control-plane-reporter.ts'
import type { MinuteMetrics } from './minute-metrics.ts'
import { toSamples } from './to-samples.ts'

export interface MinuteReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly minutes: MinuteMetrics
  /** Asked each second for what is measured at a time. */
  readonly sample: () => void
  /** Reports that were given up since the last time: the control plane was away for too long. */
  readonly onLost: (reports: number) => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000
/** Of one report: taking one in is some ms of the control plane's time. */
const SAMPLES = 1_000
/** Reports that wait for the control plane: the newest are kept. */
const WAITING = 2_000

interface Report {
  readonly id: string
  readonly samples: readonly MetricSample[]
}

/**
 * Tells the control plane what each minute had, soon after its end. What is not taken is sent again under the same id.
 *
 * @returns says the rest, and stops
 */
export function startMinuteReporter(options: MinuteReporterOptions): () => Promise<void> {
  const { minutes, sample, onLost, intervalMs = INTERVAL_MS } = options
  const waiting: Report[] = []
  let isLast = false

  function collect(): void {
    for (const [at, table] of minutes.take(isLast)) {
      const samples = toSamples(at, table)
      for (let i = 0; i < samples.length; i += SAMPLES) {
        waiting.push({ id: randomUUID(), samples: samples.slice(i, i + SAMPLES) })
      }
    }
    const lost = waiting.length - WAITING
    if (lost <= 0) return
    waiting.splice(0, lost)
    onLost(lost)
  }

  const stop = startReporter({
    ...options,
    path: '/internal/metrics',
    intervalMs,
    report() {
      sample()
      collect()
      return waiting.length === 0 ? undefined : JSON.stringify(waiting[0])
    },
    onTaken(body) {
      const { id } = JSON.parse(body) as Report
      if (waiting[0]?.id === id) waiting.shift()
    },
    more: () => waiting.length > 0
  })
  return async () => {
    isLast = true
    await stop()
  }
}
