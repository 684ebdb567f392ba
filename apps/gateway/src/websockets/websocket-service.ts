import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ArnScope, hostName } from '@hearth/shared'
import type { PublishedApis } from '@hearth/store'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Guard } from '../apis/guard.ts'
import type { Clock } from '../async/clock.ts'
import { atMostEvery } from '../at-most-every.ts'
import type { Hallway } from '../hallway.ts'
import type { HostBook } from '../host-entrance.ts'
import type { Log } from '../log.ts'
import { insideOf } from '../platform/inside.ts'
import { refuse } from '../respond.ts'
import { MemoryBudget, type SocketConnection } from './connection.ts'
import { Connections } from './connections.ts'
import { watchFrames } from './frame-watch.ts'
import { Handshake, type HandshakeDeps } from './handshake.ts'
import { createIntegrations } from './integrations.ts'
import { createManagement, isManagement } from './management.ts'
import { createMessages, MESSAGE_BYTES, routeOf } from './messages.ts'
import { createPublishedSockets, type PublishedSockets, type SocketRoute } from './published-sockets.ts'
import type { HandshakeResult } from './socket-counts.ts'
import { type SocketPeer, toDisconnectEvent } from './socket-event.ts'
import { newSocketId } from './socket-id.ts'
import { answerUpgrade, handshakeFault } from './upgrades.ts'

export interface WebSocketServiceOptions {
  readonly hallway: Hallway
  readonly scope: ArnScope
  readonly urlDomain: string
  readonly guard: Guard
  readonly log: Log
  /** Most connections at once. */
  readonly limit: number
  readonly clock: Clock
}

/** An API that is served, as its owner looks at it. */
export interface NamedSocketApi {
  readonly apiId: string
  readonly stages: readonly string[]
  /** Open ones. */
  readonly connections: number
  /** The route that a message of a client would take. */
  routeOf(stage: string, message: string): SocketRoute | undefined
}

/** WebSocket APIs: their clients' connections, and what functions send to those. */
export interface WebSocketService extends HostBook {
  /** Serves what is published from now on. */
  readonly update: (published: PublishedApis) => void
  /** A client asks for a WebSocket; it is answered here in any case. */
  upgrade(req: IncomingMessage, socket: Socket, head: Buffer): void
  /** Serves a request by its path. @returns false when it is about no WebSocket API */
  serve(req: IncomingMessage, res: ServerResponse, id: string): boolean
  /** By its id, or by its name in /v1/triggers. */
  findNamed(name: string): NamedSocketApi | undefined
  /** Resolves when all connections are over and what is to be run of that is on disk. */
  stop(drainMs: number): Promise<void>
}

/** Clients' messages that wait, and theirs that are not read yet, over all connections. */
const MEMORY_BYTES = 134_217_728
/** What a client gets to answer that the server closes. */
const CLOSE_MS = 2_000
/** When a client that says nothing is asked by the kernel whether it is still there. */
const KEEP_ALIVE_MS = 60_000
const FORBIDDEN = '{"message":"Forbidden"}'
const JSON_TYPE = ['content-type', 'application/json']

export function createWebSocketService(options: WebSocketServiceOptions): WebSocketService {
  const { hallway, scope, log, clock } = options
  const now = (): number => clock.now()
  const counts = hallway.metrics.sockets
  const route = hallway.metrics.route('websocket')
  const hostSuffix = `.${options.urlDomain}`
  let published: PublishedSockets | undefined
  /** With all that was changed by now; undefined until the database is there. */
  const current = (): PublishedSockets | undefined => {
    hallway.directory.refresh()
    return published
  }
  let isStopping = false
  /** Ends of connections on their way to the queue. */
  const noting = new Set<Promise<void>>()

  const integrations = createIntegrations({
    hallway,
    scope,
    onForbidden: atMostEvery(10_000, (sourceArn: string) => {
      log.warn({ api: sourceArn }, 'an API may not invoke its function: neither its policy nor the role allows it')
    })
  })
  const run = createMessages({
    published: current,
    integrations,
    traces: hallway.traces,
    newRequestId: randomUUID,
    now
  })
  const connections = new Connections({
    host: {
      run,
      memory: new MemoryBudget(MEMORY_BYTES),
      now,
      sent() {
        counts.sent()
      },
      received() {
        counts.received()
      },
      closed(connection, code, reason) {
        connections.remove(connection)
        disconnected(connection, code, reason)
      }
    },
    clock,
    limit: options.limit,
    isServed({ apiId, stage }) {
      return current()?.find(apiId, stage) !== undefined
    }
  })
  counts.observe(() => ({ byApi: connections.byApi(), limit: connections.limit }))
  const manage = createManagement({ hallway, scope, find: (id) => connections.find(id) })

  /** What the handshake that is being answered says beside what all say. */
  let answering: { readonly protocol: string | undefined; readonly headers: readonly string[] } | undefined
  const wsOptions = {
    noServer: true,
    clientTracking: false,
    // What is small on the wire would be large in memory.
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES,
    maxFragments: 1_024,
    maxBufferedChunks: 4_096,
    closeTimeout: 5_000,
    // Of those that the client named, and none but what the function chose.
    handleProtocols: (offered: Set<string>) => {
      const chosen = answering?.protocol
      return chosen !== undefined && offered.has(chosen) ? chosen : false
    }
  }
  const wss = new WebSocketServer(wsOptions)
  wss.on('headers', (lines: string[]) => {
    const { headers = [] } = answering ?? {}
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  })

  const logUndelivered = atMostEvery(10_000, (err: unknown) => {
    log.error({ err }, 'functions cannot be told of connections that ended')
  })

  /** Tells the function of `$disconnect`: later, and not lost once it is in the queue. */
  function disconnected(peer: SocketPeer, code: number, reason: string): void {
    const stage = published?.find(peer.apiId, peer.stage)
    const one = stage?.routes.get('$disconnect')
    if (stage === undefined || one === undefined) return
    const noted = noteEnd().catch(logUndelivered)
    noting.add(noted)
    void noted.then(() => noting.delete(noted))

    async function noteEnd(): Promise<void> {
      const requestId = randomUUID()
      const entry = integrations.find(one!, requestId)
      if (entry === undefined) return
      const at = now()
      const moment = { requestId: newSocketId(), at, stageVariables: stage!.stage.variables }
      await hallway.dispatcher.accept({
        requestId,
        functionName: entry.record.name,
        qualifier: one!.target?.qualifier ?? '',
        traceId: hallway.traces.ofEvent(requestId, undefined, 'http'),
        clientContext: '',
        payload: Buffer.from(toDisconnectEvent(peer, moment, code, reason)),
        acceptedAt: hallway.dispatcher.now()
      })
    }
  }

  const handshakeDeps: Omit<HandshakeDeps, 'onEnd'> = {
    hallway,
    scope,
    guard: options.guard,
    integrations,
    now,
    accept(handshake, protocol, headers) {
      const { peer } = handshake
      if (isStopping) {
        handshake.refuseStopping()
        disconnected(peer, 1001, '')
        return
      }
      const connection = open(handshake, peer, protocol, headers)
      handshake.end(connection === undefined ? 'failed' : 'accepted', connection === undefined ? 499 : 101)
      // Its function was told that it is there.
      if (connection === undefined) disconnected(peer, 1006, '')
    }
  }

  /** @returns undefined when the client is gone */
  function open(
    { req, socket, head }: Handshake,
    peer: SocketPeer,
    protocol: string | undefined,
    headers: readonly string[]
  ): SocketConnection | undefined {
    if (socket.destroyed || !socket.readable || !socket.writable) {
      socket.destroy()
      return undefined
    }
    let connection: SocketConnection | undefined
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    answering = { protocol, headers }
    wss.handleUpgrade(req, socket, head, (ws: WebSocket) => {
      connection = connections.add(ws, peer)
    })
    answering = undefined
    watchFrames(socket, () => connection?.close(1009, 'Message too long'))
    return connection
  }

  function refuseUpgrade(req: IncomingMessage, socket: Socket): boolean {
    const turnAway = (status: number, body: string, ...headers: string[]): true => {
      answerUpgrade(socket, status, [...JSON_TYPE, ...headers], body)
      hallway.metrics.answered(route, req.method ?? '', status, 0)
      return true
    }
    if (published === undefined || isStopping) {
      return turnAway(503, '{"message":"Service Unavailable"}', 'retry-after', '1')
    }
    const location = published.locate(req.headers.host, req.url ?? '')
    if (location === undefined && !hostName(req.headers.host ?? '').endsWith(hostSuffix)) {
      return turnAway(404, '{"message":"There is no WebSocket API here."}')
    }
    if (location?.stage === undefined || (location.rest !== '' && location.rest !== '/')) {
      return turnAway(403, FORBIDDEN, 'x-amzn-errortype', 'ForbiddenException')
    }
    const fault = handshakeFault(req)
    if (fault === 'version') return turnAway(426, '{"message":"Upgrade Required"}', 'sec-websocket-version', '13')
    if (fault !== undefined) return turnAway(400, '{"message":"Bad Request"}')
    if (connections.begin()) return false
    counts.handshake('full')
    return turnAway(503, '{"message":"Service Unavailable"}', 'retry-after', '5')
  }

  function serve(req: IncomingMessage, res: ServerResponse, id: string): boolean {
    const url = req.url ?? ''
    // From inside, hosts are whatever the function calls the server.
    const host = insideOf(req) === undefined ? req.headers.host : undefined
    const location = current()?.locate(host, url)
    if (location === undefined) {
      const rest = url.split('?')[0]!
      if (!isManagement(rest)) return false
      manage(req, res, id, rest, undefined)
      return true
    }
    if (location.stage !== undefined && isManagement(location.rest)) {
      const { api, stage } = location.stage
      manage(req, res, id, location.rest, { apiId: api.id, stage: stage.name })
      return true
    }
    const headers = [...JSON_TYPE, 'x-amzn-errortype', 'ForbiddenException', 'x-amzn-requestid', id]
    refuse(req, res, { status: 403, headers, body: FORBIDDEN })
    return true
  }

  return {
    update(found) {
      published ??= createPublishedSockets(scope, options.urlDomain)
      published.update(found)
    },

    upgrade(req, socket, head) {
      socket.on('error', destroy)
      hallway.directory.refresh()
      if (refuseUpgrade(req, socket)) return
      const location = published!.locate(req.headers.host, req.url ?? '')!
      const startedAt = hallway.now()
      const onEnd = (result: HandshakeResult, status: number): void => {
        counts.handshake(result)
        hallway.metrics.answered(route, 'GET', status, (hallway.now() - startedAt) / 1_000)
        connections.end()
      }
      const request = { req, socket, head }
      new Handshake({ ...handshakeDeps, onEnd }, randomUUID(), request, location, location.stage!).start()
    },

    find(header) {
      if (current()?.hasHost(header) !== true) return undefined
      return (req, res, id) => {
        serve(req, res, id)
      }
    },

    serve,

    findNamed(name) {
      const open = current()?.findNamed(name)
      if (open === undefined) return undefined
      const apiId = open.api.id
      return {
        apiId,
        stages: [...open.stages.keys()],
        connections: connections.byApi().get(apiId) ?? 0,
        routeOf(stage, message) {
          const served = open.stages.get(stage)
          const peer = { apiId, stage, connectionId: '', domainName: `${apiId}${hostSuffix}` }
          return served && routeOf(served, peer, message)
        }
      }
    },

    async stop(drainMs) {
      isStopping = true
      await connections.drain(drainMs, CLOSE_MS)
      await Promise.all(noting)
    }
  }
}

function destroy(this: Socket): void {
  this.destroy()
}
