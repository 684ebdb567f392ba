/** An event as an archive takes it. */
export interface ArchivedEvent {
  /** Its own time, Unix time in ms. */
  readonly eventAt: number
  readonly archivedAt: number
  /** JSON. */
  readonly event: Buffer
  /** Of a sender who may send it again: only the first is kept. */
  readonly receipt?: { readonly key: string; readonly id: string; readonly expiresAt: number } | undefined
}

export interface ArchiveTotal {
  readonly id: string
  readonly events: number
  readonly bytes: number
}

/** The last event of a replay that was handed on. */
export interface ReplayPosition {
  /** The event's own time, Unix time in ms. */
  readonly eventAt: number
  readonly seq: number
}

export interface ReplayProgress {
  readonly id: string
  readonly state: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED'
  /** Why it failed, or ''. */
  readonly reason: string
  readonly position: ReplayPosition | undefined
  /** Unix time in ms. */
  readonly endedAt: number | undefined
}

/** Which events of an archive are asked for. */
export interface ReplayQuery {
  readonly replay: string
  readonly archive: string
  /** Times of events, both included; Unix times in ms. */
  readonly from: number
  readonly until: number
  readonly limit: number
}

/** Events that archives keep, in the file that the events of functions are in. */
export interface EventArchives {
  /** Keeps it in each of these archives. @throws QueueUnavailableError when it cannot be written */
  keep(archives: readonly string[], event: ArchivedEvent): Promise<void>
  /** Of every archive that ever kept something and was not dropped. */
  totals(): Promise<readonly ArchiveTotal[]>
  /** Forgets what came before. @returns how many, at most `limit` */
  prune(archive: string, before: number, limit: number): Promise<number>
  /** Forgets the archive once there is nothing in it. @returns how many events went, at most `limit` */
  drop(archive: string, limit: number): Promise<number>
  /** One that was begun goes on from where it was. */
  beginReplay(id: string): Promise<ReplayProgress>
  /** The next events of a replay, by their own time. */
  readReplay(query: ReplayQuery): Promise<readonly (ReplayPosition & { readonly event: Buffer })[]>
  /** What comes up to here was handed on. */
  advanceReplay(id: string, position: ReplayPosition): Promise<void>
  endReplay(id: string, state: Exclude<ReplayProgress['state'], 'RUNNING'>, reason: string, at: number): Promise<void>
  listReplays(): Promise<readonly ReplayProgress[]>
  forgetReplays(ids: readonly string[]): Promise<void>
  /** Events of a function that are due and that nobody has. @returns at most `most` */
  countDue(functionName: string, now: number, most: number): Promise<number>
}
