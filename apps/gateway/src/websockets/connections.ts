import type { WebSocket } from 'ws'
import { type ConnectionHost, SocketConnection } from './connection.ts'
import type { SocketPeer } from './socket-event.ts'

/** How long connections may last, in ms. Source: API Gateway quotas. */
export interface ConnectionTimes {
  /** Without a frame in either direction. */
  readonly idleMs: number
  readonly lifeMs: number
  /** How often the two are looked at. */
  readonly checkMs: number
}

export interface ConnectionsOptions {
  readonly host: ConnectionHost
  readonly times: ConnectionTimes
  /** Most of them, handshakes included. */
  readonly limit: number
  /** Whether the stage of a connection is still served. */
  readonly isServed: (connection: SocketConnection) => boolean
}

/** The connections of this server. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #open = new Map<string, SocketConnection>()
  readonly #byApi = new Map<string, number>()
  readonly #watch: NodeJS.Timeout
  #handshakes = 0
  #onEmpty: (() => void) | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.#watch = setInterval(() => this.#check(), options.times.checkMs)
    this.#watch.unref()
  }

  /** Before the function of a handshake runs. @returns false when there is no room */
  begin(): boolean {
    if (this.#open.size + this.#handshakes >= this.#options.limit) return false
    this.#handshakes += 1
    return true
  }

  /** The handshake is over, whichever way. */
  end(): void {
    this.#handshakes -= 1
    this.#tellEmpty()
  }

  add(ws: WebSocket, peer: SocketPeer): SocketConnection {
    const connection = new SocketConnection(this.#options.host, ws, peer)
    this.#open.set(peer.connectionId, connection)
    this.#byApi.set(peer.apiId, (this.#byApi.get(peer.apiId) ?? 0) + 1)
    return connection
  }

  find(connectionId: string): SocketConnection | undefined {
    return this.#open.get(connectionId)
  }

  remove({ connectionId, apiId }: SocketConnection): void {
    if (!this.#open.delete(connectionId)) return
    const left = (this.#byApi.get(apiId) ?? 0) - 1
    if (left > 0) this.#byApi.set(apiId, left)
    else this.#byApi.delete(apiId)
    this.#tellEmpty()
  }

  get limit(): number {
    return this.#options.limit
  }

  /** Those that are open, by their API. */
  byApi(): ReadonlyMap<string, number> {
    return this.#byApi
  }

  /** Lets what was received be done, then ends all with 1001, those that take too long as they are. */
  async drain(drainMs: number, closeMs: number): Promise<void> {
    clearInterval(this.#watch)
    for (const connection of this.#open.values()) connection.drain()
    if (await this.#isEmptyWithin(drainMs)) return
    for (const connection of this.#open.values()) connection.close(1001, 'Going away')
    if (await this.#isEmptyWithin(closeMs)) return
    for (const connection of this.#open.values()) connection.terminate()
    await this.#isEmptyWithin(closeMs)
  }

  async #isEmptyWithin(ms: number): Promise<boolean> {
    if (this.#isEmpty) return true
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms)
      this.#onEmpty = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  get #isEmpty(): boolean {
    return this.#open.size === 0 && this.#handshakes === 0
  }

  #tellEmpty(): void {
    if (this.#isEmpty) this.#onEmpty?.()
  }

  #check(): void {
    const { host, times, isServed } = this.#options
    const now = host.now()
    for (const connection of this.#open.values()) {
      const isOver = now - connection.lastActiveAt > times.idleMs || now - connection.connectedAt > times.lifeMs
      if (isOver || !isServed(connection)) connection.close(1001, 'Going away')
      else connection.checkStall()
    }
  }
}
