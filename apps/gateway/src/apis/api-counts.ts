/** Why a request that a route took did not get its function's answer. */
export type ApiFailure =
  /** Nothing lets the API invoke the function. */
  | 'permission'
  /** The function, or the route's integration, is not there. */
  | 'no_function'
  | 'function_error'
  /** The function's answer describes no response. */
  | 'invalid_response'
  | 'timeout'
  /** No instance was to be had. */
  | 'capacity'
  | 'authorizer'

export const API_FAILURES: readonly ApiFailure[] = [
  'permission',
  'no_function',
  'function_error',
  'invalid_response',
  'timeout',
  'capacity',
  'authorizer'
]

export interface FailedRequest {
  /** Unix time in ms. */
  readonly at: number
  readonly requestId: string
  readonly route: string
  readonly reason: ApiFailure
}

/** What one API did since this process began. */
export interface ApiCounts {
  requests: number
  /** Answered with 4xx by the gateway itself: no route, not let in, too many. */
  refused: number
  failed: number
  /** The newest first. */
  failures: readonly FailedRequest[]
}

const REMEMBERED = 20

export function newCounts(): ApiCounts {
  return { requests: 0, refused: 0, failed: 0, failures: [] }
}

export function noteFailure(counts: ApiCounts, failure: FailedRequest): void {
  counts.failed += 1
  counts.failures = [failure, ...counts.failures].slice(0, REMEMBERED)
}
