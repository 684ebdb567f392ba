import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Door } from '@hearth/sandbox'
import { HearthError } from '@hearth/shared'
import { answerClientError } from '../client-errors.ts'
import { toRefusal } from '../refusal.ts'
import { refuse } from '../respond.ts'
import { isReachable, markInside } from './inside.ts'

/** What functions reach of this server, each instance through a door of its own. */
export interface FunctionDoors {
  /**
   * Answers at an instance's door until that closes.
   *
   * @param reopen - Another door in the place of one that was closed.
   */
  answer(functionName: string, door: Door, reopen: () => Promise<Door>): void
}

/** As the gateway's own server has them, in ms. */
interface Timeouts {
  readonly headersMs: number
  readonly requestMs: number
  readonly checkMs: number
}

/** Connections of one instance at a time; more are closed as they come. AWS's clients open 50 by themselves. */
const CONNECTIONS = 64
/**
 * Requests of one connection that are not answered yet: what stands behind is kept in memory by nobody's limits. No client
 * of AWS sends one before it has the last answer, of which the end may not have been noted here.
 */
const PIPELINED = 4
/** Bytes of answers that it may leave unread before it gets no more. */
const UNREAD_BYTES = 16 * 1_048_576
/** For how long it may take nothing of an answer. */
const STALL_MS = 60_000
/** Its requests and connections in a second: more are refused, and over twice as many the door is shut for a while. */
const PER_SECOND = 2_000
const SECOND_MS = 1_000
const SHUT_MS = 1_000

/** @param gateway - Answers what is let in, as what comes from outside. */
export function createFunctionDoors(gateway: Server, timeouts: Timeouts): FunctionDoors {
  return {
    answer(functionName, door, reopen) {
      new Doorkeeper(functionName, gateway, timeouts, reopen).answer(door)
    }
  }
}

/** Keeps one instance to its share of the platform. */
class Doorkeeper {
  readonly #functionName: string
  readonly #gateway: Server
  readonly #timeouts: Timeouts
  readonly #reopen: () => Promise<Door>
  /** Its connections, with how many requests of each are not answered yet. */
  readonly #sockets = new Map<Socket, number>()
  #secondBegan = 0
  #count = 0
  #isShut = false

  constructor(functionName: string, gateway: Server, timeouts: Timeouts, reopen: () => Promise<Door>) {
    this.#functionName = functionName
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
    server.maxConnections = CONNECTIONS
    server.timeout = STALL_MS
    server.on('connection', (socket: Socket) => {
      markInside(socket, this.#functionName)
      this.#sockets.set(socket, 0)
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
    const pending = this.#sockets.get(socket)
    if (pending === undefined || pending >= PIPELINED || this.#isUnread) {
      socket.destroy()
      return false
    }
    this.#sockets.set(socket, pending + 1)
    res.once('close', () => {
      const left = this.#sockets.get(socket)
      if (left !== undefined) this.#sockets.set(socket, left - 1)
    })
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
    if (this.#count > 2 * PER_SECOND) this.#shut(door)
    return this.#count > PER_SECOND
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
    setTimeout(() => {
      // The instance may have ended meanwhile.
      open().catch(() => undefined)
    }, SHUT_MS).unref()
  }

  get #isUnread(): boolean {
    let bytes = 0
    for (const socket of this.#sockets.keys()) bytes += socket.writableLength
    return bytes > UNREAD_BYTES
  }
}

/** Lambda's reason for more requests than a caller may send. */
const RATE = 'CallerRateLimitExceeded'
const ONLY_AWS = 'From inside of a function only the paths of the AWS API can be reached.'

function turnAway(req: IncomingMessage, res: ServerResponse, err: HearthError): void {
  refuse(req, res, toRefusal(err, 'aws', randomUUID()))
}
