import { timedOut } from './failures.ts'
import { createFastTrack } from './fast-track.ts'
import { createFlight, type Flight, lastBytes } from './flight.ts'
import type { ExitReason, InitResult, Instance, InstanceOwner } from './instance.ts'
import { initStartLine, reportLines, startLine } from './platform-lines.ts'
import type { StartGate } from './start-gate.ts'
import type { FunctionPool, FunctionSpec, Invocation, LogSink, Outcome, OutcomeStatus, Phases } from './types.ts'
import { createWaitQueue, type WaitQueue } from './wait-queue.ts'

/** A started but not yet initialised instance, with what its start cost. */
export interface Candidate {
  readonly instance: Instance
  /** From asking for a sandbox to having one. */
  readonly sandboxMs: number
  readonly logStream: string
  initialize(limitMs: number): Promise<InitResult>
}

/** What a pool needs of the executor around it. */
export interface PoolContext {
  readonly cpus: number
  readonly queueLength: number
  readonly queueWaitMs: number
  readonly initTimeoutMs: number
  readonly gate: StartGate
  readonly logs: LogSink
  /** Reserves room for one instance, evicting an idle one of another function if need be. */
  reserve(): boolean
  /** Gives a reservation back that came to nothing; an instance's own ends with it. */
  unreserve(): void
  open(pool: Pool): Promise<Candidate>
  runtimeVersion(spec: FunctionSpec): string
  /** Whether its runtime takes events ahead of time. */
  presends(spec: FunctionSpec): boolean
  coldStart(spec: FunctionSpec, phases: Phases): void
  ended(spec: FunctionSpec, reason: ExitReason): void
  drained(pool: Pool): void
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

/** An event that runs for this long while the function's events are short is not one of them. */
const STUCK_MS = 50
/** After this many starts in a row that the platform could not make, those who wait are told. */
const START_ATTEMPTS = 3
/** Events that an instance may have in its buffer, the running one included, when events are pre-sent. */
const PRESENT_DEPTH = 16
/** Events are put behind one another up to this much work before they are spread over instances. */
const PACKED_MS = 0.2
/** An event up to this long is over before the next one is read from its caller. */
const TINY_MS = 0.05

/** The instances of one function version, and the events that wait for one. */
export class Pool implements FunctionPool, InstanceOwner {
  readonly spec: FunctionSpec
  readonly #context: PoolContext
  readonly #waiting: WaitQueue
  readonly #track = createFastTrack()
  /** Idle ones, the most recently used last: it is the warmest, and the others get to be idle for long. */
  readonly #idle: Instance[] = []
  /** Those with at least one event. */
  readonly #busy = new Set<Instance>()
  readonly #all = new Set<Instance>()
  /** Starts under way or asked for. */
  #starting = 0
  /** Starts in a row that came to nothing. */
  #failures = 0
  #retired = false
  /** Events may wait for a running one instead of having an instance started. */
  readonly #canWait: boolean
  /** They may wait in the instance itself. */
  readonly #presends: boolean

  constructor(spec: FunctionSpec, context: PoolContext) {
    this.spec = spec
    this.#context = context
    this.#canWait = spec.concurrency === 1 && spec.backend === 'process'
    this.#presends = this.#canWait && context.presends(spec)
    this.#waiting = createWaitQueue(context.queueLength, context.queueWaitMs, (flight) =>
      this.#refuse(flight, 'throttled', 'no instance became free in time')
    )
  }

  get idle(): readonly Instance[] {
    return this.#idle
  }

  get counts(): { readonly starting: number; readonly idle: number; readonly busy: number; readonly queued: number } {
    return { starting: this.#starting, idle: this.#idle.length, busy: this.#busy.size, queued: this.#waiting.length }
  }

  invoke(invocation: Invocation): void {
    const flight = createFlight(invocation, performance.now())
    const instance = this.#pick()
    if (instance !== undefined) this.#dispatch(instance, flight)
    else this.#enqueue(flight)
  }

  cancel(invocation: Invocation): boolean {
    return this.#waiting.remove(invocation)
  }

  retire(): void {
    this.#retired = true
    for (const instance of [...this.#idle]) this.#stopIdle(instance, 'retired')
    this.#checkDrained()
  }

  /** Ends idle instances that nothing has used since `before` (`performance.now()` ms) and freezes the others. */
  sweep(now: number, before: number): void {
    if (this.#track.short) {
      for (const instance of this.#busy) {
        // It cannot even give back what was pre-sent to it, so it is at work without a pause.
        if (instance.headStartedAt < now - STUCK_MS) {
          this.#leaveTrack()
          break
        }
      }
    }
    for (const instance of [...this.#idle]) {
      if (instance.idleSince <= before) this.#stopIdle(instance, 'idle')
      else instance.tick(now)
    }
  }

  evict(instance: Instance): void {
    this.#stopIdle(instance, 'evicted')
  }

  /** Ends everything; what waits is refused, what runs is answered as a crash. */
  shutdown(): void {
    for (const flight of this.#waiting.clear()) this.#refuse(flight, 'unavailable', 'the server is stopping')
    for (const instance of this.#all) instance.stop('shutdown')
  }

  released(instance: Instance): void {
    // Still at work on what was pre-sent: it gets more only while that is allowed.
    if (instance.load > 0 && this.spec.concurrency === 1 && !(this.#presends && this.#track.open)) return
    const flight = this.#waiting.shift()
    if (flight !== undefined) {
      this.#dispatch(instance, flight)
      return
    }
    if (instance.load > 0) return
    this.#busy.delete(instance)
    if (this.#retired) {
      instance.stop('retired')
      return
    }
    this.#idle.push(instance)
  }

  ran(executeMs: number): void {
    const wasShort = this.#track.short
    this.#track.record(executeMs)
    if (wasShort && !this.#track.short) this.#leaveTrack()
  }

  returned(flight: Flight): void {
    // The one before it turned out long, or the instance is gone.
    this.#waiting.unshift(flight)
    this.#leaveTrack()
  }

  ended(instance: Instance, reason: ExitReason): void {
    this.#all.delete(instance)
    this.#busy.delete(instance)
    const at = this.#idle.indexOf(instance)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#context.ended(this.spec, reason)
    if (this.#waiting.length > 0) this.#grow()
    this.#checkDrained()
  }

  /** As many instances at work as there are CPUs, and events so short that more instances would only cost wake-ups. */
  get #saturated(): boolean {
    if (!this.#canWait || !this.#track.short) return false
    // Events that cost less than being brought here keep the gateway as busy as an instance: one CPU is its own.
    const cpus = this.#track.meanMs <= TINY_MS ? Math.max(1, this.#context.cpus - 1) : this.#context.cpus
    return this.#busy.size >= cpus
  }

  /** Events are short no more: what waits for others gets instances of its own. */
  #leaveTrack(): void {
    this.#track.close()
    while (this.#waiting.length > 0) {
      const instance = this.#pick()
      if (instance === undefined) break
      this.#dispatch(instance, this.#waiting.shift()!)
    }
    this.#grow()
  }

  /** Where the next event goes, or undefined when it must wait. */
  #pick(): Instance | undefined {
    if (this.spec.concurrency > 1) return this.#pickConcurrent()
    if (this.#saturated) {
      if (!this.#presends || !this.#track.open) return undefined
      // A place behind a running event is reached sooner than another process wakes.
      let best: Instance | undefined
      const packed = PACKED_MS / this.#track.meanMs
      for (const instance of this.#busy) {
        if (!instance.open || instance.load >= PRESENT_DEPTH) continue
        // One that does not fall asleep between events needs no waking.
        if (instance.load < packed) return instance
        if (best === undefined || instance.load < best.load) best = instance
      }
      return best
    }
    for (let instance = this.#idle.pop(); instance !== undefined; instance = this.#idle.pop()) {
      // One that ended a moment ago may still be listed.
      if (instance.open) return instance
    }
    return undefined
  }

  #pickConcurrent(): Instance | undefined {
    for (const instance of this.#busy) if (instance.open && instance.load < this.spec.concurrency) return instance
    for (let instance = this.#idle.pop(); instance !== undefined; instance = this.#idle.pop()) {
      if (instance.open) return instance
    }
    return undefined
  }

  #dispatch(instance: Instance, flight: Flight): void {
    this.#busy.add(instance)
    instance.dispatch(flight)
  }

  #enqueue(flight: Flight): void {
    if (!this.#waiting.push(flight)) {
      this.#refuse(flight, 'throttled', 'too many invocations wait for an instance')
      return
    }
    this.#grow()
  }

  /** Asks for as many starts as there are waiting events that none is coming for; never more. */
  #grow(): void {
    const { concurrency } = this.spec
    while (this.#starting * concurrency < this.#waiting.length && !this.#saturated) {
      if (!this.#context.reserve()) return
      this.#starting++
      this.#context.gate.request(() => {
        if (this.#waiting.length === 0) {
          this.#starting--
          this.#context.unreserve()
          return undefined
        }
        return this.#start()
      })
    }
  }

  async #start(): Promise<void> {
    let candidate: Candidate
    try {
      candidate = await this.#context.open(this)
    } catch (error) {
      this.#starting--
      this.#context.unreserve()
      this.#context.log('error', 'no sandbox for a function', { err: error, function: this.spec.name })
      if (++this.#failures < START_ATTEMPTS) this.#grow()
      // Whoever waits while nothing runs would wait in vain.
      else if (this.#all.size === 0 && this.#starting === 0) {
        this.#failures = 0
        for (const flight of this.#waiting.clear()) this.#refuse(flight, 'unavailable', (error as Error).message)
      }
      return
    }
    this.#failures = 0
    const result = await this.#initialize(candidate, this.#context.initTimeoutMs)
    if (!result.ok) {
      await this.#repeatInit(candidate, result)
      return
    }
    this.#starting--
    this.#admit(candidate, result, this.#waiting.shift())
  }

  #initialize(candidate: Candidate, limitMs: number): Promise<InitResult> {
    const at = Date.now()
    this.#all.add(candidate.instance)
    const line = initStartLine(this.spec, this.#context.runtimeVersion(this.spec), at)
    if (line !== undefined) this.#context.logs.write(this.spec, candidate.logStream, at, '', 'INFO', line)
    return candidate.initialize(limitMs).catch((error: unknown): InitResult => {
      // Attaching the code failed: the platform's fault, but this instance is lost either way.
      this.#context.log('error', 'an instance could not be initialised', { err: error, function: this.spec.name })
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
    const flight = this.#waiting.shift()
    first.instance.logInitFailure(failure, 'init', undefined)
    if (flight === undefined) {
      this.#starting--
      return
    }
    const { requestId } = flight.invocation
    const startedAt = performance.now()
    let candidate: Candidate
    try {
      if (!this.#context.reserve()) throw new Error('no room for another instance')
      candidate = await this.#context.open(this).catch((error: unknown) => {
        this.#context.unreserve()
        throw error
      })
    } catch (error) {
      this.#starting--
      this.#refuse(flight, 'unavailable', (error as Error).message)
      return
    }
    const write = (text: string) => {
      this.#context.logs.write(this.spec, candidate.logStream, Date.now(), requestId, 'INFO', text)
      flight.tail?.push(text)
    }
    const start = startLine(this.spec, requestId, Date.now())
    if (start !== undefined) write(start)
    const second = await this.#initialize(candidate, this.spec.timeoutMs)
    this.#starting--
    if (second.ok) {
      this.#admit(candidate, second, flight)
      return
    }
    candidate.instance.logInitFailure(second, 'invoke', flight)
    const executeMs = performance.now() - startedAt
    const isTimeout = second.status === 'timeout'
    const payload = isTimeout
      ? timedOut(requestId, this.spec.timeoutMs, new Date()).payload
      : second.payloadFor(requestId)
    const billedMs = Math.max(1, Math.ceil(executeMs))
    const { maxMemoryMiB } = candidate.instance
    for (const line of reportLines(
      this.spec,
      {
        requestId,
        durationMs: executeMs,
        billedMs,
        maxMemoryMiB,
        initMs: undefined,
        status: isTimeout ? 'timeout' : 'error',
        errorType: second.errorType
      },
      Date.now()
    )) {
      write(line)
    }
    flight.invocation.settle({
      status: isTimeout ? 'timeout' : 'init_error',
      payload,
      errorType: second.errorType,
      cold: true,
      phases: {
        queueMs: startedAt - flight.arrivedAt,
        sandboxMs: candidate.sandboxMs,
        initMs: second.initMs,
        executeMs
      },
      billedMs,
      maxMemoryMiB,
      streamed: undefined,
      tail: flight.tail === undefined ? undefined : lastBytes(flight.tail)
    })
  }

  /** A started instance takes the event that it was started for, if that still waits. */
  #admit(candidate: Candidate, init: InitResult & { ok: true }, flight: Flight | undefined): void {
    const { instance } = candidate
    const { initMs } = init
    const sandboxMs = candidate.sandboxMs + init.attachMs
    if (!instance.open) {
      if (flight !== undefined) this.returned(flight)
      return
    }
    if (flight === undefined) {
      this.released(instance)
      return
    }
    flight.cold = true
    flight.sandboxMs = sandboxMs
    flight.initMs = initMs
    this.#dispatch(instance, flight)
    this.#context.coldStart(this.spec, {
      queueMs: Math.max(0, flight.sentAt - flight.arrivedAt - sandboxMs - initMs),
      sandboxMs,
      initMs,
      executeMs: 0
    })
    // An instance that serves several at once has room for more of those that wait.
    while (instance.open && instance.load < this.spec.concurrency) {
      const more = this.#waiting.shift()
      if (more === undefined) break
      this.#dispatch(instance, more)
    }
  }

  #stopIdle(instance: Instance, reason: ExitReason): void {
    const at = this.#idle.indexOf(instance)
    if (at >= 0) this.#idle.splice(at, 1)
    instance.stop(reason)
  }

  #refuse(flight: Flight, status: OutcomeStatus & ('throttled' | 'unavailable'), why: string): void {
    const outcome: Outcome = {
      status,
      payload: Buffer.alloc(0),
      errorType: why,
      cold: false,
      phases: { queueMs: performance.now() - flight.arrivedAt, sandboxMs: 0, initMs: 0, executeMs: 0 },
      billedMs: 0,
      maxMemoryMiB: 0,
      streamed: undefined,
      tail: undefined
    }
    flight.invocation.settle(outcome)
  }

  #checkDrained(): void {
    if (this.#retired && this.#all.size === 0 && this.#waiting.length === 0 && this.#starting === 0) {
      this.#context.drained(this)
    }
  }
}
