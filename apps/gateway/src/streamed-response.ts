import type { Phases, ResponseSink, ResponseSource } from '@hearth/executor'
import type { Call } from './call.ts'
import { serverTiming } from './server-timing.ts'

/** A stream of such pieces is after throughput, and a write for each costs more than the rest of their way. */
const LARGE_PIECE = 16_384

/**
 * A response that is written while the function makes it. What the client has not taken stays within the window that the
 * function has: room is given back when a piece has left this process, or at once when nobody is there to take it. The
 * function goes on when its client has left, as on Lambda.
 */
export abstract class StreamedResponse implements ResponseSink {
  protected readonly call: Call
  #source: ResponseSource | undefined
  /** Cost of pieces that were written and have not left. */
  #held = 0
  #isClosed = false
  #isCorked = false

  constructor(call: Call) {
    this.call = call
  }

  start(contentType: string, phases: Phases, source: ResponseSource): void {
    this.#source = source
    if (!this.#isClosed) this.begin(contentType, phases)
  }

  data(bytes: Buffer, cost: number): void {
    if (this.#isClosed) {
      this.#source?.consumed(cost)
      return
    }
    this.#held += cost
    this.piece(bytes, () => {
      if (this.#isClosed) return
      this.#held -= cost
      this.#source?.consumed(cost)
    })
  }

  abstract finish(): void

  /** The client is gone, or shall get no more: what comes from now on is dropped. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const held = this.#held
    this.#held = 0
    if (held > 0) this.#source?.consumed(held)
  }

  /** Ends a response that cannot be completed, so that its client notices: the body stays without its end. */
  protected cut(): void {
    const { res } = this.call
    const { socket } = res
    // What was written still goes out.
    if (socket === null) res.destroy()
    else setImmediate(() => socket.destroySoon())
  }

  /** Headers that every streamed response has; the function's time is that to its first byte. */
  protected ownHeaders(phases: Phases): string[] {
    const { requestId, traceId } = this.call
    return ['x-amzn-requestid', requestId, 'x-amzn-trace-id', traceId, 'server-timing', serverTiming(phases)]
  }

  /** Writes; pieces that came together leave in one write, large ones with all that this turn of the event loop brings. */
  protected write(bytes: Buffer | string, sent: () => void): void {
    const { res } = this.call
    if (!this.#isCorked) {
      this.#isCorked = true
      res.cork()
      const uncork = (): void => {
        this.#isCorked = false
        res.uncork()
      }
      if (bytes.length < LARGE_PIECE) process.nextTick(uncork)
      else setImmediate(uncork)
    }
    res.write(bytes, sent)
  }

  /** The answer begins. */
  protected abstract begin(contentType: string, phases: Phases): void
  /** @param sent - To be called once it has left */
  protected abstract piece(bytes: Buffer, sent: () => void): void
}

const UNKNOWN_TYPE = 'application/octet-stream'

/** A content type as a header may carry it. */
export function contentTypeHeader(given: string): string {
  return given !== '' && /^[\t\x20-\x7e\x80-\xff]+$/.test(given) ? given : UNKNOWN_TYPE
}
