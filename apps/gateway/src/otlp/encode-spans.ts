import type { Attribute, Span } from './span.ts'

/** Who sends. */
export interface OtlpSource {
  readonly resource: readonly Attribute[]
  readonly version: string
}

/** Source: trace.proto, SpanFlags. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

/**
 * The body of `POST /v1/traces` in OTLP's JSON: ids in hex, 64-bit numbers as decimal text, enums as numbers.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function encodeSpans(spans: readonly Span[], { resource, version }: OtlpSource): string {
  const scope = `{"name":"hearth","version":${JSON.stringify(version)}}`
  const scoped = `{"scope":${scope},"spans":[${spans.map(encodeSpan).join(',')}]}`
  return `{"resourceSpans":[{"resource":{"attributes":${encodeAttributes(resource)}},"scopeSpans":[${scoped}]}]}`
}

function encodeSpan(span: Span): string {
  const { parentId, traceState, links, status } = span
  const sampled = span.isSampled ? 1 : 0
  const flags = parentId === '' ? sampled : sampled | HAS_IS_REMOTE | (span.isParentRemote ? IS_REMOTE : 0)
  let text = `{"traceId":"${span.traceId}","spanId":"${span.spanId}"`
  if (traceState !== '') text += `,"traceState":${JSON.stringify(traceState)}`
  if (parentId !== '') text += `,"parentSpanId":"${parentId}"`
  text += `,"flags":${flags},"name":${JSON.stringify(span.name)},"kind":${span.kind}`
  text += `,"startTimeUnixNano":"${nanos(span.startMs)}","endTimeUnixNano":"${nanos(Math.max(span.startMs, span.endMs))}"`
  text += `,"attributes":${encodeAttributes(span.attributes)}`
  if (links.length > 0) {
    text += `,"links":[${links.map(({ traceId, spanId }) => `{"traceId":"${traceId}","spanId":"${spanId}"}`).join(',')}]`
  }
  if (status !== undefined) text += `,"status":${JSON.stringify(status)}`
  return `${text}}`
}

function encodeAttributes(attributes: readonly Attribute[]): string {
  let text = '['
  for (const [key, value] of attributes) {
    if (text.length > 1) text += ','
    text += `{"key":${JSON.stringify(key)},"value":{${encodeValue(value)}}}`
  }
  return `${text}]`
}

function encodeValue(value: Attribute[1]): string {
  if (typeof value === 'string') return `"stringValue":${JSON.stringify(value)}`
  if (typeof value === 'boolean') return `"boolValue":${value}`
  if (typeof value === 'bigint') return `"intValue":"${value}"`
  return `"doubleValue":${value}`
}

/** A double holds no nanoseconds of today: microseconds it does. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1_000)}000`
}
