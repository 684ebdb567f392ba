import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Door } from '@hearth/sandbox'
import { HearthError } from '@hearth/shared'
import { answerClientError } from '../client-errors.ts'
import { toRefusal } from '../refusal.ts'
import { refuse } from '../respond.ts'
import { isReachable, markInside } from './inside.ts'

export interface FunctionDoorsOptions {
  /** The gateway's own server: answers what is let in, as what comes from outside. */
  readonly server: Server
  readonly timeouts: { readonly headersMs: number; readonly requestMs: number; readonly checkMs: number }
  readonly limits?: Partial<DoorLimits> | undefined
}

/** What one instance may ask of the platform, so that others have their share of it. */
export interface DoorLimits {
  /** Connections at a time; more are closed as they come. */
  readonly connections: number
  /** Bytes of answers that it may leave unread before it gets no more. */
  readonly unreadBytes: number
  /** For how long it may take nothing of an answer, in ms. */
  readonly stallMs: number
  /** Requests and connections in a second: more are refused, and over twice as many its door is shut for a while. */
  readonly perSecond: number
  readonly shutMs: number
}

/** What functions reach of this server, each instance through a door of its own. */
export interface FunctionDoors {
  /**
   * Answers at an instance's door until that closes.
   *
   * @param reopen - Another door in the place of one that was closed.
   */
  answer(functionName: string, door: Door, reopen: () => Promise<Door>): void
}

const LIMITS: DoorLimits = {
  // AWS's clients open 50 by themselves.
  connections: 64,
  unreadBytes: 16 * 1_048_576,
  stallMs: 60_000,
  perSecond: 2_000,
  shutMs: 1_000
}
const SECOND_MS = 1_000

export function createFunctionDoors({ server, timeouts, limits }: FunctionDoorsOptions): FunctionDoors {
  return {
    answer(functionName, door, reopen) {
      new Doorkeeper(functionName, { ...LIMITS, ...limits }, server, timeouts, reopen).answer(door)
    }
  }
}

class Doorkeeper {
  readonly #functionName: string
  readonly #limits: DoorLimits
  readonly #gateway: Server
  readonly #timeouts: FunctionDoorsOptions['timeouts']
  readonly #reopen: () => Promise<Door>
  readonly #sockets = new Map<Socket, ServerResponse | undefined>()
  #secondBegan = 0
  #count = 0
  #isShut = false

  constructor(
    functionName: string,
    limits: DoorLimits,
    gateway: Server,
    timeouts: FunctionDoorsOptions['timeouts'],
    reopen: () => Promise<Door>
  ) {
    this.#functionName = functionName
    this.#limits = limits
    this.#gateway = gateway
    this.#timeouts = timeouts
    this.#reopen = reopen
  }

  answer(door: Door): void {
    const server = createServer({
      headersTimeout: this.#timeouts.headersMs,
      requestTimeout: this.#timeouts.requestMs,
      connectionsCheckingInterval: this.#timeouts.checkMs,
      // The other end is gone at once when it is gone; one that is frozen for hours finds its connections as they were.
      keepAliveTimeout: 0
    })
    server.maxConnections = this.#limits.connections
    server.timeout = this.#limits.stallMs
    server.on('connection', (socket: Socket) => {
      markInside(socket, this.#functionName)
      this.#sockets.set(socket, undefined)
      socket.once('close', () => this.#sockets.delete(socket))
      this.#isTooFast(door)
    })
    server.on('drop', () => this.#isTooFast(door))
    // It also comes for those that wait for an answer; these may.
    server.on('timeout', (socket: Socket) => {
      if (socket.writableLength > 0) socket.destroy()
    })
    server.on('clientError', answerClientError)
    const enter = (event: 'request' | 'checkContinue') => (req: IncomingMessage, res: ServerResponse) => {
      if (this.#admits(door, req, res)) this.#gateway.emit(event, req, res)
    }
    server.on('request', enter('request'))
    server.on('checkContinue', enter('checkContinue'))
    door.answer(server)
  }

  /** Answers or hangs up otherwise. */
  #admits(door: Door, req: IncomingMessage, res: ServerResponse): boolean {
    const isFast = this.#isTooFast(door)
    const { socket } = req
    // A request behind one that is not answered yet is kept in memory by nobody's limits; no client of AWS sends one.
    if (socket.destroyed || this.#sockets.get(socket)?.writableFinished === false || this.#isUnread) {
      socket.destroy()
      return false
    }
    this.#sockets.set(socket, res)
    if (isFast) turnAway(req, res, new HearthError('CAPACITY_EXHAUSTED', 'Rate Exceeded.', { reason: RATE }))
    else if (!isReachable(req.url ?? '')) turnAway(req, res, new HearthError('ACCESS_DENIED', ONLY_AWS))
    else return true
    return false
  }

  /** Counts a request or a connection. */
  #isTooFast(door: Door): boolean {
    const now = performance.now()
    if (now - this.#secondBegan >= SECOND_MS) {
      this.#secondBegan = now
      this.#count = 0
    }
    this.#count++
    if (this.#count > 2 * this.#limits.perSecond) this.#shut(door)
    return this.#count > this.#limits.perSecond
  }

  /** Turning away costs too: for a while it is the kernel that does it. */
  #shut(door: Door): void {
    if (this.#isShut) return
    this.#isShut = true
    door.close()
    for (const socket of this.#sockets.keys()) socket.destroy()
    const open = async (): Promise<void> => {
      const another = await this.#reopen()
      this.#isShut = false
      this.answer(another)
    }
    // The instance may have ended meanwhile.
    setTimeout(() => open().catch(() => undefined), this.#limits.shutMs).unref()
  }

  get #isUnread(): boolean {
    let bytes = 0
    for (const socket of this.#sockets.keys()) bytes += socket.writableLength
    return bytes > this.#limits.unreadBytes
  }
}

/** Lambda's reason for more requests than a caller may send. */
const RATE = 'CallerRateLimitExceeded'
const ONLY_AWS = 'From inside of a function only the paths of the AWS API can be reached.'

function turnAway(req: IncomingMessage, res: ServerResponse, err: HearthError): void {
  refuse(req, res, toRefusal(err, 'aws', randomUUID()))
}
