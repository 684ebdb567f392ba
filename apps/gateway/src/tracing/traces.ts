import type { IncomingHttpHeaders } from 'node:http'
import type { Outcome } from '@hearth/executor'
import type { CallRecord, SendRecord, SpanLink, TraceRecord, Trigger } from './records.ts'
import { createSpanIds, siblingId, spanIdOf } from './span-ids.ts'
import {
  isSampledIn,
  isTraceHeader,
  readTraceHeader,
  readTraceparent,
  rootOf,
  spanIdIn,
  type TraceContext,
  traceHeader,
  traceIdOf,
  withSpanId
} from './trace-header.ts'

/** What an HTTP event says of its trace in W3C's words. */
export interface W3cContext {
  readonly traceparent: string
  /** Whether the client's own tracestate goes with it. */
  readonly keepsState: boolean
}

/** Where a call's span hangs. */
export interface Origin {
  readonly parentId: string
  readonly traceState: string
}

/**
 * Trace headers of calls: who sends one stays in its trace, and the function sees itself in it. While nothing is traced
 * (`isOn` false) headers are passed on and nothing is made, as on AWS where tracing is `PassThrough`.
 */
export interface Traces {
  readonly isOn: boolean
  /** Of a call through a door of AWS's, which counts the calls that led to it. @param requestId - UUID */
  ofCaller(requestId: string, headers: IncomingHttpHeaders): string
  /** Of a request to a URL. As on AWS, chains of calls are not counted over it. */
  ofVisitor(requestId: string, headers: IncomingHttpHeaders): string
  /** What came with a request, as a trace header; undefined: nothing that could be used. */
  received(headers: IncomingHttpHeaders): string | undefined
  /** Of an event that is kept and run later. @param sent - A trace header; what is none is ignored */
  ofEvent(requestId: string, sent: string | undefined, trigger: Trigger): string
  /** Of a call that is made for another, whose header this is. */
  ofChild(header: string, requestId: string): string
  /** Of one attempt at a kept event. */
  ofAttempt(requestId: string, stored: string): string
  /** What is stored for the next attempt; undefined: what is there already. */
  afterAttempt(stored: string, attempt: string): string | undefined
  /** What HTTP events say; undefined: the client's own headers stay. */
  w3c(header: string, headers: IncomingHttpHeaders): W3cContext | undefined
  /** Where the span of a request hangs. */
  originOf(headers: IncomingHttpHeaders): Origin
  /** Where the span of a call hangs that is made for another, whose header this is. */
  originUnder(header: string): Origin
  /** The function's run that a header is of, to be linked to. */
  linkTo(header: string): SpanLink | undefined
  /** Whether there are to be spans of a call. */
  keeps(header: string, outcome: Outcome): boolean
  record(call: Omit<CallRecord, 'type' | 'endedAt'>): void
  /** An event was accepted to be run later. */
  sent(event: Omit<SendRecord, 'type' | 'endedAt'>): void
}

export interface TracesOptions {
  /** Unix time in ms. */
  readonly nowMs: () => number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Undefined: nothing is traced. */
  readonly tracing: TracingOptions | undefined
}

export interface TracingOptions {
  /** 0 to 1, of calls whose sender did not decide. */
  readonly sample: number
  /** Calls that take as long are always kept, in ms. */
  readonly slowMs: number
  /** Called on the hot path: must only note. */
  readonly take: (record: TraceRecord) => void
}

const TRIGGERS: readonly string[] = ['http', 'pubsub', 'timer', 'other'] satisfies readonly Trigger[]
const NO_ORIGIN: Origin = { parentId: '', traceState: '' }
/** Source: W3C Trace Context, tracestate limits. */
const TRACESTATE_CHARS = 512

export function createTraces(options: TracesOptions): Traces {
  const newRoot = createRoots(options.nowMs)
  return options.tracing === undefined ? passThrough(newRoot) : traced(options, options.tracing, newRoot)
}

/** The trigger that a stored trace header names. */
export function triggerOf(trigger: string): Trigger {
  return TRIGGERS.includes(trigger) ? (trigger as Trigger) : 'other'
}

function passThrough(newRoot: (requestId: string) => string): Traces {
  const newHeader = (requestId: string): string =>
    `${newRoot(requestId)};Parent=${requestId.slice(19, 23)}${requestId.slice(24)};Sampled=0`

  const continued = (requestId: string, { traceId, parentId, isSampled, lineage }: TraceContext): string => {
    const parent = parentId === '' ? `${requestId.slice(19, 23)}${requestId.slice(24)}` : parentId
    return traceHeader(rootOf(traceId), parent, isSampled === true, lineage)
  }

  return {
    isOn: false,
    ofCaller(requestId, headers) {
      if (headers['traceparent'] !== undefined) {
        const context = read(headers, true)
        return context === undefined ? newHeader(requestId) : continued(requestId, context)
      }
      const sent = headers['x-amzn-trace-id']
      return typeof sent === 'string' && isTraceHeader(sent) ? sent : newHeader(requestId)
    },
    ofVisitor(requestId, headers) {
      if (headers['traceparent'] === undefined && headers['x-amzn-trace-id'] === undefined) return newHeader(requestId)
      const context = read(headers, false)
      return context === undefined ? newHeader(requestId) : continued(requestId, context)
    },
    received,
    ofEvent: (requestId, sent) => (sent !== undefined && isTraceHeader(sent) ? sent : newHeader(requestId)),
    ofChild: (header) => header,
    ofAttempt: (_requestId, header) => header,
    afterAttempt: () => undefined,
    w3c: () => undefined,
    originOf: () => NO_ORIGIN,
    originUnder: () => NO_ORIGIN,
    linkTo: () => undefined,
    keeps: () => false,
    record: () => undefined,
    sent: () => undefined
  }
}

function traced(
  { now }: TracesOptions,
  { sample, slowMs, take }: TracingOptions,
  newRoot: (requestId: string) => string
): Traces {
  const newSpanId = createSpanIds()

  /** Whoever decides by the same digits decides the same. */
  const isSampled = (traceIdOrRoot: string): boolean =>
    sample >= 1 || (sample > 0 && Number.parseInt(traceIdOrRoot.slice(-8), 16) < sample * 0x1_0000_0000)

  const of = (requestId: string, headers: IncomingHttpHeaders, takesLineage: boolean): string => {
    const context = read(headers, takesLineage)
    if (context === undefined) {
      const root = newRoot(requestId)
      return traceHeader(root, spanIdOf(requestId), isSampled(root), '')
    }
    const { traceId, lineage } = context
    return traceHeader(rootOf(traceId), spanIdOf(requestId), context.isSampled ?? isSampled(traceId), lineage)
  }

  return {
    isOn: true,
    ofCaller: (requestId, headers) => of(requestId, headers, true),
    ofVisitor: (requestId, headers) => of(requestId, headers, false),
    received,
    ofEvent(requestId, sent, trigger) {
      const context = sent === undefined ? undefined : readTraceHeader(sent)
      const root = context === undefined ? newRoot(requestId) : rootOf(context.traceId)
      const { parentId = '', lineage = '' } = context ?? {}
      const decided = context?.isSampled ?? isSampled(root)
      return stored(root, { parentId, isSampled: decided, lineage, trigger, lastId: '' })
    },
    ofChild: (header, requestId) => withSpanId(header, spanIdOf(requestId)),
    ofAttempt(requestId, header) {
      const context = readTraceHeader(header)
      const root = context === undefined ? newRoot(requestId) : rootOf(context.traceId)
      return traceHeader(root, newSpanId(), context?.isSampled ?? isSampled(root), context?.lineage ?? '')
    },
    afterAttempt(header, attempt) {
      const context = readTraceHeader(header)
      return context && stored(rootOf(context.traceId), { ...context, lastId: spanIdIn(attempt) })
    },
    w3c: (header, headers) => ({
      traceparent: traceparentOf(header),
      keepsState: typeof headers['traceparent'] === 'string' && readTraceparent(headers['traceparent']) !== undefined
    }),
    originOf(headers) {
      const context = read(headers, false)
      if (context === undefined) return NO_ORIGIN
      const state = typeof headers['traceparent'] === 'string' ? headers['tracestate'] : undefined
      const isKept =
        typeof state === 'string' &&
        state.length <= TRACESTATE_CHARS &&
        readTraceparent(headers['traceparent'] as string) !== undefined
      return { parentId: context.parentId, traceState: isKept ? state : '' }
    },
    originUnder: (header) => ({ parentId: siblingId(spanIdIn(header), 'invoke'), traceState: '' }),
    linkTo: (header) => ({ traceId: traceIdOf(header), spanId: spanIdIn(header) }),
    keeps(header, { status, cold, phases: { queueMs, sandboxMs, initMs, executeMs } }) {
      return isSampledIn(header) || status !== 'ok' || cold || queueMs + sandboxMs + initMs + executeMs >= slowMs
    },
    record(call) {
      take({ type: 'call', ...call, endedAt: now() })
    },
    sent(event) {
      if (isSampledIn(event.header)) take({ type: 'send', ...event, endedAt: now() })
    }
  }
}

/** W3C's header of the span that a trace header names as parent. Of a header that was made here. */
export function traceparentOf(header: string): string {
  return `00-${traceIdOf(header)}-${spanIdIn(header)}-${isSampledIn(header) ? '01' : '00'}`
}

function stored(root: string, context: Omit<TraceContext, 'traceId'>): string {
  const { parentId, isSampled, lineage, trigger, lastId } = context
  let header = root
  if (parentId !== '') header += `;Parent=${parentId}`
  if (isSampled !== undefined) header += `;Sampled=${isSampled ? '1' : '0'}`
  if (trigger !== '' && trigger !== 'other') header += `;Trigger=${trigger}`
  if (lastId !== '') header += `;Last=${lastId}`
  return lineage === '' ? header : `${header};Lineage=${lineage}`
}

/** W3C's header goes before AWS's; the chain of calls is in the latter alone. */
function read(headers: IncomingHttpHeaders, takesLineage: boolean): TraceContext | undefined {
  const { traceparent, 'x-amzn-trace-id': sent } = headers
  const w3c = typeof traceparent === 'string' ? readTraceparent(traceparent) : undefined
  if (w3c !== undefined && (!takesLineage || sent === undefined)) return w3c
  const xray = typeof sent === 'string' ? readTraceHeader(sent) : undefined
  if (w3c !== undefined) return { ...w3c, lineage: xray?.lineage ?? '' }
  return xray === undefined || takesLineage ? xray : { ...xray, lineage: '' }
}

function received(headers: IncomingHttpHeaders): string | undefined {
  if (headers['traceparent'] === undefined && headers['x-amzn-trace-id'] === undefined) return undefined
  const context = read(headers, true)
  return context && stored(rootOf(context.traceId), { ...context, trigger: '', lastId: '' })
}

/** Names of traces that begin here: the time, and digits of the request's id, which are random already. */
function createRoots(nowMs: () => number): (requestId: string) => string {
  let second = -1
  let prefix = ''
  return (id) => {
    const current = Math.floor(nowMs() / 1_000)
    if (current !== second) {
      second = current
      prefix = `Root=1-${current.toString(16).padStart(8, '0')}-`
    }
    // A UUID is 8-4-4-4-12: the first 24 digits for the root, the last 16 for the parent.
    return `${prefix}${id.slice(0, 8)}${id.slice(9, 13)}${id.slice(14, 18)}${id.slice(24, 32)}`
  }
}
