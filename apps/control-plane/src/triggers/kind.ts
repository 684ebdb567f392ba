import type { Wish } from '@hearth/shared'
import type { z } from 'zod'

/** One that is there, as /v1 shows it. */
export interface TriggerShown {
  readonly arn: string
  readonly created: boolean
  readonly view: Readonly<Record<string, unknown>>
  /** Where it is reached. @param origin - Scheme and authority by which the caller came */
  readonly locate?: (origin: string) => Readonly<Record<string, unknown>>
}

/** One kind of trigger in /v1: a view on what AWS's own API of it keeps. A file each. */
export interface TriggerKind<Body extends z.ZodType = z.ZodType> {
  /** `event` */
  readonly kind: string
  readonly body: Body
  readonly summary: string
  /** What the caller must be allowed, beside what the kind's own service asks. */
  wishes(step: 'put' | 'get' | 'delete' | 'list', name: string, body?: z.output<Body>): readonly Wish[]
  /** @throws HearthError what the kind's own service throws */
  put(name: string, body: z.output<Body>): TriggerShown
  get(name: string): TriggerShown
  /** What it takes to pause it, or to let it go on. */
  pauseAction(isEnabled: boolean): string
  /** Pauses it, or lets it go on. */
  setEnabled(name: string, isEnabled: boolean): TriggerShown
  delete(name: string): void
  /** By name, those after `after`. */
  list(after: string, limit: number): readonly TriggerShown[]
}
