import { encodeWindow } from './channel/frame-writer.ts'
import { FLAG_LAST, FLAG_REST, MAX_STREAM_BYTES, STREAM_FRAME_COST, STREAM_WINDOW } from './protocol.ts'
import type { ResponseSink, ResponseSource } from './types.ts'

/** Given back in portions: a frame for each piece would cost as much as the pieces. */
const PORTION = STREAM_WINDOW / 2

/**
 * An answer that comes piece by piece, and how much of it may be under way. The instance is not trusted to keep within
 * that: what goes beyond ends it.
 */
export class Stream implements ResponseSource {
  readonly firstByteMs: number
  readonly #seq: number
  readonly #sink: ResponseSink
  readonly #send: (frame: Buffer) => void
  #bytes = 0
  #left = STREAM_WINDOW
  /** Taken by the caller, and not told to the instance yet. */
  #owed = 0
  #isFinished = false

  /** @param send - Sends a frame to the instance; without effect when that is gone */
  constructor(seq: number, firstByteMs: number, sink: ResponseSink, send: (frame: Buffer) => void) {
    this.#seq = seq
    this.firstByteMs = firstByteMs
    this.#sink = sink
    this.#send = send
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @returns what is wrong with the piece, or undefined when it was passed on */
  data(bytes: Buffer, flags: number): string | undefined {
    const isLast = (flags & FLAG_LAST) !== 0
    if (this.#isFinished) return 'a piece of a stream after its last'
    if (!isLast || bytes.length > 0) {
      const problem = this.#take(bytes, (flags & FLAG_REST) === 0 ? STREAM_FRAME_COST : 0)
      if (problem !== undefined) return problem
    }
    if (isLast) {
      this.#isFinished = true
      this.#sink.finish()
    }
    return undefined
  }

  #take(bytes: Buffer, frameCost: number): string | undefined {
    const cost = bytes.length + frameCost
    this.#left -= cost
    if (this.#left < 0) return 'more of a stream than its window allows'
    this.#bytes += bytes.length
    if (this.#bytes > MAX_STREAM_BYTES) return `a stream of more than ${MAX_STREAM_BYTES} bytes`
    this.#sink.data(bytes, cost)
    return undefined
  }

  consumed(cost: number): void {
    if (this.#isFinished) return
    this.#owed += cost
    if (this.#owed < PORTION) return
    this.#left += this.#owed
    this.#send(encodeWindow(this.#seq, this.#owed))
    this.#owed = 0
  }

  /** Nothing is sent to the instance any more: it is over for it. */
  close(): void {
    this.#isFinished = true
  }
}
