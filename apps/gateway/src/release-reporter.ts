import { randomUUID } from 'node:crypto'
import { type ReporterOptions, startReporter } from './control-plane-reporter.ts'
import type { ReleaseCounter } from './release-counter.ts'

export interface ReleaseReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly counters: () => Iterable<ReleaseCounter>
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000

/**
 * Tells the control plane again and again what was counted for releases, as long as there are any. A report that is
 * lost costs nothing: each says all that this process has counted in the release's step.
 *
 * @returns says it a last time, and stops
 */
export function startReleaseReporter({
  counters,
  intervalMs,
  ...options
}: ReleaseReporterOptions): () => Promise<void> {
  const gateway = randomUUID()
  return startReporter({
    ...options,
    path: '/v1/internal/release-reports',
    intervalMs: intervalMs ?? INTERVAL_MS,
    report() {
      const releases = Array.from(counters(), (counter) => ({
        id: counter.watch.id,
        step: counter.watch.step,
        gateway,
        ...counter.tally()
      }))
      return releases.length === 0 ? undefined : JSON.stringify({ releases })
    }
  })
}
