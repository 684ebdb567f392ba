import { once } from 'node:events'
import http, { type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly traceState: string | undefined
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code: number; readonly message: string } | undefined
  readonly resource: Readonly<Record<string, unknown>>
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A receiver of OTLP/HTTP in JSON that takes nothing that is not as the specification says. */
export interface Collector {
  readonly url: string
  readonly spans: ReceivedSpan[]
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly at: number }[]
  /** What was wrong with what came. */
  readonly faults: string[]
  /** What the next requests are answered with; what is not taken is not kept. Then 200. */
  readonly replies: (Reply | 'hang up')[]
  named(name: string): readonly ReceivedSpan[]
  close(): Promise<void>
}

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  const requests: { path: string; headers: IncomingHttpHeaders; at: number }[] = []
  const faults: string[] = []
  const replies: (Reply | 'hang up')[] = []
  const server = http.createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk as Buffer)
      requests.push({ path: req.url!, headers: req.headers, at: performance.now() })
      const reply = replies.shift() ?? { status: 200 }
      if (reply === 'hang up') {
        req.socket.destroy()
        return
      }
      if (reply.status === 200) {
        try {
          if (req.method !== 'POST') throw new Error(`method ${req.method}`)
          if (req.headers['content-type'] !== 'application/json') throw new Error('content-type')
          if (req.headers['content-encoding'] !== 'gzip') throw new Error('content-encoding')
          spans.push(...readSpans(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString())))
        } catch (err) {
          faults.push((err as Error).message)
        }
      }
      res.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      res.end(reply.body ?? '{"partialSuccess":{}}')
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    faults,
    replies,
    named: (name) => spans.filter((span) => span.name === name),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

type Json = Readonly<Record<string, unknown>>

/**
 * Reads an ExportTraceServiceRequest.
 *
 * @throws Error for a member that is unknown, or of another type than JSON's mapping of the protocol says
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
function readSpans(body: unknown): ReceivedSpan[] {
  const { resourceSpans } = members(body, ['resourceSpans'])
  return list(resourceSpans).flatMap((one) => {
    const { resource, scopeSpans } = members(one, ['resource', 'scopeSpans'])
    const from = attributes(members(resource, ['attributes'])['attributes'])
    if (typeof from['service.name'] !== 'string') throw new Error('a resource without service.name')
    return list(scopeSpans).flatMap((scoped) => {
      const { scope, spans } = members(scoped, ['scope', 'spans'])
      members(scope, ['name', 'version'])
      return list(spans).map((span) => readSpan(span, from))
    })
  })
}

const SPAN = [
  'traceId',
  'spanId',
  'traceState',
  'parentSpanId',
  'flags',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'links',
  'status'
]

function readSpan(value: unknown, resource: Json): ReceivedSpan {
  const span = members(value, SPAN)
  const { parentSpanId, links, status, traceState, flags, kind } = span
  const times = [span['startTimeUnixNano'], span['endTimeUnixNano']].map((nano) => text(nano, /^[1-9]\d{18}$/))
  if (BigInt(times[0]!) > BigInt(times[1]!)) throw new Error('a span ends before it begins')
  if (!Number.isInteger(flags) || !Number.isInteger(kind) || (kind as number) < 1 || (kind as number) > 5) {
    throw new Error('flags and kind are numbers')
  }
  const said = status === undefined ? undefined : members(status, ['code', 'message'])
  if (said !== undefined && ![0, 1, 2].includes(said['code'] as number)) throw new Error('a status code is a number')
  return {
    traceId: id(span['traceId'], 32),
    spanId: id(span['spanId'], 16),
    parentSpanId: parentSpanId === undefined ? undefined : id(parentSpanId, 16),
    traceState: traceState === undefined ? undefined : text(traceState, /./),
    flags: flags as number,
    name: text(span['name'], /./),
    kind: kind as number,
    startTimeUnixNano: times[0]!,
    endTimeUnixNano: times[1]!,
    attributes: attributes(span['attributes']),
    links: list(links ?? []).map((link) => {
      const { traceId, spanId } = members(link, ['traceId', 'spanId'])
      return { traceId: id(traceId, 32), spanId: id(spanId, 16) }
    }),
    status: said as ReceivedSpan['status'],
    resource
  }
}

/** Hex, unlike all other bytes in protobuf's JSON. */
function id(value: unknown, digits: number): string {
  return text(value, new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`))
}

function text(value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Error(`${String(value)} is not ${pattern}`)
  return value
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('no list')
  return value
}

function members(value: unknown, known: readonly string[]): Json {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('no message')
  for (const name in value) if (!known.includes(name)) throw new Error(`unknown member ${name}`)
  return value as Json
}

const VALUES: Readonly<Record<string, (value: unknown) => boolean>> = {
  stringValue: (value) => typeof value === 'string',
  boolValue: (value) => typeof value === 'boolean',
  // 64 bits do not fit into JSON's numbers.
  intValue: (value) => typeof value === 'string' && /^-?\d{1,19}$/.test(value),
  doubleValue: (value) => typeof value === 'number'
}

function attributes(value: unknown): Json {
  const found: Record<string, unknown> = {}
  for (const one of list(value)) {
    const { key, value: any } = members(one, ['key', 'value'])
    const [[type = '', held] = [], ...more] = Object.entries(any as Json)
    if (VALUES[type]?.(held) !== true || more.length > 0) throw new Error(`${String(key)}: ${JSON.stringify(any)}`)
    if (Object.hasOwn(found, String(key))) throw new Error(`${String(key)} twice`)
    found[text(key, /./)] = type === 'intValue' ? BigInt(held as string) : held
  }
  return found
}
