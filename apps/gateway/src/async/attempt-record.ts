import type { Outcome } from '@hearth/executor'
import type { QueuedEvent } from '@hearth/store'
import type { Entry } from '../function-routes.ts'
import { type CallRecord, factsOf } from '../tracing/records.ts'
import { readTraceHeader } from '../tracing/trace-header.ts'
import { triggerOf } from '../tracing/traces.ts'

/** What traces note of one attempt at an event. @param traceId - As the function saw it */
export function attemptRecord(
  {
    event,
    entry,
    traceId,
    startedAt
  }: {
    readonly event: QueuedEvent
    readonly entry: Entry
    readonly traceId: string
    readonly startedAt: number
  },
  outcome: Outcome
): Omit<CallRecord, 'type' | 'endedAt'> {
  const context = readTraceHeader(event.traceId)
  const { lastId = '' } = context ?? {}
  return {
    header: traceId,
    parentId: context?.parentId ?? '',
    traceState: '',
    isAwaited: false,
    trigger: triggerOf(context?.trigger ?? ''),
    requestId: event.requestId,
    invokedArn: entry.invokedArn,
    ...factsOf(entry, outcome),
    links: lastId === '' ? [] : [{ traceId: context!.traceId, spanId: lastId }],
    attempt: event.attempts + 1,
    waitedMs: startedAt - event.acceptedAt
  }
}
