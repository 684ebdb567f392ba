/** Source: Lambda quotas. */
const MIN_UNRESERVED = 100

/**
 * Executions that no function may reserve, so that functions without a reservation still run. Lambda keeps 100 of its
 * 1,000; a smaller server keeps a tenth.
 *
 * @param concurrency - What all functions together may run at once.
 */
export function minUnreserved(concurrency: number): number {
  return Math.min(MIN_UNRESERVED, Math.floor(concurrency / 10))
}

export type ProvisionedStatus = 'IN_PROGRESS' | 'READY' | 'FAILED'

/** How far the instances of a {@link ProvisionedConcurrency} are. */
export interface ProvisionedProgress {
  readonly status: ProvisionedStatus
  /** Why it failed: Lambda's words, such as `FUNCTION_ERROR_INIT_FAILURE`. */
  readonly statusReason: string | undefined
  /** Instances that there are for it, initialised or on their way. */
  readonly allocated: number
  /** Those of them that are initialised. */
  readonly available: number
}

/** Instances of a version or an alias that are started ahead. */
export interface ProvisionedConcurrency extends ProvisionedProgress {
  /** Bare name of the function. */
  readonly functionName: string
  /** A version's number as text, or an alias. */
  readonly qualifier: string
  readonly requested: number
  /** New whenever other instances are wanted than before: another number, another version, or once more the same. */
  readonly revisionId: string
  /** Of what was asked for, ISO 8601, UTC. */
  readonly lastModified: string
}

/** What the gateway is to keep initialised. */
export interface ProvisionedWish
  extends Pick<ProvisionedConcurrency, 'functionName' | 'qualifier' | 'requested' | 'revisionId'> {
  /** Of an alias: the version that it points to first of all. */
  readonly version: string
}

/**
 * What the gateway says of a {@link ProvisionedWish}: `POST /internal/provisioned` of the control plane takes
 * `{ provisioned: ProvisionedReport[] }`. Of another revision than the current one it is stale.
 */
export interface ProvisionedReport
  extends ProvisionedProgress,
    Pick<ProvisionedWish, 'functionName' | 'qualifier' | 'revisionId'> {}
