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
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: resource.map(keyValue) },
        scopeSpans: [{ scope: { name: 'hearth', version }, spans: spans.map(spanOf) }]
      }
    ]
  })
}

function spanOf(span: Span): object {
  const { parentId, traceState, links, status } = span
  const sampled = span.isSampled ? 1 : 0
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(traceState === '' ? {} : { traceState }),
    ...(parentId === '' ? {} : { parentSpanId: parentId }),
    flags: parentId === '' ? sampled : sampled | HAS_IS_REMOTE | (span.isParentRemote ? IS_REMOTE : 0),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(Math.max(span.startMs, span.endMs)),
    attributes: span.attributes.map(keyValue),
    ...(links.length === 0 ? {} : { links: links.map(({ traceId, spanId }) => ({ traceId, spanId })) }),
    ...(status === undefined ? {} : { status })
  }
}

function keyValue([key, value]: Attribute): object {
  if (typeof value === 'string') return { key, value: { stringValue: value } }
  if (typeof value === 'boolean') return { key, value: { boolValue: value } }
  if (typeof value === 'bigint') return { key, value: { intValue: String(value) } }
  return { key, value: { doubleValue: value } }
}

/** A double holds no nanoseconds of today: microseconds it does. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1_000)}000`
}
