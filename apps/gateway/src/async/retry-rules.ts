import type { Condition } from '@hearth/store'

/** What is to become of an event after an attempt. */
export type Verdict = { readonly over: Condition } | { readonly dueAt: number }

export interface RetryLimits {
  /** 0 to 2. */
  readonly maxRetries: number
  /** 60 to 21,600. */
  readonly maxAgeS: number
}

/** Lambda's, where nothing else is configured. */
export const DEFAULT_LIMITS: RetryLimits = { maxRetries: 2, maxAgeS: 21_600 }

const MINUTE_MS = 60_000
const BACKOFF_MS = { first: 1_000, most: 300_000 }

/**
 * After the function failed: again after one minute, then after two.
 *
 * @param attempts - That reached the function, this one included
 * @see reference: Lambda invocation §2
 */
export function afterFailure(attempts: number, acceptedAt: number, now: number, limits: RetryLimits): Verdict {
  if (attempts > limits.maxRetries) return { over: 'RetriesExhausted' }
  return within(now + attempts * MINUTE_MS, acceptedAt, limits)
}

/**
 * After an attempt that never reached the function: one second, doubling up to five minutes. Uses up no retries.
 *
 * @param throttles - Of these in a row, this one included
 */
export function afterThrottle(throttles: number, acceptedAt: number, now: number, limits: RetryLimits): Verdict {
  const wait = Math.min(BACKOFF_MS.first * 2 ** Math.min(throttles - 1, 20), BACKOFF_MS.most)
  return within(now + wait, acceptedAt, limits)
}

/** Whether an event may still be tried now. */
export function isTooOld(acceptedAt: number, now: number, limits: RetryLimits): boolean {
  return now - acceptedAt > limits.maxAgeS * 1_000
}

/** The check looks ahead: what would be too old at its next attempt is over now. */
function within(dueAt: number, acceptedAt: number, limits: RetryLimits): Verdict {
  return dueAt - acceptedAt >= limits.maxAgeS * 1_000 ? { over: 'EventAgeExceeded' } : { dueAt }
}
