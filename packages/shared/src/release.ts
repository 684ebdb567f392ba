/** `running` and `paused` are under way; the others are ends. */
export type ReleaseState = 'running' | 'paused' | 'completed' | 'rolled-back' | 'aborted'

export interface ReleaseStep {
  /** Percent of the alias's calls that go to the new version. */
  readonly weight: number
  /** How long at least, in seconds. */
  readonly durationS: number
}

/** What a release was asked to do. It never changes. */
export interface ReleasePlan {
  /** The version that the alias pointed to. */
  readonly fromVersion: string
  readonly toVersion: string
  readonly steps: readonly ReleaseStep[]
  /** Share of the new version's calls that may fail, 0 to 1. */
  readonly maxErrorRatio: number
  /** Undefined: no bound. */
  readonly maxP99Ms: number | undefined
  /** Calls of the new version without which a step does not end. */
  readonly minInvocations: number
}

/** Calls of the new version in one step. */
export interface ReleaseCounts {
  readonly invocations: number
  readonly errors: number
  /** Longer than the bound. */
  readonly slow: number
  /** Upper bound of the bucket that the 99th percentile is in; undefined: no call yet. */
  readonly p99Ms: number | undefined
}

/**
 * All that one gateway process has counted in a release's step. It only grows, so that of two the later one holds the
 * earlier: a report may be lost, come twice or not be answered, and nothing is counted twice.
 */
export interface ReleaseTally {
  /** Another one for each process. */
  readonly gateway: string
  readonly invocations: number
  readonly errors: number
  /** Longer than the bound. */
  readonly slow: number
  /** Calls by duration: bucket and count, without those that are empty. */
  readonly buckets: readonly (readonly [bucket: number, calls: number])[]
}

export interface ReleaseEvent {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly event: 'started' | 'shifted' | 'paused' | 'resumed' | 'completed' | 'rolled-back' | 'aborted'
  /** Percent of calls that the new version gets from then on. */
  readonly weight: number
  readonly reason: string
}

/** An alias on its way from one version to another. */
export interface ReleaseRecord {
  /** UUID. */
  readonly id: string
  readonly functionName: string
  readonly alias: string
  readonly state: ReleaseState
  /** Index into the plan's steps. */
  readonly step: number
  readonly plan: ReleasePlan
  /** When the step began, ISO 8601, UTC; the time that it was paused for is taken off by moving it on. */
  readonly stepStartedAt: string
  /** Undefined unless paused. */
  readonly pausedAt: string | undefined
  /** What each gateway process has counted, as last heard of, of the current or last step. */
  readonly tallies: readonly ReleaseTally[]
  readonly events: readonly ReleaseEvent[]
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

/** What the gateway counts for each call of a release's new version. */
export interface ReleaseWatch {
  readonly id: string
  readonly step: number
  readonly version: string
  readonly maxP99Ms: number | undefined
}
