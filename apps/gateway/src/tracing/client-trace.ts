import type { W3cContext } from './traces.ts'

/**
 * Whether a client's header gives way to what we say of the trace. Its tracestate means something only beside a
 * traceparent that could be read.
 *
 * @param name - In lower case
 * @see https://www.w3.org/TR/trace-context/#a-traceparent-is-received
 */
export function isClientsTrace(name: string, ours: W3cContext | undefined): boolean {
  if (ours === undefined) return false
  return name === 'traceparent' || (name === 'tracestate' && !ours.keepsState)
}
