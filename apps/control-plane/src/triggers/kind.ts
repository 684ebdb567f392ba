import type { Wish } from '@hearth/shared'
import type { z } from 'zod'

/** One that is there, as /v1 shows it. */
export interface TriggerShown {
  readonly arn: string
  readonly created: boolean
  readonly view: Readonly<Record<string, unknown>>
  /** By which its list is in order. Default: its name. */
  readonly key?: string
  /** Where it is reached. @param origin - Scheme and authority by which the caller came */
  locate?(origin: string): Readonly<Record<string, unknown>>
}

export type TriggerStep = 'put' | 'get' | 'pause' | 'resume' | 'delete' | 'list'

/** One kind of trigger in /v1: a view on what AWS's own API of it keeps. A file each. */
export interface TriggerKind<Body extends z.ZodType = z.ZodType> {
  /** `event` */
  readonly kind: string
  readonly body: Body
  readonly summary: string
  /** What its names are unique in, as a member of view, body and query: `bus`. Names are keys then: see `toKey`. */
  readonly place?: string
  /** What the caller must be allowed, beside what the kind's own service asks. */
  wishes(step: TriggerStep, name: string, body?: z.output<Body>): readonly Wish[]
  /** @throws HearthError what the kind's own service throws */
  put(name: string, body: z.output<Body>): TriggerShown
  get(name: string): TriggerShown
  /** Pauses it, or lets it go on. */
  setEnabled(name: string, isEnabled: boolean): TriggerShown
  delete(name: string): void
  /** By key, those after `after`. @param place - Undefined: of all places */
  list(after: string, limit: number, place?: string): readonly TriggerShown[]
}
