import type { ReleaseCounter } from './release-counter.ts'
import { startReporter } from './reporter.ts'

export interface ReleaseReporterOptions {
  /** The control plane's. */
  readonly port: number
  readonly internalToken: string
  readonly counters: () => Iterable<ReleaseCounter>
  readonly onError: (err: unknown) => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000

/**
 * Tells the control plane again and again what was counted for releases, as long as there are any. A report that is
 * lost costs nothing: each says all that was counted in the release's step. @returns stops it
 */
export function startReleaseReporter({ counters, intervalMs = INTERVAL_MS, ...rest }: ReleaseReporterOptions) {
  return startReporter({
    ...rest,
    path: '/v1/internal/release-reports',
    intervalMs,
    report() {
      const releases = Array.from(counters(), (counter) => ({
        id: counter.watch.id,
        step: counter.watch.step,
        ...counter.counts()
      }))
      return releases.length === 0 ? undefined : { releases }
    }
  })
}
