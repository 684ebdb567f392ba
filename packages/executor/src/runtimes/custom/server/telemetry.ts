import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import net from 'node:net'
import type { Extension } from './extensions-api.ts'
import { answer, readBody, refuse } from './http.ts'

type Kind = 'platform' | 'function' | 'extension'

interface Subscriber {
  readonly name: string
  readonly types: ReadonlySet<Kind>
  readonly maxItems: number
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly send: (records: readonly string[]) => void
  readonly records: string[]
  bytes: number
  dropped: number
  droppedBytes: number
  timer: NodeJS.Timeout | undefined
}

/** Limits of what subscribers may ask for: least, most, and what they get when they ask for nothing. */
const LIMITS = {
  maxItems: { least: 1_000, most: 10_000, usual: 10_000 },
  maxBytes: { least: 262_144, most: 1_048_576, usual: 262_144 },
  timeoutMs: { least: 25, most: 30_000, usual: 1_000 }
}
const KINDS: readonly Kind[] = ['platform', 'function', 'extension']
const BODY_BYTES = 65_536
/** Kept for a subscriber that does not take what it asked for. */
const BACKLOG_BYTES = 4 * 1_048_576
const PATHS: Readonly<Record<string, 'telemetry' | 'logs'>> = {
  '/2022-07-01/telemetry': 'telemetry',
  '/2020-08-15/logs': 'logs'
}

/** The Telemetry API, version 2022-07-01, and the Logs API before it, version 2020-08-15. */
export class Telemetry {
  readonly #identify: (req: IncomingMessage, res: ServerResponse) => Extension | undefined
  readonly #subscribers = new Map<string, Subscriber>()
  /** What happened before anybody could subscribe is told first. */
  readonly #early: { readonly kind: Kind; readonly text: string }[] = []
  #isOpen = true

  constructor(identify: (req: IncomingMessage, res: ServerResponse) => Extension | undefined) {
    this.#identify = identify
  }

  closeSubscription(): void {
    this.#isOpen = false
    this.#early.length = 0
  }

  handle(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    const api = PATHS[path]
    if (api === undefined || req.method !== 'PUT') return false
    const extension = this.#identify(req, res)
    if (extension === undefined) {
      req.resume()
      return true
    }
    readBody(req, BODY_BYTES, (body) => {
      if (!this.#isOpen) {
        refuse(
          res,
          403,
          api === 'logs' ? 'Logs.SubscriptionClosed' : 'Telemetry.SubscriptionClosed',
          'Subscription is closed already: subscribe while the function is initialised'
        )
        return
      }
      const wanted = body.kind === 'whole' ? parse(body.bytes) : 'the request is too large'
      if (typeof wanted === 'string') {
        refuse(res, 400, 'ValidationError', wanted)
        return
      }
      const subscriber = {
        ...wanted,
        name: extension.name,
        records: [],
        bytes: 0,
        dropped: 0,
        droppedBytes: 0,
        timer: undefined
      }
      this.#subscribers.set(extension.id, subscriber)
      answer(res, 200, 'OK')
      for (const { kind, text } of this.#early) push(subscriber, kind, text)
      const types = [...wanted.types]
      this.record(api === 'logs' ? 'platform.logsSubscription' : 'platform.telemetrySubscription', {
        name: extension.name,
        state: 'Subscribed',
        types
      })
    })
    return true
  }

  /** One record for whoever wants its kind. */
  record(type: string, record: unknown): void {
    if (!this.#isOpen && this.#subscribers.size === 0) return
    const kind = type.split('.')[0] as Kind
    const text = JSON.stringify({ time: new Date().toISOString(), type, record })
    if (this.#isOpen && this.#early.length < LIMITS.maxItems.least) this.#early.push({ kind, text })
    for (const subscriber of this.#subscribers.values()) push(subscriber, kind, text)
  }

  /** Sends what is left. */
  flush(): void {
    for (const subscriber of this.#subscribers.values()) send(subscriber)
  }
}

function push(subscriber: Subscriber, kind: Kind, text: string): void {
  if (!subscriber.types.has(kind)) return
  if (subscriber.bytes + text.length > BACKLOG_BYTES) {
    subscriber.dropped++
    subscriber.droppedBytes += text.length
    return
  }
  subscriber.records.push(text)
  subscriber.bytes += text.length
  if (subscriber.records.length >= subscriber.maxItems || subscriber.bytes >= subscriber.maxBytes) send(subscriber)
  else {
    subscriber.timer ??= setTimeout(() => {
      send(subscriber)
    }, subscriber.timeoutMs)
  }
}

function send(subscriber: Subscriber): void {
  clearTimeout(subscriber.timer)
  subscriber.timer = undefined
  if (subscriber.dropped > 0) {
    const record = {
      droppedRecords: subscriber.dropped,
      droppedBytes: subscriber.droppedBytes,
      reason: 'The subscriber takes less than comes.'
    }
    subscriber.records.push(JSON.stringify({ time: new Date().toISOString(), type: 'platform.logsDropped', record }))
    subscriber.dropped = 0
    subscriber.droppedBytes = 0
  }
  if (subscriber.records.length === 0) return
  subscriber.send(subscriber.records.splice(0))
  subscriber.bytes = 0
}

/** A valid subscription, or what is wrong with it. */
function parse(bytes: Buffer): Pick<Subscriber, 'types' | 'maxItems' | 'maxBytes' | 'timeoutMs' | 'send'> | string {
  let body: { types?: unknown; buffering?: Record<string, unknown>; destination?: Record<string, unknown> }
  try {
    body = JSON.parse(bytes.toString()) as typeof body
  } catch {
    return 'the body is not JSON'
  }
  const problems: string[] = []
  const { protocol, URI: uri, port } = body.destination ?? {}
  let deliver: Subscriber['send'] = () => undefined
  if (protocol === 'HTTP') {
    const url = typeof uri === 'string' ? parseUrl(uri) : undefined
    if (url === undefined) problems.push('URI is not valid')
    else if (url.port === '') problems.push('URI port is not provided')
    else if (!['sandbox.localdomain', 'sandbox', 'localhost', '127.0.0.1'].includes(url.hostname))
      problems.push('URI host should be sandbox.localdomain')
    else deliver = httpSender(url)
  } else if (protocol === 'TCP') {
    if (typeof port !== 'number' || port < 1 || port > 65_535) problems.push('port is not valid')
    else deliver = tcpSender(port)
  } else problems.push('destination protocol should be HTTP or TCP')

  const types = Array.isArray(body.types) ? (body.types as unknown[]) : []
  if (types.length === 0) problems.push('types should not be empty')
  if (types.some((type) => !KINDS.includes(type as Kind))) problems.push(`types should be of ${KINDS.join(', ')}`)

  const numbers = { maxItems: 0, maxBytes: 0, timeoutMs: 0 }
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const { least, most, usual } = LIMITS[name]
    const value = body.buffering?.[name] ?? usual
    if (typeof value !== 'number' || value < least || value > most)
      problems.push(`${name} should be between ${least} and ${most}`)
    else numbers[name] = value
  }
  return problems.length > 0 ? problems.join('; ') : { ...numbers, types: new Set(types as Kind[]), send: deliver }
}

function parseUrl(text: string): URL | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'http:' ? url : undefined
  } catch {
    return undefined
  }
}

/** POSTs one batch after the other as a JSON array. What cannot be delivered is given up. */
function httpSender(url: URL): Subscriber['send'] {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  return (records) => {
    const body = `[${records.join(',')}]`
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), host: url.host }
    const target = {
      host: '127.0.0.1',
      port: url.port,
      path: url.pathname + url.search,
      method: 'POST',
      headers,
      agent
    }
    const req = http.request(target, (res) => res.resume())
    req.on('error', () => undefined)
    req.end(body)
  }
}

/** Writes one record per line. */
function tcpSender(port: number): Subscriber['send'] {
  let socket: net.Socket | undefined
  return (records) => {
    socket ??= net.connect(port, '127.0.0.1').on('error', () => {
      socket = undefined
    })
    socket.write(`${records.join('\n')}\n`)
  }
}
