import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MetricSample } from '@hearth/store'
import { type ReporterOptions, startReporter } from '../control-plane-reporter.ts'
import type { MinuteMetrics } from './minute-metrics.ts'
import { MinuteSums } from './to-samples.ts'

export interface MinuteReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly minutes: MinuteMetrics
  /** Asked each second for what is measured at a time. */
  readonly sample: () => void
  /** Reports that were given up since the last time: the control plane was away for too long. */
  readonly onLost: (reports: number) => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000
/** Of one report: making it, and taking it in, are some ms. */
const SAMPLES = 250
/** Reports that wait for the control plane: the newest are kept. */
const WAITING = 800

interface Report {
  readonly id: string
  readonly samples: () => readonly MetricSample[]
}

/**
 * Tells the control plane what each minute had, soon after its end. What is not taken is sent again under the same id.
 *
 * @returns says the rest, and stops
 */
export function startMinuteReporter(options: MinuteReporterOptions): () => Promise<void> {
  const { minutes, sample, onLost, intervalMs = INTERVAL_MS } = options
  const waiting: Report[] = []
  let collecting: Promise<void> | undefined

  async function collect(all: boolean): Promise<void> {
    for (const [at, table] of minutes.take(all)) {
      const sums = new MinuteSums(at, table)
      const steps = sums.addUp(SAMPLES)
      while (steps.next().done !== true) await nextTurn()
      for (const samples of sums.parts()) waiting.push({ id: randomUUID(), samples })
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
      collecting ??= collect(false).finally(() => {
        collecting = undefined
      })
      const [first] = waiting
      return first && JSON.stringify({ id: first.id, samples: first.samples() })
    },
    onTaken(body) {
      const first = waiting[0]
      if (first !== undefined && body.startsWith(`{"id":"${first.id}"`)) waiting.shift()
    },
    more: () => waiting.length > 0
  })
  return async () => {
    await collecting
    await collect(true)
    await stop()
  }
}
