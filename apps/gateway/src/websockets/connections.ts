import type { WebSocket } from 'ws'
import type { Clock } from '../async/clock.ts'
import { type ConnectionHost, SocketConnection } from './connection.ts'
import type { SocketPeer } from './socket-event.ts'

/** How long a connection may last, in ms: without a frame in either direction, and at all. Source: API Gateway quotas. */
const IDLE_MS = 600_000
const LIFE_MS = 7_200_000
/** How often that is looked at. */
const CHECK_MS = 5_000

export interface ConnectionsOptions {
  readonly host: ConnectionHost
  readonly clock: Clock
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
  /** Undefined while there is nothing to look after. */
  #stopWatching: (() => void) | undefined
  #handshakes = 0
  #onEmpty: (() => void) | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  #watch(): void {
    this.#stopWatching = this.#options.clock.after(CHECK_MS, () => {
      this.#check()
      this.#stopWatching = undefined
      if (this.#open.size > 0) this.#watch()
    })
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
    if (this.#stopWatching === undefined) this.#watch()
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
    this.#stopWatching?.()
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
    const { clock, isServed } = this.#options
    const now = clock.now()
    for (const connection of this.#open.values()) {
      const isOver = now - connection.lastActiveAt > IDLE_MS || now - connection.connectedAt > LIFE_MS
      if (isOver || !isServed(connection)) connection.close(1001, 'Going away')
      else connection.checkStall()
    }
  }
}
