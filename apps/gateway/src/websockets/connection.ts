import type { Principal } from '@hearth/shared'
import type { WebSocket } from 'ws'
import type { SpanLink } from '../tracing/records.ts'
import type { SocketPeer } from './socket-event.ts'

/** What connections share. */
export interface ConnectionHost {
  /** Runs a message's function; `done` once, also at once. Never throws. */
  run(connection: SocketConnection, data: Buffer, isBinary: boolean, done: () => void): void
  /** Memory for messages that wait for those before them, and for what clients have not read yet. */
  readonly memory: MemoryBudget
  /** Unix time in ms. */
  now(): number
  sent(): void
  received(): void
  closed(connection: SocketConnection, code: number, reason: string): void
}

/** Bytes that all connections may hold together. */
export class MemoryBudget {
  readonly #limit: number
  #used = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/**
 * Messages of one connection that are with functions at a time, in no order, as on AWS; the next are read when one of them is
 * over. What has been read already waits here.
 */
const PARALLEL = 16
/** Of those, what one client may have: more come in one piece only from who floods. */
const MOST_WAITING = 1_000
/** What a client may leave unread. */
const UNREAD_BYTES = 524_288
/** What a waiting message takes beside its bytes. */
const OVERHEAD_BYTES = 256
/** For how long a client may take nothing of what is sent to it. */
const STALL_MS = 60_000

interface Waiting {
  readonly data: Buffer
  readonly isBinary: boolean
}

const FAULTS: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_INVALID_UTF8: 1007
}

/** Of what a client sent that is no WebSocket message; undefined when it is the connection that broke. */
function faultCode(code: string): number | undefined {
  return FAULTS[code] ?? (code.startsWith('WS_ERR_') ? 1002 : undefined)
}

/** A client that is connected. */
export class SocketConnection implements SocketPeer {
  readonly connectionId: string
  readonly connectedAt: number
  readonly apiId: string
  readonly stage: string
  readonly domainName: string
  readonly sourceIp: string
  readonly userAgent: string | undefined
  readonly principal: Principal | undefined
  readonly link: SpanLink | undefined
  readonly authorizer: Readonly<Record<string, unknown>> | undefined
  /** Unix time in ms. */
  lastActiveAt: number
  readonly #host: ConnectionHost
  readonly #ws: WebSocket
  #waiting: Waiting[] = []
  #running = 0
  #isPumping = false
  #isDraining = false
  /** The server has ended it: what comes is thrown away. */
  #endedWith: number | undefined
  /** How often something was taken from what is sent to it, now and when it was last looked at. */
  #taken = 0
  #takenBefore = 0
  #stalledAt: number

  constructor(host: ConnectionHost, ws: WebSocket, peer: SocketPeer) {
    this.connectionId = peer.connectionId
    this.connectedAt = peer.connectedAt
    this.apiId = peer.apiId
    this.stage = peer.stage
    this.domainName = peer.domainName
    this.sourceIp = peer.sourceIp
    this.userAgent = peer.userAgent
    this.principal = peer.principal
    this.link = peer.link
    this.authorizer = peer.authorizer
    this.lastActiveAt = host.now()
    this.#stalledAt = this.lastActiveAt
    this.#host = host
    this.#ws = ws
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      this.#onMessage(data, isBinary)
    })
    const isAlive = (): void => {
      this.lastActiveAt = host.now()
    }
    ws.on('ping', isAlive)
    ws.on('pong', isAlive)
    // The close event follows; it would not say what the client was told.
    ws.on('error', (err: Error & { code?: string }) => {
      this.#endedWith ??= faultCode(err.code ?? '')
    })
    ws.on('close', (code: number, reason: Buffer) => {
      host.closed(this, this.#endedWith ?? code, this.#endedWith === undefined ? reason.toString() : '')
    })
  }

  /** @returns `full`: the client does not read what was sent before; nothing was sent */
  send(data: Buffer | string, isBinary: boolean): 'sent' | 'full' | 'gone' {
    const ws = this.#ws
    const { memory } = this.#host
    if (this.#endedWith !== undefined || ws.readyState !== ws.OPEN) return 'gone'
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length
    if (ws.bufferedAmount + bytes > UNREAD_BYTES || !memory.take(bytes)) return 'full'
    // Also called when the connection ends before.
    ws.send(data, { binary: isBinary }, () => {
      memory.give(bytes)
      this.#taken += 1
    })
    this.lastActiveAt = this.#host.now()
    this.#host.sent()
    return 'sent'
  }

  /** Ends the connection; its messages that wait are not run. */
  close(code: number, reason: string): void {
    if (this.#endedWith !== undefined) return
    this.#endedWith = code
    for (const { data } of this.#waiting) this.#host.memory.give(data.length + OVERHEAD_BYTES)
    this.#waiting = []
    // Paused, it would not hear the other end's answer.
    this.#ws.resume()
    this.#ws.close(code, reason)
  }

  /** Reads no more, and ends when what was read is done. */
  drain(): void {
    this.#isDraining = true
    this.#ws.pause()
    this.#endIfDrained()
  }

  terminate(): void {
    this.#endedWith ??= 1001
    this.#ws.terminate()
  }

  /** Ends a connection whose client has read nothing for a while. To be called every few seconds. */
  checkStall(): void {
    const isMoving = this.#ws.bufferedAmount === 0 || this.#taken !== this.#takenBefore
    this.#takenBefore = this.#taken
    if (isMoving) this.#stalledAt = this.#host.now()
    else if (this.#host.now() - this.#stalledAt > STALL_MS) this.#ws.terminate()
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#endedWith !== undefined) return
    this.lastActiveAt = this.#host.now()
    this.#host.received()
    if (this.#running < PARALLEL && this.#waiting.length === 0) this.#run(data, isBinary)
    else if (this.#waiting.length < MOST_WAITING && this.#host.memory.take(data.length + OVERHEAD_BYTES)) {
      // A copy: this one keeps the whole chunk alive that it came in.
      this.#waiting.push({ data: Buffer.from(data), isBinary })
    } else {
      this.close(1013, 'Try again later')
      return
    }
    if (this.#running >= PARALLEL) this.#ws.pause()
  }

  #run(data: Buffer, isBinary: boolean): void {
    this.#running += 1
    this.#host.run(this, data, isBinary, () => {
      this.#running -= 1
      this.#pump()
    })
  }

  /** What a function did not have to wait for is over before this returns: a loop, so that many such do not pile up. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#running < PARALLEL) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#host.memory.give(next.data.length + OVERHEAD_BYTES)
      this.#run(next.data, next.isBinary)
    }
    this.#isPumping = false
    if (this.#isDraining) this.#endIfDrained()
    else if (this.#running < PARALLEL && this.#ws.isPaused) this.#ws.resume()
  }

  #endIfDrained(): void {
    if (this.#running === 0 && this.#waiting.length === 0) this.close(1001, 'Going away')
  }
}
