/**
 * Function logs on disk, as read by whoever wants them. Written by the gateway alone; read by both programs, which
 * may do so while they are written.
 */

/** Where an event stands in its group: events that were written later have greater positions. */
export interface LogPosition {
  readonly segment: number
  /** Byte in the segment's text, whether it is compressed on disk or not. */
  readonly offset: number
}

/** One event of a log group. */
export interface LogEvent {
  readonly position: LogPosition
  /** Unix time in ms, as the writer of the event says. */
  readonly at: number
  /** Unix time in ms at which the server took it. */
  readonly ingestedAt: number
  readonly stream: string
  /** Whose instance wrote it; '' for events that were put from outside. */
  readonly functionName: string
  /** '' outside of an invocation. */
  readonly requestId: string
  /** `INFO` …; '' when it has none. */
  readonly level: string
  readonly message: string
}

export interface LogGroupFacts {
  readonly name: string
  /** Unix time in ms of the first event. */
  readonly createdAt: number
  /** On disk. */
  readonly storedBytes: number
}

export interface LogStreamFacts {
  readonly name: string
  readonly firstEventAt: number
  readonly lastEventAt: number
  readonly lastIngestedAt: number
}

export interface LogQuery {
  /** Start behind this one (in the direction of reading). Absent: at the end that the direction starts from. */
  readonly after?: LogPosition | undefined
  readonly backwards?: boolean
  /** Unix time in ms, inclusive; `until` is exclusive. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly streams?: ((name: string) => boolean) | undefined
  readonly functionName?: string | undefined
  readonly requestId?: string | undefined
}

/** What a group was cut of: events that are not there any more. */
export interface LogReader {
  /** Groups that have events. */
  groups(): Promise<LogGroupFacts[]>
  /** @returns undefined when the group has no events */
  group(name: string): Promise<LogGroupFacts | undefined>
  streams(group: string): Promise<LogStreamFacts[]>
  /** Batches of events in the order of their positions (or against it); between two of them the event loop turns. */
  read(group: string, query: LogQuery): AsyncGenerator<readonly LogEvent[]>
  /** Where the next event of the group will be written, or after it; for who wants only what comes from now on. */
  end(group: string): Promise<LogPosition>
}
