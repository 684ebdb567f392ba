import type { Outcome } from '@hearth/executor'

/** Upper bounds of the duration histogram, in seconds. Init is not part of it, as in CloudWatch's Duration. */
export const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60] as const

export const STATUSES = ['ok', 'error', 'timeout', 'oom', 'init_error'] as const
export const THROTTLES = ['function', 'account', 'rate', 'queue'] as const
/** Why an event was given up. */
export const DROPS = ['age', 'retries', 'deleted', 'switched_off', 'recursion'] as const
export const CODE_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const

// Columns of one function's row.
export const RUNNING = 0
export const LAST_ACTIVE = 1
/** Bytes: the most that an instance used in the present minute, and in the one before. */
export const MEMORY = 2
export const MEMORY_BEFORE = 3
export const MEMORY_MINUTE = 4
/** From here on, what is folded adds up. */
export const FIRST_COUNT = 5
export const COLD_STARTS = 5
export const BILLED_SECONDS = 6
export const DURATION_SUM = 7
/** Whether the function has events of its own queue, or requests to its URL: series of those appear when they are used. */
export const USES_QUEUE = 8
export const USES_URL = 9
export const RECEIVED = 10
export const DEAD_LETTER_ERRORS = 11
export const DESTINATION_FAILURES = 12
export const RECURSIVE = 13
export const CPU_SECONDS = 14
export const OUTPUT_PAUSED_SECONDS = 15
export const STATUS = 16
export const THROTTLE = STATUS + STATUSES.length
export const DROPPED = THROTTLE + THROTTLES.length
export const URL_CLASS = DROPPED + DROPS.length
export const BUCKET = URL_CLASS + CODE_CLASSES.length
/** One bucket more than bounds: the last one is +Inf. */
export const WIDTH = BUCKET + DURATION_BUCKETS.length + 1

export function bucketIndex(seconds: number): number {
  let i = 0
  while (i < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[i]!) i++
  return i
}

/** A crash is the function's error, as in CloudWatch's Errors. */
export function statusIndex(status: Exclude<Outcome['status'], 'throttled' | 'unavailable'>): number {
  switch (status) {
    case 'ok':
      return 0
    case 'error':
    case 'crash':
      return 1
    case 'timeout':
      return 2
    case 'oom':
      return 3
    case 'init_error':
      return 4
  }
}

/** @param reason - Which limit refused, if the executor names one. */
export function throttleIndex(reason: string): number {
  const index = (THROTTLES as readonly string[]).indexOf(reason)
  return index === -1 ? THROTTLES.length - 1 : index
}
