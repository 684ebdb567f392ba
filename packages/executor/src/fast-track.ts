/**
 * Knows how short a function's events are, and with it two liberties that a pool may take under load. Both are only
 * fair while events are short, since an event then waits for the one before it instead of having an instance started.
 */
export interface FastTrack {
  /** Events are so short that waiting for a running one is over sooner than a start, or a wake-up on a busy CPU. */
  readonly short: boolean
  /** Average of what recent events took, in ms. */
  readonly meanMs: number
  /** They have been for long enough that events may be sent to an instance before it is done with the one before. */
  readonly open: boolean
  /** @param executeMs - How long an event ran */
  record(executeMs: number): void
  /** An event goes on for longer than short ones do: both end at once. */
  close(): void
}

/** An event up to this long is short. */
const SHORT_MS = 2
/** Longer than this is no hiccup of a busy machine. */
const LONG_MS = 50
/** Events on average up to this long are worth waiting for. */
const SHORT_MEAN_MS = 1
/** Events before the average counts. */
const SAMPLE = 16
/** Events before pre-sending begins, and over which the share of long ones is taken. */
const PROOF = 1_000
/** Long ones among them: a machine with fewer CPUs than runnable processes makes some of any function. */
const LONG_SHARE = 0.01

export function createFastTrack(): FastTrack {
  let events = 0
  let long = 0
  let meanMs = 0
  const close = () => {
    events = 0
    long = 0
    meanMs = 0
  }
  return {
    get short() {
      return events >= SAMPLE && meanMs <= SHORT_MEAN_MS
    },
    get meanMs() {
      return meanMs
    },
    get open() {
      return events >= PROOF && meanMs <= SHORT_MEAN_MS && long <= events * LONG_SHARE
    },
    record(executeMs) {
      if (executeMs > LONG_MS) {
        close()
        return
      }
      meanMs += (executeMs - meanMs) / Math.min(++events, 64)
      if (executeMs > SHORT_MS) long++
      // The past fades: what counts is the last thousand or two.
      if (events >= 2 * PROOF) {
        events = PROOF
        long /= 2
      }
    },
    close
  }
}
