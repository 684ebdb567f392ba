import { AsyncLocalStorage } from 'node:async_hooks'
import { LOG_PATIENCE_MS } from './backend.ts'
import type { Handler } from './handler-loader.ts'
import { type Answer, type FunctionFacts, Invocation } from './invocation.ts'
import type { Logger, LogOutput } from './logger.ts'
import { clock, later } from './primordials.ts'
import type { StreamPort } from './response-stream.ts'
import type { InvokeEvent } from './wire.ts'

/** Where a group's answers and log events go. */
export interface GroupOutput {
  /** Where streamed answers go. */
  readonly port: StreamPort
  answer(seq: number, micros: number, answer: Answer): void
  /** All answers of this turn of the event loop have been given. */
  turnEnds(): void
  /** @param urgent - Should leave at once: its event may be stuck in a loop */
  log(seq: number, atMs: number, level: number, text: string, urgent: boolean): void
}

interface Fresh {
  readonly invocation: Invocation
  readonly micros: number
  readonly answer: Answer
}

/** Several events at once on one thread; which of them a line or an error belongs to is known by its async context. */
export class EventGroup {
  readonly #output: GroupOutput
  readonly #facts: FunctionFacts
  readonly #context = new AsyncLocalStorage<Invocation>()
  readonly #running = new Set<Invocation>()
  /** Answers that are not final: the turn of the event loop in which they were given is not over. */
  #fresh: Fresh[] = []
  #logger: Logger | undefined

  constructor(facts: FunctionFacts, output: GroupOutput) {
    this.#facts = facts
    this.#output = output
  }

  get size(): number {
    return this.#running.size + this.#fresh.length
  }

  /** Failures of handlers are logged there. */
  logTo(logger: Logger): void {
    this.#logger = logger
  }

  start(event: InvokeEvent, handler: Handler): void {
    const invocation = new Invocation(event, handler, this.#settled)
    this.#running.add(invocation)
    this.#context.run(invocation, () => {
      invocation.run(event, this.#facts, this.#output.port)
    })
  }

  readonly requestId = (): string | undefined => this.#context.getStore()?.requestId

  readonly log: LogOutput = (atMs, level, text) => {
    const invocation = this.#context.getStore()
    if (invocation === undefined || invocation.settled) this.#output.log(0, atMs, level, text, true)
    else this.#output.log(invocation.seq, atMs, level, text, clock() - invocation.startedAt > LOG_PATIENCE_MS)
  }

  /** The gateway has taken as much of an event's streamed answer. */
  credit(seq: number, cost: number): void {
    for (const invocation of this.#running) if (invocation.seq === seq) invocation.stream?.credit(cost)
  }

  loopIsEmpty(): void {
    for (const invocation of [...this.#running]) invocation.loopIsEmpty()
  }

  /**
   * Takes out the events that the error at hand belongs to: the one in whose context it came up, or all that run.
   * @param log - Logs the error; called while they are open
   */
  takeCulprits(log: () => void): Invocation[] {
    const known = this.#context.getStore()
    const culprits = known === undefined ? [...this.#running] : this.#isOpen(known) ? [known] : []
    for (const culprit of culprits) culprit.settled = false
    log()
    for (const culprit of culprits) {
      culprit.settled = true
      this.#running.delete(culprit)
    }
    this.#fresh = this.#fresh.filter(({ invocation }) => invocation !== known)
    return culprits
  }

  /** Gives the answers that wait for the end of this turn. */
  readonly finish = (): void => {
    const fresh = this.#fresh
    if (fresh.length === 0) return
    this.#fresh = []
    for (const { invocation, micros, answer } of fresh) this.#output.answer(invocation.seq, micros, answer)
    this.#output.turnEnds()
  }

  #isOpen(invocation: Invocation): boolean {
    return !invocation.settled || this.#fresh.some((fresh) => fresh.invocation === invocation)
  }

  readonly #settled = (invocation: Invocation, ok: boolean, value: unknown): void => {
    const micros = invocation.micros()
    const answer = invocation.answer(ok, value, (thrown) => {
      // The callback may have come from anywhere: the line belongs to this event all the same, which is still open.
      invocation.settled = false
      this.#context.run(invocation, () => {
        this.#logger?.failure('Invoke Error', thrown)
      })
      invocation.settled = true
    })
    this.#running.delete(invocation)
    if (this.#fresh.push({ invocation, micros, answer }) === 1) later(this.finish)
  }
}
