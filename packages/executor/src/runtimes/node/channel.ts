import net from 'node:net'
import { readSync, writeSync } from './primordials.ts'
import { Inbox, Outbox } from './wire.ts'

/** The stream socket under a channel. */
export interface Transport {
  /** Blocks until there are bytes. @returns 0 when the other end has closed */
  readonly read: (into: Buffer, at: number, bytes: number) => number
  /** Blocks until some bytes are on their way. */
  readonly write: (from: Buffer, at: number, bytes: number) => number
  /** Reads on the event loop from now on; it does not keep the process alive. */
  listen(received: (bytes: Uint8Array, count: number) => void): void
  /** Back to blocking reads. */
  silence(): void
  /** Whether listening keeps the process alive. */
  keepAlive(on: boolean): void
}

/** The instance's end of the channel: what has come, what is to go, and the two ways of waiting for more. */
export class Channel {
  readonly inbox = new Inbox()
  readonly outbox = new Outbox()
  /** Counts writes: positions in the outbox are void after one. */
  flushes = 0
  readonly #transport: Transport
  #isKept = false
  /** Streams that wait for room, which comes over the channel. */
  #holds = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  flush(): void {
    if (this.outbox.length === 0) return
    this.flushes++
    this.outbox.drain(this.#transport.write)
  }

  /**
   * Blocks until a whole frame is there. The event loop stands still meanwhile: this is the freeze between two events.
   * @returns false when the gateway has closed the channel
   */
  receive(): boolean {
    while (!this.inbox.ready()) if (this.inbox.fill(this.#transport.read) === 0) return false
    return true
  }

  /** Calls `arrived` on the event loop after bytes have come. */
  listen(arrived: () => void): void {
    this.#transport.listen((bytes, count) => {
      this.inbox.append(bytes, count)
      arrived()
    })
  }

  silence(): void {
    this.#transport.silence()
  }

  keepAlive(on: boolean): void {
    this.#isKept = on
    this.#transport.keepAlive(on || this.#holds > 0)
  }

  /** Keeps the process alive too, until taken back: somebody waits for what the gateway will send. */
  hold(on: boolean): void {
    this.#holds += on ? 1 : -1
    this.#transport.keepAlive(this.#isKept || this.#holds > 0)
  }
}

/** What Node's stream handles have and its types do not list. */
interface StreamHandle {
  readStart(): number
  readStop(): number
  setBlocking(on: boolean): number
  ref(): void
  unref(): void
}

/**
 * The socket that the process was started with. It is in blocking mode, where a plain read(2) waits, except between
 * `listen` and `silence`, where libuv reads it.
 * @param ended - The gateway has closed the channel: there is nothing left to do
 */
export function openSocket(fd: number, ended: () => void): Transport {
  let received: ((bytes: Uint8Array, count: number) => void) | undefined
  const onread: net.OnReadOpts = {
    buffer: new Uint8Array(65_536),
    callback: (count, bytes) => {
      received?.(bytes, count)
      return true
    }
  }
  // The types allow `onread` only for outgoing connections; the constructor takes it for any.
  const options: net.SocketConstructorOpts & { onread: net.OnReadOpts } = { fd, readable: true, writable: true, onread }
  const socket = new net.Socket(options)
  socket.on('end', ended)
  socket.on('error', ended)
  const handle = (socket as unknown as { readonly _handle: StreamHandle })._handle
  handle.readStop()
  handle.unref()
  handle.setBlocking(true)

  const read = (into: Buffer, at: number, bytes: number): number => {
    try {
      return readSync(fd, into, at, bytes, null)
    } catch {
      return 0
    }
  }
  const write = (from: Buffer, at: number, bytes: number): number => {
    try {
      return writeSync(fd, from, at, bytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        ended()
        return bytes
      }
    }
    // Listening, and the gateway is slower than we are: wait for it here, so that memory stays bounded.
    handle.setBlocking(true)
    try {
      return writeSync(fd, from, at, bytes)
    } catch {
      ended()
      return bytes
    } finally {
      handle.setBlocking(false)
    }
  }
  return {
    read,
    write,
    listen(sink) {
      received = sink
      handle.setBlocking(false)
      handle.readStart()
    },
    silence() {
      received = undefined
      handle.readStop()
      handle.setBlocking(true)
    },
    keepAlive(on) {
      if (on) handle.ref()
      else handle.unref()
    }
  }
}
