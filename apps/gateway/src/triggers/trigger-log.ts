/** One time that a trigger fired, or was to. */
export interface TriggerEvent {
  /** Unix time in ms. */
  readonly at: number
  /** Of the event that the function has; `GET /v1/invocations/{requestId}` says what became of it. */
  readonly requestId: string
  readonly target: string
  /** Why the target did not get it. */
  readonly error: { readonly code: string; readonly message: string } | undefined
}

export interface TriggerStatus {
  /** The newest first. */
  readonly events: readonly TriggerEvent[]
  readonly lastError: TriggerEvent | undefined
  /** How late the last one was: from when it was due, or put, until it was on disk. In ms. */
  readonly lagMs: number | undefined
  readonly fired: number
  readonly failed: number
  /** Due times that were let pass: the server was down, or could not write. */
  readonly skipped: number
  /** Requests that were not signed as they should be; deliveries that came again. Of webhooks. */
  readonly refused: number
  readonly repeated: number
}

/** What triggers did since this process began. */
export interface TriggerLog {
  note(triggerArn: string, event: TriggerEvent, lagMs: number): void
  skipped(triggerArn: string): void
  refused(triggerArn: string): void
  repeated(triggerArn: string): void
  find(triggerArn: string): TriggerStatus | undefined
  forget(keep: ReadonlySet<string>): void
}

/** Of one trigger. */
const REMEMBERED = 20

export function createTriggerLog(): TriggerLog {
  const statuses = new Map<string, { -readonly [Key in keyof TriggerStatus]: TriggerStatus[Key] }>()
  const statusOf = (arn: string) => {
    let status = statuses.get(arn)
    if (status === undefined) {
      status = {
        events: [],
        lastError: undefined,
        lagMs: undefined,
        fired: 0,
        failed: 0,
        skipped: 0,
        refused: 0,
        repeated: 0
      }
      statuses.set(arn, status)
    }
    return status
  }
  return {
    note(arn, event, lagMs) {
      const status = statusOf(arn)
      status.events = [event, ...status.events].slice(0, REMEMBERED)
      if (event.error === undefined) {
        status.fired += 1
        status.lagMs = Math.max(0, lagMs)
      } else {
        status.failed += 1
        status.lastError = event
      }
    },
    skipped(arn) {
      statusOf(arn).skipped += 1
    },
    refused(arn) {
      statusOf(arn).refused += 1
    },
    repeated(arn) {
      statusOf(arn).repeated += 1
    },
    find: (arn) => statuses.get(arn),
    forget(keep) {
      for (const arn of statuses.keys()) if (!keep.has(arn)) statuses.delete(arn)
    }
  }
}
