import type { ArnScope } from './arn.ts'

/** Keeps the events of a bus. */
export interface EventArchive {
  readonly name: string
  /** UUID: the next of its name is another. */
  readonly id: string
  readonly bus: string
  /** JSON text; undefined: all events. */
  readonly pattern: string | undefined
  readonly description: string | undefined
  /** 0: for ever. */
  readonly retentionDays: number
  /** Unix time in ms. */
  readonly createdAt: number
}

export type ReplayState = 'STARTING' | 'RUNNING' | 'CANCELLING' | 'COMPLETED' | 'CANCELLED' | 'FAILED'

/** Sends what an archive kept to rules of its bus once more. */
export interface EventReplay {
  readonly name: string
  readonly id: string
  /** Its name. */
  readonly archive: string
  readonly archiveId: string
  readonly bus: string
  readonly description?: string | undefined
  /** ARNs; empty: all rules of the bus. */
  readonly rules: readonly string[]
  /** Times of events, both included. All times are Unix times in ms. */
  readonly eventsFrom: number
  readonly eventsUntil: number
  readonly state: ReplayState
  readonly reason: string | undefined
  /** The time of the last event that was replayed. */
  readonly lastEventAt: number | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
}

export function archiveArn({ region, accountId }: ArnScope, archive: string): string {
  return `arn:aws:events:${region}:${accountId}:archive/${archive}`
}

export function replayArn({ region, accountId }: ArnScope, replay: string): string {
  return `arn:aws:events:${region}:${accountId}:replay/${replay}`
}
