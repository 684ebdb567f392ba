import { INVOKE, WINDOW } from '../../protocol.ts'
import { putAnswer } from './answers.ts'
import { type Backend, LOG_BYTES, LOG_PATIENCE_MS, type Surroundings } from './backend.ts'
import type { Handler } from './handler-loader.ts'
import { type Answer, Invocation } from './invocation.ts'
import type { Logger, LogOutput } from './logger.ts'
import { clock, later } from './primordials.ts'
import type { StreamPort } from './response-stream.ts'
import { createStreamPort } from './stream-port.ts'

/** A frame in the outbox; void when the channel has been flushed since. */
interface Span {
  readonly from: number
  readonly to: number
  readonly flushes: number
}

/**
 * One event at a time. Between two events the process stands still in a read, which is Lambda's freeze. Events that
 * were sent ahead are taken one after the other, and their answers go out in one write when no event is left; but as
 * soon as one does not settle within its turn of the event loop, what is ready is sent and what has not begun is given
 * back.
 *
 * Each event gets a turn of its own, so that what it left behind (rejections, timers, sockets) is seen before the next
 * one starts and before its answer is final.
 */
export class OneByOne implements Backend {
  readonly #around: Surroundings
  readonly #port: StreamPort
  #handler: Handler | undefined
  #logger: Logger | undefined
  #current: Invocation | undefined
  /** Its answer is in the outbox and not final: the turn of the event loop in which it settled is not over. */
  #last: (Span & { readonly invocation: Invocation }) | undefined
  #requestId: string | undefined
  /** The current event has outlived its first turn, and the channel is read on the event loop meanwhile. */
  #slow = false
  /** The event before this one took long, or there was none: do not hold its log lines back. */
  #eager = true

  constructor(around: Surroundings) {
    this.#around = around
    this.#port = createStreamPort(around.channel)
  }

  serve(handler: Handler, logger: Logger): void {
    this.#handler = handler
    this.#logger = logger
    later(this.#next)
  }

  readonly requestId = (): string | undefined => this.#requestId

  readonly log: LogOutput = (atMs, level, text) => {
    const { channel } = this.#around
    const current = this.#current
    channel.outbox.log(current?.seq ?? 0, atMs, level, text)
    const aged = current !== undefined && clock() - current.startedAt > LOG_PATIENCE_MS
    if (this.#eager || aged || channel.outbox.length > LOG_BYTES) channel.flush()
  }

  loopIsEmpty(): void {
    this.#current?.loopIsEmpty()
  }

  fail(answer: Answer, log: () => void): void {
    const { channel } = this.#around
    const last = this.#last
    if (last !== undefined && last.flushes === channel.flushes) {
      channel.outbox.cut(last.from, last.to)
      this.#current = last.invocation
    }
    log()
    const culprit = this.#current
    if (culprit === undefined) return
    this.#current = undefined
    culprit.settled = true
    putAnswer(channel.outbox, culprit.seq, culprit.micros(), culprit.failing(answer))
  }

  leave(): void {
    this.#receive()
    this.#around.channel.flush()
  }

  readonly #next = (): void => {
    this.#last = undefined
    const { channel, facts, ended } = this.#around
    const { inbox, outbox } = channel
    if (!inbox.ready()) {
      channel.flush()
      if (!channel.receive()) {
        ended()
        return
      }
    }
    if (inbox.type !== INVOKE) {
      inbox.skip()
      later(this.#next)
      return
    }
    const handler = this.#handler
    if (handler === undefined) return
    const event = inbox.takeInvoke()
    if (outbox.length > 0 || inbox.ready()) this.#around.progress(event.seq)
    this.#around.trace(event.traceId)
    this.#requestId = event.requestId
    const invocation = new Invocation(event, handler, this.#settled)
    this.#current = invocation
    later(this.#turnEnds)
    invocation.run(event, facts, this.#port)
  }

  readonly #turnEnds = (): void => {
    if (this.#current === undefined) {
      this.#next()
      return
    }
    this.#slow = true
    this.#eager = true
    this.leave()
    this.#around.channel.listen(() => {
      this.leave()
    })
  }

  readonly #settled = (invocation: Invocation, ok: boolean, value: unknown): void => {
    const { channel } = this.#around
    const micros = invocation.micros()
    const answer = invocation.answer(ok, value, this.#failed)
    const from = channel.outbox.length
    putAnswer(channel.outbox, invocation.seq, micros, answer)
    this.#current = undefined
    this.#last = { invocation, from, to: channel.outbox.length, flushes: channel.flushes }
    this.#eager = this.#slow || micros > LOG_PATIENCE_MS * 1000
    if (this.#slow) {
      this.#slow = false
      channel.silence()
      later(this.#next)
    }
  }

  readonly #failed = (thrown: unknown): void => {
    this.#logger?.failure('Invoke Error', thrown)
  }

  /** What comes while an event is at work: more events, which are given back, and room for its answer. */
  #receive(): void {
    const { inbox, outbox } = this.#around.channel
    while (inbox.ready()) {
      if (inbox.type === WINDOW && inbox.seq === this.#current?.seq) {
        this.#current.stream?.credit(inbox.takeWindow())
        continue
      }
      if (inbox.type === INVOKE) outbox.returned(inbox.seq)
      inbox.skip()
    }
  }
}
