/** Source: opentelemetry-proto, trace.proto, Span.SpanKind. */
export const KIND = { internal: 1, server: 2, producer: 4, consumer: 5 } as const
/** Source: as above, Status.StatusCode. */
export const STATUS = { error: 2 } as const

/** Integers are bigints: they go over the wire as text. */
export type Attribute = readonly [name: string, value: string | boolean | number | bigint]

/** One span, over already. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  /** '': it is a root. */
  readonly parentId: string
  readonly isParentRemote: boolean
  readonly isSampled: boolean
  readonly traceState: string
  readonly name: string
  readonly kind: (typeof KIND)[keyof typeof KIND]
  /** Unix time in ms, fractional. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: readonly Attribute[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code: number; readonly message: string }
}
