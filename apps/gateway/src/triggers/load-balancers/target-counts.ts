/** What one load balancer did since this process began. */
export interface TargetCounts {
  called(): void
  failed(why: string): void
  read(): {
    readonly called: number
    readonly failed: number
    /** Unix time in ms. */
    readonly lastError: { readonly at: number; readonly message: string } | undefined
  }
}

export function createTargetCounts(now: () => number): TargetCounts {
  let called = 0
  let failed = 0
  let lastError: { readonly at: number; readonly message: string } | undefined
  return {
    called() {
      called += 1
    },
    failed(message) {
      failed += 1
      lastError = { at: now(), message }
    },
    read: () => ({ called, failed, lastError })
  }
}
