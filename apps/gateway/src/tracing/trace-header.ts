/** Where a call comes from, as its sender says. */
export interface TraceContext {
  /** 32 hex digits, not all 0. */
  readonly traceId: string
  /** 16 hex digits, not all 0; '' when the trace begins here. */
  readonly parentId: string
  /** Undefined: the sender leaves it to others. */
  readonly isSampled: boolean | undefined
  /** Of the functions that led here: `1:…`, or ''. */
  readonly lineage: string
  /** What started it, where that was noted; '' if not. */
  readonly trigger: string
  /** Span of the attempt before, 16 hex digits, or ''. */
  readonly lastId: string
}

/** The function's own call, in what every trace header that we make begins with. */
const PARENT_AT = 'Root=1-00000000-000000000000000000000000;Parent='.length
const PARENT_END = PARENT_AT + 16
const SAMPLED_AT = PARENT_END + ';Sampled='.length

/** `Root=…;Parent=…;Sampled=…`, further keys allowed; what else a client sends is not passed on. */
const TRACE_HEADER = /^Root=1-(?!0{8}-0{24})[0-9a-f]{8}-[0-9a-f]{24}(;[A-Za-z]{1,16}=[0-9A-Za-z:|.-]{0,256}){0,8}$/
/** Source: W3C Trace Context, traceparent; versions to come may have more after a dash. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]([0-9a-f])(-.*)?$/
const ID = /^(?!0{16})[0-9a-f]{16}$/
const ODD = '13579bdf'

/** Whether it can be passed on as it is. */
export function isTraceHeader(text: string): boolean {
  return TRACE_HEADER.test(text)
}

/** Reads X-Ray's header, its parts in any order. @returns undefined when it is none */
export function readTraceHeader(text: string): TraceContext | undefined {
  let traceId = ''
  let parentId = ''
  let isSampled: boolean | undefined
  let lineage = ''
  let trigger = ''
  let lastId = ''
  if (text.length > 4_096) return undefined
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    const value = part.slice(equals + 1).trim()
    switch (part.slice(0, Math.max(equals, 0)).trim()) {
      case 'Root':
        if (!isTraceHeader(`Root=${value}`)) return undefined
        traceId = value.slice(2, 10) + value.slice(11)
        break
      case 'Parent':
        if (!ID.test(value)) return undefined
        parentId = value
        break
      case 'Sampled':
        if (value === '1') isSampled = true
        else if (value === '0') isSampled = false
        break
      case 'Lineage':
        if (/^[0-9a-f:|]{0,256}$/.test(value)) lineage = value
        break
      case 'Trigger':
        trigger = value
        break
      case 'Last':
        if (ID.test(value)) lastId = value
        break
      default:
    }
  }
  return traceId === '' ? undefined : { traceId, parentId, isSampled, lineage, trigger, lastId }
}

/**
 * Reads W3C's header. One that is not as it should be is as none.
 *
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function readTraceparent(text: string): TraceContext | undefined {
  const found = text.length > 512 ? null : TRACEPARENT.exec(text)
  if (found === null) return undefined
  const [, version, traceId = '', parentId = '', flags = '', more] = found
  if (version === '00' && more !== undefined) return undefined
  return { traceId, parentId, isSampled: ODD.includes(flags), lineage: '', trigger: '', lastId: '' }
}

/** W3C's header that says what X-Ray's does. @returns undefined when that names no parent */
export function toTraceparent(header: string): string | undefined {
  const context = readTraceHeader(header)
  if (context === undefined || context.parentId === '') return undefined
  return `00-${context.traceId}-${context.parentId}-${context.isSampled === true ? '01' : '00'}`
}

/** X-Ray's name of a trace: `Root=1-…-…`. */
export function rootOf(traceId: string): string {
  return `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}`
}

/** @param root - `Root=…` @param lineage - Of {@link TraceContext} */
export function traceHeader(root: string, parentId: string, isSampled: boolean, lineage: string): string {
  const header = `${root};Parent=${parentId};Sampled=${isSampled ? '1' : '0'}`
  return lineage === '' ? header : `${header};Lineage=${lineage}`
}

/** Of a header that {@link traceHeader} made. */
export function traceIdOf(header: string): string {
  return header.slice(7, 15) + header.slice(16, 40)
}

/** Of a header that {@link traceHeader} made: 16 hex digits. */
export function spanIdIn(header: string): string {
  return header.slice(PARENT_AT, PARENT_END)
}

/** Of a header that {@link traceHeader} made. */
export function isSampledIn(header: string): boolean {
  return header.charCodeAt(SAMPLED_AT) === 0x31
}

/** The same trace with another parent. Of a header that {@link traceHeader} made. */
export function withSpanId(header: string, spanId: string): string {
  return header.slice(0, PARENT_AT) + spanId + header.slice(PARENT_END)
}
