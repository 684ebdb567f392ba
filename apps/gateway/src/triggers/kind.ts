import type { EventArchive, EventReplay, LoadBalancer, Schedule } from '@hearth/shared'
import type { RuleWithTargets, SealedWebhook } from '@hearth/store'

/** What is in the database of what starts functions by itself. */
export interface Triggers {
  readonly buses: readonly string[]
  readonly rules: readonly RuleWithTargets[]
  readonly schedules: readonly Schedule[]
  readonly archives: readonly EventArchive[]
  /** Those that have not ended. */
  readonly replays: readonly EventReplay[]
  readonly webhooks: readonly SealedWebhook[]
  readonly loadBalancers: readonly LoadBalancer[]
}

/** One kind of thing that starts functions by itself. A folder each. */
export interface TriggerKind {
  /** What there is has changed, or is known for the first time. */
  update(triggers: Triggers): void
  /** Until then nothing is fired. */
  start(): void
  /** Fires nothing more. */
  stop(): void
  /** What keeps it from working, if anything does. */
  health(): string | undefined
}
