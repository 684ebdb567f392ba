import type { Socket } from 'node:net'
import { whenClosed } from '@hearth/sandbox'
import { type Budget, READ_COST_BYTES } from './budget.ts'
import { createFrameReader, type FrameReader } from './channel/frame-reader.ts'

export interface LinkListener {
  onFrame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void
  /** What came is no frame, or larger than it may be. Nothing is read after this. */
  onProtocolError(detail: string): void
  /**
   * The other side is gone.
   * @param unread - It left bytes of ours unread: the kernel says so by resetting instead of closing (unix(7)).
   */
  onClose(unread: boolean): void
}

/** How long the rest of a dead instance's output may take to be read. */
const DRAIN_MS = 2_000

/** One instance's channel: frames in both directions, writes of one event-loop turn joined. */
export class Link {
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #budget: Budget
  #listener: LinkListener
  #frames = 0
  #closed = false
  #failed = false
  #unread = false
  #pending: Buffer[] = []
  #onDrained: (() => void) | undefined
  #flushing = false
  /** How long reading must stop for what came. */
  #owedMs = 0

  constructor(socket: Socket, budget: Budget, listener: LinkListener) {
    this.#socket = socket
    this.#budget = budget
    this.#listener = listener
    this.#reader = createFrameReader({
      frame: (type, flags, seq, meta, payload) => {
        this.#frames++
        this.#listener.onFrame(type, flags, seq, meta, payload)
      },
      violation: (reason) => {
        this.#failed = true
        socket.pause()
        this.#listener.onProtocolError(reason)
      }
    })
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    // A reset by the kernel, or a write to what had ended: either way the last that was sent was not read.
    socket.on('error', () => {
      this.#unread = true
    })
    whenClosed(socket, () => {
      this.#closed = true
      this.#listener.onClose(this.#unread)
      this.#onDrained?.()
    })
    socket.resume()
  }

  /** Whether nothing can be sent any more. True a moment before `onClose` says so. */
  get closed(): boolean {
    return !this.#socket.writable
  }

  /** Hands the channel on, e.g. from the stock to the instance that the sandbox becomes. */
  listen(listener: LinkListener): void {
    this.#listener = listener
  }

  /** Writes now. */
  send(frame: Buffer): void {
    if (this.#pending.length > 0) {
      this.#pending.push(frame)
      return
    }
    this.#write(frame)
  }

  /** Writes with all else that this turn of the event loop has for the same instance. */
  sendBatched(frame: Buffer): void {
    this.#pending.push(frame)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      const frames = this.#pending
      this.#pending = []
      this.#write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
    })
  }

  /**
   * Reads what the other side left behind: it may have answered, and died before the answer was read here.
   * @param done - Called when the channel has closed: all that came has been delivered
   */
  drain(done: () => void): void {
    if (this.#closed) {
      done()
      return
    }
    // Nobody can write to it any more, so it ends soon; a broken one was paused for good.
    const timer = setTimeout(() => this.#socket.destroy(), this.#failed ? 0 : DRAIN_MS)
    this.#onDrained = () => {
      clearTimeout(timer)
      done()
    }
    if (!this.#failed) this.#socket.resume()
  }

  /** Bytes that the instance sent of its own accord, in the frame that is handled now; may pause reading. */
  charge(bytes: number): void {
    this.#owedMs = Math.max(this.#owedMs, this.#budget.spend(bytes))
  }

  /** Those of them that go to the log. */
  chargeLog(bytes: number): void {
    this.#owedMs = Math.max(this.#owedMs, this.#budget.spendOnLog(bytes))
  }

  #write(bytes: Buffer): void {
    // A stream that is on its way down swallows what is written to it, without an error.
    if (this.#socket.writable) this.#socket.write(bytes)
    else this.#unread = true
  }

  #onData(chunk: Buffer): void {
    if (this.#failed) return
    const before = this.#frames
    this.#reader.push(chunk)
    if (this.#frames === before) this.charge(READ_COST_BYTES)
    if (this.#owedMs > 0) this.#pause()
  }

  /** For what all of the chunk has cost. */
  #pause(): void {
    const pauseMs = this.#owedMs
    this.#owedMs = 0
    if (this.#failed) return
    this.#budget.pause(pauseMs)
    this.#socket.pause()
    setTimeout(() => {
      if (!this.#failed && !this.#closed) this.#socket.resume()
    }, pauseMs).unref()
  }
}
