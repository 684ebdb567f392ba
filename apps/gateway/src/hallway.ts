import type { AuthBackoff, Authenticator, Authorizer, JsonCheck } from '@hearth/shared'
import type { Dispatcher } from './async/dispatcher.ts'
import type { Directory } from './directory.ts'
import type { Expectations } from './expectations.ts'
import type { Idempotency } from './idempotency.ts'
import type { Metrics } from './metrics.ts'
import type { Traces } from './tracing/traces.ts'

/** What every call needs, whichever door it came through. */
export interface Hallway {
  readonly authenticator: Authenticator
  readonly access: Authorizer
  /** Asked about those who were not accepted. */
  readonly backoff: AuthBackoff
  readonly directory: Directory
  /** Takes events that are run later. */
  readonly dispatcher: Dispatcher
  /** Calls that are done once. */
  readonly idempotency: Idempotency
  readonly metrics: Metrics
  readonly traces: Traces
  readonly expectations: Expectations
  /** Shared by all calls whose body is there at once. */
  readonly jsonCheck: JsonCheck
  /** Whether the server is on its way down. */
  readonly draining: () => boolean
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** A bug of ours: told to the operator, never to the caller. @param traceId - Its trace header, or '' */
  readonly onBug: (err: unknown, requestId: string, traceId?: string) => void
}
