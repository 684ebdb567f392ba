// WebSocket APIs in the database, and clients of them.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ApiIntegration, ApiRoute, ApiStage } from '@hearth/shared'
import type { ApisRepository } from '@hearth/store'
import type { Test } from 'tap'
import WebSocket, { type ClientOptions } from 'ws'

export const API = 'abcde12345'

export interface SocketApi {
  readonly id?: string
  readonly stage?: string
  readonly variables?: Record<string, string>
  readonly throttles?: ApiStage['routeThrottles']
  readonly selection?: string
  readonly disableExecuteApiEndpoint?: boolean
  readonly integration?: Partial<ApiIntegration>
  /** By key: the function, and what else the route has. */
  readonly routes: Readonly<Record<string, string | (Partial<ApiRoute> & { readonly fn?: string })>>
}

/** As the control plane leaves it: an API with a stage that serves a deployment. */
export function publish(apis: ApisRepository, options: SocketApi): void {
  const { id = API, stage: name = 'prod', variables = {}, throttles = {}, selection = '$request.body.action' } = options
  apis.put({
    id,
    name: id,
    protocol: 'WEBSOCKET',
    routeSelectionExpression: selection,
    apiKeySelectionExpression: '$request.header.x-api-key',
    disableExecuteApiEndpoint: options.disableExecuteApiEndpoint === true,
    tags: {},
    createdAt: 0
  })
  const routes: ApiRoute[] = []
  const integrations: ApiIntegration[] = []
  for (const [key, given] of Object.entries(options.routes)) {
    const { fn, ...rest } = typeof given === 'string' ? { fn: given } : given
    const integrationId = `i${routes.length}`
    if (fn !== undefined) {
      integrations.push({
        id: integrationId,
        type: 'AWS_PROXY',
        uri: '',
        functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${fn}`,
        method: 'POST',
        payloadFormat: '1.0',
        timeoutMs: 29_000,
        ...options.integration
      })
    }
    const route = { id: `r${routes.length}`, key, authorization: 'NONE' as const, apiKeyRequired: false, ...rest }
    routes.push(fn === undefined ? route : { ...route, integrationId })
  }
  const deployment = `d${Math.random()}`
  apis.putPart(id, 'deployment', {
    id: deployment,
    autoDeployed: false,
    createdAt: 0,
    routes,
    integrations,
    authorizers: []
  })
  const stage: ApiStage = {
    name,
    deploymentId: deployment,
    autoDeploy: false,
    variables,
    throttle: {},
    routeThrottles: throttles,
    settings: {},
    tags: {},
    createdAt: 0,
    modifiedAt: 0
  }
  apis.putPart(id, 'stage', stage)
}

/** A client; what it receives waits until it is asked for. */
export class Client {
  readonly ws: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #received: (string | Buffer)[] = []
  #wake: (() => void) | undefined

  constructor(ws: WebSocket) {
    this.ws = ws
    this.closed = once(ws, 'close').then(([code, reason]: unknown[]) => ({
      code: code as number,
      reason: String(reason)
    }))
    ws.on('error', () => undefined)
    ws.on('message', (data: Buffer, isBinary) => {
      this.#received.push(isBinary ? data : data.toString())
      this.#wake?.()
    })
  }

  /** The next message. @throws Error after ten seconds */
  async next(): Promise<string | Buffer> {
    const deadline = Date.now() + 10_000
    while (this.#received.length === 0) {
      if (Date.now() > deadline) throw new Error('no message came')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return this.#received.shift()!
  }

  async nextJson(): Promise<Record<string, unknown>> {
    return JSON.parse(String(await this.next())) as Record<string, unknown>
  }

  /** Sends and waits for what comes back. */
  async ask(data: string | Buffer): Promise<string | Buffer> {
    this.ws.send(data)
    return await this.next()
  }
}

/** @param path - `/api/…`, or for a host of its own: `/prod` */
export async function connect(
  t: Test,
  port: number,
  path = `/api/${API}/prod`,
  options: ClientOptions & { readonly protocols?: string[] } = {}
): Promise<Client> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, options.protocols ?? [], options)
  const client = new Client(ws)
  t.teardown(() => ws.terminate())
  await once(ws, 'open')
  return client
}

/** Of a client that is not let in. */
export async function refusal(
  port: number,
  path = `/api/${API}/prod`,
  options: ClientOptions = {}
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, options)
  ws.on('error', () => undefined)
  const [, res] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  let body = ''
  for await (const chunk of res) body += String(chunk)
  return { status: res.statusCode ?? 0, headers: res.headers, body }
}
