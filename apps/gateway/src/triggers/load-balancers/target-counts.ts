/** A request that a function got, or was to get, and that the load balancer answered with 502. */
export interface FailedRequest {
  /** Unix time in ms. */
  readonly at: number
  readonly requestId: string
  readonly functionArn: string
  readonly message: string
}

/** What one load balancer did since this process began. */
export interface TargetCounts {
  called(): void
  failed(failure: Omit<FailedRequest, 'at'>): void
  read(): {
    readonly called: number
    readonly failed: number
    /** The newest first. */
    readonly failures: readonly FailedRequest[]
  }
}

const REMEMBERED = 20

export function createTargetCounts(now: () => number): TargetCounts {
  let called = 0
  let failed = 0
  let failures: readonly FailedRequest[] = []
  return {
    called() {
      called += 1
    },
    failed(failure) {
      failed += 1
      failures = [{ at: now(), ...failure }, ...failures].slice(0, REMEMBERED)
    },
    read: () => ({ called, failed, failures })
  }
}
