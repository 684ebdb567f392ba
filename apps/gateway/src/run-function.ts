import type { Invocation, Outcome } from '@hearth/executor'
import type { Entry } from './function-routes.ts'
import type { Metrics } from './metrics.ts'

/** A call of a function that is no HTTP request's own; it counts as any call of it does. */
export interface FunctionCall {
  readonly requestId: string
  readonly traceId: string
  readonly payload: Buffer
}

/**
 * Runs a function through its ordinary pool.
 *
 * @param done - Called once; undefined: no answer came in time
 */
export function runFunction(
  entry: Entry,
  { requestId, traceId, payload }: FunctionCall,
  timeoutMs: number,
  metrics: Pick<Metrics, 'functions' | 'settled'>,
  done: (outcome: Outcome | undefined) => void
): void {
  const { pool } = entry
  const row = metrics.functions.started(entry.record.name)
  let isOver = false
  const invocation: Invocation = {
    requestId,
    payload,
    invokedArn: entry.invokedArn,
    traceId,
    clientContext: '',
    tail: false,
    settle(outcome) {
      metrics.settled(row, entry, outcome)
      end(outcome)
    }
  }
  const timer = setTimeout(() => {
    if (isOver) return
    // One that has begun goes on until its own time is up, as an invocation whose caller has left.
    if (pool.cancel(invocation)) metrics.functions.cancelled(row)
    end(undefined)
  }, timeoutMs)
  function end(outcome: Outcome | undefined): void {
    clearTimeout(timer)
    if (isOver) return
    isOver = true
    done(outcome)
  }
  pool.invoke(invocation)
}
