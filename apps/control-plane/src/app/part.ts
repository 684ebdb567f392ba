import type { ArnScope } from '@hearth/shared'
import type { ControlPlaneOptions } from '../control-plane-options.ts'
import type { Metrics } from '../metrics.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import type { Log } from './log.ts'
import type { Storage } from './storage.ts'

/** What every part of the control plane is made of. */
export interface PartDeps {
  readonly options: ControlPlaneOptions
  readonly scope: ArnScope
  readonly storage: Storage
  readonly metrics: Metrics
  /** To the gateway's queue. */
  readonly invoker: ServiceInvoker
  readonly log: Log
  readonly now: () => Date
}
