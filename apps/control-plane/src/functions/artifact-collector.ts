import type { ArtifactStore } from '@hearth/store'

export interface CollectorOptions {
  readonly intervalMs: number
  /** Longer than any invocation that may still run old code. */
  readonly graceMs: number
  readonly onRemoved: (artifacts: readonly string[]) => void
  readonly onError: (thrown: unknown) => void
}

/** Removes code that nothing needs any more, from time to time. @returns stops it */
export function startArtifactCollector(
  artifacts: ArtifactStore,
  users: readonly { isReferenced(artifact: string): boolean }[],
  options: CollectorOptions
): () => void {
  const timer = setInterval(() => {
    artifacts
      .collect((sha256) => users.some((user) => user.isReferenced(sha256)), options.graceMs)
      .then((removed) => {
        if (removed.length > 0) options.onRemoved(removed)
      }, options.onError)
  }, options.intervalMs)
  timer.unref()
  return () => {
    clearInterval(timer)
  }
}
