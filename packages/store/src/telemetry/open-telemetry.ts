import { openStore } from '../open.ts'
import type { Db } from '../sqlite-addon.ts'
import { createMetricStore } from './metric-store.ts'
import { createRollUp } from './roll-up.ts'
import type { MetricStore } from './types.ts'

export interface TelemetryOptions {
  readonly file: string
  /** Of `migrations/telemetry`. */
  readonly migrationsDir: string
  readonly now?: () => Date
  /** Distinct custom metrics, each set of dimensions counted. Default: 50,000. */
  readonly maxCustomSeries?: number
  /** The same of the platform's own. Default: 500,000. */
  readonly maxPlatformSeries?: number
}

/** What is measured over time. */
export interface Telemetry {
  /** For what is to be written in one transaction with metrics: {@link MetricStore.put} may be called within one. */
  readonly db: Db
  readonly metrics: MetricStore
  /** Moves old values to wider periods: bounded work, some ms. @returns whether there may be more to do now */
  tidy(): boolean
  close(): void
}

/**
 * Opens (or creates) `telemetry.db`.
 *
 * @throws SchemaError, AddonMismatchError
 */
export function openTelemetry({
  file,
  migrationsDir,
  now = () => new Date(),
  maxCustomSeries = 50_000,
  maxPlatformSeries = 500_000
}: TelemetryOptions): Telemetry {
  const db = openStore(file, migrationsDir, { now })
  return {
    db,
    metrics: createMetricStore(db, { now, maxCustomSeries, maxPlatformSeries }),
    tidy: createRollUp(db, now),
    close: () => db.close()
  }
}
