import { type ArnScope, functionArn } from '@hearth/shared'
import { type Attribute, KIND, type Span, STATUS } from '../otlp/span.ts'
import type { CallRecord, SendRecord, TraceRecord } from './records.ts'
import { type SpanRole, siblingId } from './span-ids.ts'
import { isSampledIn, spanIdIn, traceIdOf } from './trace-header.ts'

/** Names of functions' errors are their own text. */
const ERROR_CHARS = 256

/**
 * The spans of what was noted: of a call, itself and its phases.
 *
 * @param unixOf - Unix time in ms of a monotonic one
 * @see https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/
 */
export function toSpans(record: TraceRecord, scope: ArnScope, unixOf: (at: number) => number): readonly Span[] {
  return record.type === 'send' ? [sendSpan(record, scope, unixOf)] : callSpans(record, scope, unixOf)
}

/** How many {@link toSpans} makes. */
export function countSpans(record: TraceRecord): number {
  if (record.type === 'send') return 1
  return 2 + (record.outcome.cold ? 2 : 0) + (isRun(record) ? 1 : 0)
}

/** Whether it reached an instance. */
function isRun({ outcome: { status } }: CallRecord): boolean {
  return status !== 'throttled' && status !== 'unavailable'
}

function sendSpan(record: SendRecord, scope: ArnScope, unixOf: (at: number) => number): Span {
  const { header, requestId, function: fn } = record
  return {
    ...commonOf(record),
    spanId: spanIdIn(header),
    parentId: record.parentId,
    traceState: record.traceState,
    isParentRemote: true,
    name: `send ${fn.name}`,
    kind: KIND.producer,
    startMs: unixOf(record.startedAt),
    endMs: unixOf(record.endedAt),
    attributes: [
      ['faas.invoked_name', fn.name],
      ['faas.invoked_provider', 'aws'],
      ['faas.invoked_region', scope.region],
      ['aws.lambda.invoked_arn', record.invokedArn],
      ['aws.request_id', requestId]
    ],
    links: []
  }
}

function callSpans(record: CallRecord, scope: ArnScope, unixOf: (at: number) => number): readonly Span[] {
  const { header, outcome, endedAt } = record
  const { queueMs, sandboxMs, initMs, executeMs } = outcome.phases
  const own = spanIdIn(header)
  const invokeId = siblingId(own, 'invoke')
  const arrivedAt = endedAt - queueMs - sandboxMs - initMs - executeMs
  const isFailed = outcome.status !== 'ok'
  const errorType = isFailed ? (outcome.errorType || outcome.status).slice(0, ERROR_CHARS) : ''
  const spans: Span[] = [
    {
      ...commonOf(record),
      spanId: invokeId,
      parentId: record.parentId,
      traceState: record.traceState,
      isParentRemote: true,
      name: `invoke ${record.function.name}`,
      kind: record.isAwaited ? KIND.server : KIND.consumer,
      startMs: unixOf(Math.min(record.startedAt ?? arrivedAt, arrivedAt)),
      endMs: unixOf(endedAt),
      attributes: attributesOf(record, scope, errorType),
      links: record.links ?? [],
      ...(isFailed ? { status: { code: STATUS.error, message: errorType } } : {})
    }
  ]
  let from = arrivedAt
  const phase = (role: SpanRole, name: string, ms: number, error = ''): void => {
    spans.push({
      ...commonOf(record),
      spanId: siblingId(own, role),
      parentId: invokeId,
      traceState: '',
      isParentRemote: false,
      name,
      kind: KIND.internal,
      startMs: unixOf(from),
      endMs: unixOf(from + ms),
      attributes: error === '' ? [] : [['error.type', error]],
      links: [],
      ...(error === '' ? {} : { status: { code: STATUS.error, message: error } })
    })
    from += ms
  }
  phase('queue', 'queue', queueMs)
  if (outcome.cold) {
    phase('sandbox', 'sandbox', sandboxMs)
    phase('init', 'init', initMs, outcome.status === 'init_error' ? errorType : '')
  }
  if (isRun(record)) phase('execute', 'execute', executeMs, outcome.status === 'init_error' ? '' : errorType)
  return spans
}

function commonOf({ header }: TraceRecord): Pick<Span, 'traceId' | 'isSampled'> {
  return { traceId: traceIdOf(header), isSampled: isSampledIn(header) }
}

function attributesOf(record: CallRecord, scope: ArnScope, errorType: string): Attribute[] {
  const { function: fn, outcome, attempt, waitedMs } = record
  const attributes: Attribute[] = [
    ['faas.name', fn.name],
    ['faas.version', fn.version],
    ['faas.invocation_id', record.requestId],
    ['faas.coldstart', outcome.cold],
    ['faas.trigger', record.trigger],
    ['faas.max_memory', BigInt(fn.memoryMiB) * 1_048_576n],
    ['cloud.resource_id', functionArn(scope, fn.name, fn.version)],
    ['aws.lambda.invoked_arn', record.invokedArn],
    ['hearth.outcome', outcome.status]
  ]
  if (isRun(record)) {
    attributes.push(
      ['hearth.billed_duration_ms', BigInt(outcome.billedMs)],
      ['hearth.memory_used_mib', BigInt(Math.round(outcome.maxMemoryMiB))]
    )
  }
  if (errorType !== '') attributes.push(['error.type', errorType])
  if (attempt !== undefined) attributes.push(['hearth.event.attempt', BigInt(attempt)])
  if (waitedMs !== undefined) attributes.push(['hearth.event.waited_ms', waitedMs])
  return attributes
}
