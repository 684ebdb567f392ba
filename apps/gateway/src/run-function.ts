import type { Invocation, Outcome } from '@hearth/executor'
import type { Entry } from './function-routes.ts'
import type { Hallway } from './hallway.ts'
import { type CallRecord, factsOf } from './tracing/records.ts'

/** A call of a function that is no HTTP request's own; it counts as any call of it does. */
export interface FunctionCall {
  readonly requestId: string
  readonly traceId: string
  readonly payload: Buffer
  /** Where its span hangs. */
  readonly span: Pick<CallRecord, 'parentId' | 'traceState' | 'trigger' | 'links'>
}

/**
 * Runs a function through its ordinary pool.
 *
 * @param done - Called once; undefined: no answer came in time
 */
export function runFunction(
  entry: Entry,
  { requestId, traceId, payload, span }: FunctionCall,
  timeoutMs: number,
  {
    metrics,
    traces
  }: Pick<Hallway, 'traces'> & { readonly metrics: Pick<Hallway['metrics'], 'functions' | 'settled'> },
  done: (outcome: Outcome | undefined) => void
): void {
  const { pool, invokedArn } = entry
  const row = metrics.functions.started(entry.record.name)
  let isOver = false
  const invocation: Invocation = {
    requestId,
    payload,
    invokedArn,
    traceId,
    clientContext: '',
    tail: false,
    settle(outcome) {
      metrics.settled(row, entry, outcome)
      if (traces.keeps(traceId, outcome)) {
        const facts = { header: traceId, isAwaited: true, requestId, invokedArn, ...factsOf(entry, outcome) }
        traces.record({ ...facts, ...span })
      }
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
