import type { Telemetry } from '@hearth/store'

/** A step takes some ms: between two of them others have their turn. */
const BETWEEN_STEPS_MS = 50
const PAUSE_MS = 30_000

/** Rolls old metrics up in the background, step by step. @returns stops it */
export function tidyOften({ tidy }: Pick<Telemetry, 'tidy'>, onError: (err: unknown) => void): () => void {
  let timer = setTimeout(step, PAUSE_MS)
  timer.unref()
  function step(): void {
    let hasMore = false
    try {
      hasMore = tidy()
    } catch (err) {
      onError(err)
    }
    timer = setTimeout(step, hasMore ? BETWEEN_STEPS_MS : PAUSE_MS)
    timer.unref()
  }
  return () => {
    clearTimeout(timer)
  }
}
