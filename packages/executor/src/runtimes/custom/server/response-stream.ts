import type { IncomingMessage } from 'node:http'
import { MAX_STREAM_BYTES, MAX_STREAM_CHUNK_BYTES, STREAM_FRAME_COST, STREAM_WINDOW } from '../../../protocol.ts'

/** What becomes of a response that is passed on as it comes. */
export interface StreamListener {
  onData(bytes: Buffer): void
  /** All of it has been passed on. */
  onEnd(): void
  /** More than a streamed answer may have; the rest is read and dropped. */
  onTooLarge(): void
  /** The connection broke before the end. */
  onTruncated(): void
}

/** Passes a request's body on as far as the gateway gives room; the runtime that sends it waits meanwhile. */
export class ResponseStream {
  readonly #req: IncomingMessage
  readonly #listener: StreamListener
  #left = STREAM_WINDOW
  #bytes = 0
  /** Read, and not passed on for want of room. */
  #rest: Buffer = Buffer.alloc(0)
  #hasEnded = false
  #isOver = false

  constructor(req: IncomingMessage, listener: StreamListener) {
    this.#req = req
    this.#listener = listener
    req.on('data', (chunk: Buffer) => {
      if (this.#isOver) return
      this.#bytes += chunk.length
      if (this.#bytes > MAX_STREAM_BYTES) {
        this.#isOver = true
        listener.onTooLarge()
        return
      }
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      this.#pump()
    })
    req.once('end', () => {
      this.#hasEnded = true
      this.#pump()
    })
    const broken = (): void => {
      if (this.#isOver || this.#hasEnded) return
      this.#isOver = true
      listener.onTruncated()
    }
    req.once('close', broken)
    req.once('error', broken)
  }

  /** The gateway has taken as much. */
  credit(cost: number): void {
    this.#left += cost
    this.#pump()
  }

  /** Nothing is passed on any more. */
  stop(): void {
    this.#isOver = true
    this.#req.resume()
  }

  #pump(): void {
    if (this.#isOver) return
    while (this.#rest.length > 0) {
      const room = Math.min(this.#left - STREAM_FRAME_COST, MAX_STREAM_CHUNK_BYTES)
      if (room <= 0) {
        this.#req.pause()
        return
      }
      const piece = this.#rest.subarray(0, room)
      this.#rest = this.#rest.subarray(piece.length)
      this.#left -= piece.length + STREAM_FRAME_COST
      this.#listener.onData(piece)
    }
    if (this.#hasEnded) {
      this.#isOver = true
      this.#listener.onEnd()
    } else this.#req.resume()
  }
}
