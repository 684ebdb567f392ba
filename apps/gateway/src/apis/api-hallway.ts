import type { ArnScope } from '@hearth/shared'
import type { Hallway } from '../hallway.ts'
import type { ApiFailure } from './api-counts.ts'
import type { ApiEntry } from './api-table.ts'
import type { Guard } from './guard.ts'
import type { StaticFiles } from './static-files.ts'

/** What every request for an API needs. */
export interface ApiHallway {
  /** That of all calls. */
  readonly base: Hallway
  readonly scope: ArnScope
  readonly guard: Guard
  readonly files: StaticFiles
  /** Number of the route in the metrics. */
  readonly route: number
  /** Unix ms. */
  readonly nowMs: () => number
  /** A request that a route took did not get its function's answer. */
  readonly onFailed: (
    entry: ApiEntry,
    stage: string,
    routeKey: string,
    reason: ApiFailure,
    call: { readonly requestId: string; readonly traceId: string }
  ) => void
}
