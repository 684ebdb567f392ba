import http from 'node:http'

/** An event that a service of this server has for a function. */
export interface ServiceInvocation {
  /** Lower-case UUID, which becomes the request id. Sent again with the same one, it is one event. */
  readonly eventId: string
  /** With a qualifier, if it is for one. */
  readonly functionArn: string
  /** `logs.amazonaws.com`: the function's own policy must let it in. */
  readonly service: string
  /** What it calls on account of. */
  readonly sourceArn: string
  /** JSON. */
  readonly payload: string
}

type RefusalCode = 'FUNCTION_NOT_FOUND' | 'ACCESS_DENIED' | 'PAYLOAD_TOO_LARGE'

export type ServiceAnswer =
  /** It is on disk, and will be run as any asynchronous event is. */
  | { readonly status: 'accepted' }
  /** By the function's policy, or because it is not there, or for the size; asking again would not help. */
  | { readonly status: 'refused'; readonly code: RefusalCode; readonly message: string }

/** Hands events to the gateway's queue. What it rejects with says nothing of payloads. */
export interface ServiceInvoker {
  /** @throws Error when the gateway cannot be reached or cannot take it now: to be tried again */
  invoke(invocation: ServiceInvocation): Promise<ServiceAnswer>
  /** Whether {@link invoke} would be accepted; nothing is run. @throws Error as above */
  check(invocation: Omit<ServiceInvocation, 'eventId' | 'payload'>): Promise<ServiceAnswer>
  /**
   * Puts an event of the platform on the default bus. @param id - As `eventId` above
   * @throws Error as above
   */
  putEvent(event: {
    readonly id: string
    readonly source: string
    readonly detailType: string
    readonly resources: readonly string[]
    readonly detail: object
  }): Promise<void>
}

export interface ServiceInvokerOptions {
  /** Where the gateway listens, as configured. */
  readonly host: string
  /** 0: nobody knows. */
  readonly port: number
  readonly internalToken: string
}

const TIMEOUT_MS = 10_000
const MAX_SOCKETS = 4
const MAX_ANSWER_BYTES = 65_536

/** To the gateway of this server, over loopback. @returns also how to close its connections */
export function createServiceInvoker(options: ServiceInvokerOptions): ServiceInvoker & { close(): void } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const host = toReach(options.host)

  async function send(path: string, query: Record<string, string>, body: string): Promise<ServiceAnswer> {
    if (options.port === 0) throw new Error('the gateway has no port of its own in the settings')
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const req = http.request({
        host,
        port: options.port,
        path: `/internal/${path}?${new URLSearchParams(query).toString()}`,
        method: 'POST',
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          authorization: `Bearer ${options.internalToken}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body)
        }
      })
      req.on('timeout', () => req.destroy(new Error('the gateway takes too long')))
      req.on('error', reject)
      req.on('response', (res) => {
        let text = ''
        res.setEncoding('utf8')
        res.on('data', (piece: string) => {
          if (text.length < MAX_ANSWER_BYTES) text += piece
        })
        res.on('error', reject)
        res.on('end', () => {
          resolve({ status: res.statusCode ?? 0, text })
        })
        res.on('close', () => {
          if (!res.complete) reject(new Error('the gateway’s answer was cut short'))
        })
      })
      req.end(body)
    })
    if (status !== 200) throw new Error(`the gateway answered ${status}: ${detailIn(text)}`)
    return JSON.parse(text) as ServiceAnswer
  }

  return {
    invoke({ eventId, functionArn, service, sourceArn, payload }) {
      return send('service-invocations', { eventId, functionArn, service, sourceArn }, payload)
    },
    check({ functionArn, service, sourceArn }) {
      return send('service-checks', { functionArn, service, sourceArn }, '')
    },
    async putEvent(event) {
      await send('platform-events', {}, JSON.stringify(event))
    },
    close() {
      agent.destroy()
    }
  }
}

/** An address that the gateway is reached at from this machine. */
export function toReach(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

function detailIn(problem: string): string {
  try {
    return String((JSON.parse(problem) as { detail?: unknown }).detail)
  } catch {
    return 'no reason given'
  }
}
