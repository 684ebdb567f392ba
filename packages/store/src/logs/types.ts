/**
 * Function logs on disk, as read by whoever wants them. Written by the gateway alone; read by both programs, which
 * may do so while they are written.
 */

/**
 * Where an event stands in its group: events that were written later have greater positions, also after the group was
 * removed and made again. Compression does not change them.
 */
export interface LogPosition {
  /** Number of the file, from 1. */
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
  /** Unix time in ms at which its first event was written, whether that is still kept or not. */
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
  /** Part of the message. */
  readonly text?: string | undefined
  /**
   * Told, between the events before and those behind, of events that were removed before this could read them. Not for
   * reading backwards.
   */
  readonly onLoss?: (loss: LogLoss) => void
}

/** Events of a group that are gone, unread. */
export interface LogLoss {
  /** Behind this one; undefined: it had none before. */
  readonly after: LogPosition | undefined
  /** The last of them. */
  readonly until: LogPosition
  /** Of the files' text; at least, where very much is gone. */
  readonly bytes: number
}

/** Events of a group, or of one of its streams, that were taken at this time or before are not shown. */
export interface LogCut {
  /** '': of the whole group */
  readonly stream: string
  /** Unix time in ms. */
  readonly at: number
}

/** Damaged lines and files are passed over: what can be read is read. */
export interface LogReader {
  /** Groups that were written to, by name; they stay when their events have become too old. */
  groups(): Promise<LogGroupFacts[]>
  /** @returns undefined when the group was never written to */
  group(name: string): Promise<LogGroupFacts | undefined>
  /**
   * Since when what is on disk of a group was taken, whether it is shown or not, and its folder was made; Unix times in ms.
   *
   * @returns undefined when there is no folder
   */
  kept(group: string): Promise<{ readonly since: number; readonly madeAt: number } | undefined>
  /** By name. */
  streams(group: string): Promise<LogStreamFacts[]>
  /** Batches of events in the order of their positions (or against it); between two of them the event loop turns. */
  read(group: string, query: LogQuery): AsyncGenerator<readonly LogEvent[]>
  /**
   * A position behind all events that are on disk and before all that come: `after` of who wants only those.
   * `{segment: 0, offset: 0}` when there were none.
   */
  end(group: string): Promise<LogPosition>
}
