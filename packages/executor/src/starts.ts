import type { Candidate } from './candidate.ts'
import type { Capacity, Grower } from './capacity.ts'
import type { InitializationType } from './environment.ts'
import type { Flight } from './flight.ts'
import type { InitResult } from './init-result.ts'
import type { Instance } from './instance.ts'
import { initStartLine } from './platform-lines.ts'
import type { ProvisionedStart } from './provisioned.ts'
import { RepeatedInit } from './repeated-init.ts'
import type { StartGate } from './start-gate.ts'
import type { FunctionSpec, LogSink } from './types.ts'
import type { WaitQueue } from './wait-queue.ts'

/** What starts need of the executor around them. */
export interface StartsContext {
  readonly initTimeoutMs: number
  readonly gate: StartGate
  readonly logs: LogSink
  /** Room for instances; what an instance takes is given back when it ends. */
  readonly capacity: Capacity
  runtimeVersion(spec: FunctionSpec): string
  provisionedInit(spec: FunctionSpec, initMs: number): void
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

/** Whose instances they become. */
export interface StartsOwner extends Grower {
  readonly spec: FunctionSpec
  /** Whether those that wait are better off waiting for a running instance than with one more. */
  readonly isSaturated: boolean
  readonly hasInstances: boolean
  readonly isRetired: boolean
  /** @returns a sandbox that has become this function's. @throws Error when none can be had */
  open(initializationType: InitializationType): Promise<Candidate>
  /** It is there from now on, and says itself when it has ended. */
  joined(instance: Instance): void
  /** Its init is done. @param flight - What it was started for, if that still waits */
  started(candidate: Candidate, init: InitResult & { ok: true }, flight: Flight | undefined): void
  /** The platform cannot run it. */
  refuse(flight: Flight, why: string): void
  /** An event is about to be answered with what its init has come to. */
  settled(): void
}

/** After this many starts in a row that the platform could not make, those who wait are told. */
const START_ATTEMPTS = 3
/** Provisioned instances get more time for their init than others, as on AWS. */
const PROVISIONED_INIT_MS = 130_000
/** What AWS calls an init that failed ahead of any event. */
const INIT_FAILURE = 'FUNCTION_ERROR_INIT_FAILURE'

/** The starts of one function version's instances: as many as there are waiting events that none is coming for. */
export class Starts {
  readonly #context: StartsContext
  readonly #owner: StartsOwner
  readonly #waiting: WaitQueue<Flight>
  #asked = 0
  #underWay = 0
  /** Events in whose time an init is repeated. */
  #repeating = 0
  /** Found no room for another instance, and is told when there is some. */
  #isCramped = false
  /** Those in a row that came to nothing. */
  #failures = 0

  /** @param waiting - Events that wait for an instance */
  constructor(context: StartsContext, owner: StartsOwner, waiting: WaitQueue<Flight>) {
    this.#context = context
    this.#owner = owner
    this.#waiting = waiting
  }

  /** Those asked for, too. */
  get count(): number {
    return this.#asked + this.#underWay + this.#repeating
  }

  /** Whether one is being made: without those that wait for their turn. */
  get areUnderWay(): boolean {
    return this.#underWay > 0 || this.#repeating > 0
  }

  /** Asks for as many starts as there are waiting events that none is coming for; never more. */
  grow(): void {
    const { concurrency } = this.#owner.spec
    while (!this.#isCramped && (this.#asked + this.#underWay) * concurrency < this.#waiting.length) {
      if (this.#owner.isSaturated) return
      this.#asked++
      this.#context.gate.request(this, () => {
        this.#asked--
        // Those that waited may have found an instance meanwhile, or one is coming for each.
        if (this.#underWay * concurrency >= this.#waiting.length) return undefined
        if (!this.#context.capacity.reserve(this.#owner)) {
          this.#isCramped = true
          return undefined
        }
        this.#underWay++
        return this.#start()
      })
    }
  }

  /** There may be room again. */
  relieve(): void {
    this.#isCramped = false
  }

  /**
   * Starts one that no event waits for, when it is its turn.
   *
   * @param isWanted - Asked then; without it no start is made
   * @param done - Called once: undefined when there was no room, or nothing wanted
   */
  ahead(isWanted: () => boolean, done: (start: ProvisionedStart | undefined) => void): void {
    this.#context.gate.request(this, () => {
      if (!isWanted() || !this.#context.capacity.reserve(this.#owner)) {
        done(undefined)
        return undefined
      }
      return this.#startAhead().then(done)
    })
  }

  async #start(): Promise<void> {
    let candidate: Candidate
    try {
      candidate = await this.#owner.open('on-demand')
    } catch (error) {
      this.#underWay--
      this.#context.capacity.release()
      this.#context.log('error', 'no sandbox for a function', { err: error, function: this.#owner.spec.name })
      if (++this.#failures < START_ATTEMPTS) this.grow()
      // Whoever waits while nothing runs would wait in vain.
      else if (!this.#owner.hasInstances && this.#underWay === 0) {
        this.#failures = 0
        for (const flight of this.#waiting.clear()) this.#owner.refuse(flight, (error as Error).message)
      }
      return
    }
    this.#failures = 0
    const result = await this.#initialize(candidate, this.#context.initTimeoutMs)
    if (!result.ok) {
      await this.#repeatInit(candidate, result)
      return
    }
    this.#underWay--
    this.#owner.started(candidate, result, this.#waiting.shift())
  }

  async #startAhead(): Promise<ProvisionedStart> {
    const { spec } = this.#owner
    let candidate: Candidate
    try {
      candidate = await this.#owner.open('provisioned-concurrency')
    } catch (error) {
      this.#context.capacity.release()
      this.#context.log('error', 'no sandbox for provisioned concurrency', { err: error, function: spec.name })
      return { failure: 'No sandbox could be started; the server log says why.' }
    }
    const result = await this.#initialize(candidate, Math.max(PROVISIONED_INIT_MS, spec.timeoutMs))
    const { instance } = candidate
    this.#context.provisionedInit(spec, result.initMs)
    if (!result.ok && !this.#owner.isRetired) instance.logInitFailure(result, 'init', undefined)
    if (result.ok && instance.open) return { instance }
    instance.expire()
    return { failure: INIT_FAILURE }
  }

  #initialize(candidate: Candidate, limitMs: number): Promise<InitResult> {
    const at = Date.now()
    const { spec } = this.#owner
    this.#owner.joined(candidate.instance)
    const { initializationType } = candidate.instance
    const line = initStartLine(spec, this.#context.runtimeVersion(spec), at, initializationType)
    if (line !== undefined) this.#context.logs.write(spec, candidate.logStream, at, '', 'INFO', line)
    return candidate.initialize(limitMs).catch((error: unknown): InitResult => {
      // Attaching the code failed: the platform's fault, but this instance is lost either way.
      this.#context.log('error', 'an instance could not be initialised', { err: error, function: spec.name })
      candidate.instance.stop('init')
      const payload = Buffer.from('{"errorType":"Sandbox.Failure","errorMessage":"The sandbox could not be prepared"}')
      return { ok: false, initMs: 0, status: 'error', errorType: 'Sandbox.Failure', payloadFor: () => payload }
    })
  }

  /**
   * Init failed: Lambda repeats it inside the first invocation, bounded by the function's timeout, and answers with
   * the second result.
   */
  async #repeatInit(first: Candidate, failure: InitResult & { ok: false }): Promise<void> {
    const { spec } = this.#owner
    const flight = this.#waiting.shift()
    first.instance.logInitFailure(failure, 'init', undefined)
    // From here on it is for this event alone, and comes for no other.
    this.#underWay--
    if (flight === undefined) return
    this.#repeating++
    const startedAt = performance.now()
    let candidate: Candidate
    this.#context.capacity.takeOver()
    try {
      candidate = await this.#owner.open('on-demand')
    } catch (error) {
      this.#context.capacity.release()
      this.#repeating--
      this.#owner.refuse(flight, (error as Error).message)
      this.grow()
      return
    }
    const repeated = new RepeatedInit(spec, this.#context.logs, candidate, flight, startedAt)
    repeated.begin()
    const second = await this.#initialize(candidate, spec.timeoutMs)
    this.#repeating--
    this.grow()
    if (second.ok) {
      this.#owner.started(candidate, second, flight)
      return
    }
    this.#owner.settled()
    flight.invocation.settle(repeated.failed(second))
  }
}
