import type { ProvisionedReport } from '@hearth/shared'
import { type ReporterOptions, startReporter } from './control-plane-reporter.ts'

export interface ProvisionedReporterOptions extends Pick<ReporterOptions, 'port' | 'internalToken' | 'onError'> {
  readonly reports: () => readonly ProvisionedReport[]
  readonly intervalMs?: number
}

const INTERVAL_MS = 200
/** What the control plane knows already it is told again after this long: its database may have been put back. */
const AGAIN_MS = 60_000

/** Tells the control plane how far provisioned instances are, whenever that has changed. @returns stops it */
export function startProvisionedReporter({
  reports,
  intervalMs,
  ...options
}: ProvisionedReporterOptions): () => Promise<void> {
  let taken = ''
  let takenAt = 0
  return startReporter({
    ...options,
    path: '/internal/provisioned',
    intervalMs: intervalMs ?? INTERVAL_MS,
    report() {
      const provisioned = reports()
      if (provisioned.length === 0) return undefined
      const body = JSON.stringify({ provisioned })
      return body === taken && performance.now() - takenAt < AGAIN_MS ? undefined : body
    },
    onTaken(body) {
      taken = body
      takenAt = performance.now()
    }
  })
}
