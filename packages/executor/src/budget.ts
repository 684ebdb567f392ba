import { MIN_PAUSE_MS, type OutputShare } from './output-share.ts'

/**
 * How fast the gateway is willing to read what an instance says of its own accord (log lines, raw output, bytes
 * that complete no frame). Over the budget the stream is paused: the writer waits, nobody else does.
 * Unlimited reading let `yes` take a whole core of the host.
 */
export interface Budget {
  /** @param bytes - Just read. @returns for how many ms to stop reading; 0 to go on */
  spend(bytes: number): number
  /** As {@link spend}, of what goes to the log: that the function's instances are bounded in together, too. */
  spendOnLog(bytes: number): number
  /** The instance is a function's from now on. @param onPause - Told for how many ms its output is not read */
  join(share: OutputShare, onPause: (ms: number) => void): void
  /** Reading stops, for as long as it was said to. */
  pause(ms: number): void
}

/** What a line costs beyond its bytes, and a read beyond its lines: the empty and the tiny are work too. */
export const LINE_COST_BYTES = 128
export const READ_COST_BYTES = 512

/** Bytes that may come at once after a quiet time, in seconds' worth of the rate. */
const BURST_SECONDS = 8
const MAX_PAUSE_MS = 1_000

/** @param bytesPerSecond - The steady rate */
export function createBudget(bytesPerSecond: number, now: () => number): Budget {
  const capacity = bytesPerSecond * BURST_SECONDS
  let tokens = capacity
  let refilledAt = now()
  let share: OutputShare | undefined
  let onPause: ((ms: number) => void) | undefined

  function spend(bytes: number): number {
    tokens -= bytes
    if (tokens >= 0) return 0
    const at = now()
    tokens = Math.min(capacity, tokens + ((at - refilledAt) / 1000) * bytesPerSecond)
    refilledAt = at
    if (tokens >= 0) return 0
    return Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, (-tokens / bytesPerSecond) * 1000))
  }

  return {
    spend,
    spendOnLog(bytes) {
      const own = spend(bytes)
      return share === undefined ? own : Math.max(own, share.spend(bytes))
    },
    join(joined, onJoinedPause) {
      share = joined
      onPause = onJoinedPause
    },
    pause(ms) {
      onPause?.(ms)
    }
  }
}
