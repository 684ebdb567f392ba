import type { Executor } from '@hearth/executor'
import { atMostEvery } from '../at-most-every.ts'
import { startReporter } from '../control-plane-reporter.ts'
import type { Directory } from '../directory.ts'
import { type NotingAuthenticator, startKeyUseReporter } from '../key-uses.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createMinuteFiles } from '../minutes/minute-files.ts'
import { startMinuteReporter } from '../minutes/minute-reporter.ts'
import { sampleConcurrency } from '../minutes/sample-concurrency.ts'
import { startProvisionedReporter } from '../provisioned-reporter.ts'
import { startReleaseReporter } from '../release-reporter.ts'
import type { TriggerService } from '../triggers/trigger-service.ts'

export interface ReportsOptions {
  /** The control plane's. */
  readonly port: number
  readonly internalToken: string
  readonly directory: Directory
  readonly uses: NotingAuthenticator['uses']
  readonly triggers: Pick<TriggerService, 'completed' | 'archives'>
  readonly metrics: Pick<Metrics, 'minutes'>
  readonly executor: Pick<Executor, 'stats'>
  /** Where the minutes under way are kept. */
  readonly minutesDir: string
  readonly log: Log
}

/** How often the control plane is told of schedules that are over, until they are deleted. */
const COMPLETED_MS = 1_000
/** And of what archives have, and how far replays are, when it has changed. */
const ARCHIVES_MS = 500

/**
 * Tells the control plane again and again what it has to know of what goes on here.
 *
 * @returns says all of it a last time, and stops
 */
export function startReports(options: ReportsOptions): () => Promise<void> {
  const { port, internalToken, directory, triggers, metrics, executor, log } = options
  const to = (what: string, eachMs: number) => ({
    port,
    internalToken,
    onError: atMostEvery(eachMs, (err: unknown) => {
      log.warn({ err }, `the control plane cannot be told ${what}`)
    })
  })
  const stops = [
    startReleaseReporter({ ...to('about releases', 10_000), counters: () => directory.counters() }),
    startProvisionedReporter({
      ...to('about provisioned concurrency', 10_000),
      reports: () => directory.provisioned()
    }),
    startKeyUseReporter({ ...to('which keys were used', 60_000), uses: options.uses }),
    startReporter({
      ...to('which schedules are over', 60_000),
      path: '/internal/completed-schedules',
      intervalMs: COMPLETED_MS,
      report() {
        const completed = triggers.completed()
        return completed.length === 0 ? undefined : JSON.stringify({ completed })
      }
    }),
    startReporter({
      ...to('about archives and replays', 60_000),
      path: '/internal/archives',
      intervalMs: ARCHIVES_MS,
      report: () => triggers.archives.report(),
      onTaken: (body) => {
        triggers.archives.taken(body)
      }
    }),
    startMinuteReporter({
      ...to('what functions did', 60_000),
      minutes: metrics.minutes,
      files: createMinuteFiles(options.minutesDir),
      sample() {
        sampleConcurrency(metrics.minutes, executor.stats().concurrency, directory.kept())
      },
      onLost(reports) {
        log.error({ reports }, 'metrics were given up: the control plane was away for too long')
      }
    })
  ]
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}
