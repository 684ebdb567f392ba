import { INVOKE, WINDOW } from '../../protocol.ts'
import { putAnswer } from './answers.ts'
import { type Backend, LOG_BYTES, type Surroundings } from './backend.ts'
import { EventGroup } from './event-group.ts'
import type { Handler } from './handler-loader.ts'
import type { Answer } from './invocation.ts'
import type { Logger, LogOutput } from './logger.ts'
import { later } from './primordials.ts'
import { createStreamPort } from './stream-port.ts'
import type { InvokeEvent } from './wire.ts'

/**
 * Many events at once on the main thread: the channel is read on the event loop, and what a turn of it makes ready
 * goes out in one write.
 */
export class ManyAtOnce implements Backend {
  readonly #around: Surroundings
  readonly #events: EventGroup
  #handler: Handler | undefined
  #flushDue = false

  constructor(around: Surroundings) {
    this.#around = around
    const { channel, facts } = around
    this.#events = new EventGroup(facts, {
      port: createStreamPort(channel),
      answer: (seq, micros, answer) => {
        putAnswer(channel.outbox, seq, micros, answer)
      },
      turnEnds: () => {
        // With no event at work the socket alone must keep the process; otherwise it must not, or an event loop with
        // nothing left to do would never show.
        if (this.#events.size === 0) channel.keepAlive(true)
        channel.flush()
      },
      log: (seq, atMs, level, text, urgent) => {
        channel.outbox.log(seq, atMs, level, text)
        if (urgent || channel.outbox.length > LOG_BYTES) channel.flush()
        else this.#flushSoon()
      }
    })
  }

  get requestId(): () => string | undefined {
    return this.#events.requestId
  }

  get log(): LogOutput {
    return this.#events.log
  }

  serve(handler: Handler, logger: Logger): void {
    this.#handler = handler
    this.#events.logTo(logger)
    const { channel } = this.#around
    channel.keepAlive(true)
    channel.listen(this.#arrived)
    channel.flush()
    this.#arrived()
  }

  loopIsEmpty(): void {
    this.#events.loopIsEmpty()
  }

  fail(answer: Answer, log: () => void): void {
    const { outbox } = this.#around.channel
    for (const culprit of this.#events.takeCulprits(log)) {
      putAnswer(outbox, culprit.seq, culprit.micros(), culprit.failing(answer))
    }
  }

  leave(): void {
    this.#events.finish()
    this.#around.channel.flush()
  }

  readonly #arrived = (): void => {
    const { channel } = this.#around
    const { inbox } = channel
    const handler = this.#handler
    if (handler === undefined) return
    const events: InvokeEvent[] = []
    while (inbox.ready()) {
      if (inbox.type === WINDOW) {
        const { seq } = inbox
        this.#events.credit(seq, inbox.takeWindow())
        continue
      }
      if (inbox.type !== INVOKE) {
        inbox.skip()
        continue
      }
      events.push(inbox.takeInvoke())
    }
    const last = events.at(-1)
    if (last === undefined) return
    // Noted before any of them begins, at once for all that came together.
    this.#around.progress(last.seq)
    for (const event of events) {
      if (this.#events.size === 0) channel.keepAlive(false)
      this.#events.start(event, handler)
    }
  }

  #flushSoon(): void {
    if (this.#flushDue) return
    this.#flushDue = true
    later(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushDue = false
    this.#around.channel.flush()
  }
}
