import type { Admission, Applicant, Share } from './admission.ts'
import type { Candidate } from './candidate.ts'
import type { ScalingRate } from './capacity.ts'
import type { InitializationType } from './environment.ts'
import type { ExitReason } from './farewell.ts'
import { createFastTrack } from './fast-track.ts'
import { createFlight, type Flight } from './flight.ts'
import type { InitResult } from './init-result.ts'
import type { Instance, InstanceOwner } from './instance.ts'
import { refusedOutcome } from './outcome.ts'
import { Provisioned } from './provisioned.ts'
import { Starts, type StartsContext, type StartsOwner } from './starts.ts'
import type { FunctionPool, FunctionSpec, Invocation, Phases, ProvisionedStats, ThrottleReason } from './types.ts'
import { createWaitQueue, type WaitQueue } from './wait-queue.ts'

/** What a pool needs of the executor around it. */
export interface PoolContext extends StartsContext {
  readonly cpus: number
  readonly queueLength: number
  readonly queueWaitMs: number
  readonly admission: Admission
  open(pool: Pool, initializationType: InitializationType): Promise<Candidate>
  /** Whether its runtime takes events ahead of time. */
  presends(spec: FunctionSpec): boolean
  coldStart(spec: FunctionSpec, phases: Phases): void
  usedCpu(spec: FunctionSpec, ms: number): void
  ended(spec: FunctionSpec, reason: ExitReason): void
  drained(pool: Pool): void
}

/** An event that runs for this long while the function's events are short is not one of them. */
const STUCK_MS = 50
/** Events that an instance may have in its buffer, the running one included, when events are pre-sent. */
const PRESENT_DEPTH = 16
/** Events are put behind one another up to this much work before they are spread over instances. */
const PACKED_MS = 0.2
/** What an instance is taken to use before one of the function has been seen. */
const USUAL_BYTES = 32 * 1_048_576
/** An event up to this long is over before the next one is read from its caller. */
const TINY_MS = 0.05

/** The instances of one function version, and the events that wait for one. */
export class Pool implements FunctionPool, InstanceOwner, StartsOwner, Applicant {
  readonly spec: FunctionSpec
  readonly rate: ScalingRate
  readonly #context: PoolContext
  readonly #share: Share
  readonly #waiting: WaitQueue<Flight>
  readonly #starts: Starts
  readonly #track = createFastTrack()
  /** Idle ones, the most recently used last: it is the warmest, and the others get to be idle for long. */
  readonly #idle: Instance[] = []
  /** Those with at least one event. */
  readonly #busy = new Set<Instance>()
  readonly #all = new Set<Instance>()
  /** Events in flight, and how many of them need no place at a limit: those of provisioned concurrency. */
  #inUse = 0
  #guaranteed = 0
  /** Events that wait for a place at a limit. */
  #inLine = 0
  #provisioned: Provisioned | undefined
  #peakBytes = 0
  #retired = false
  #isDrained = false
  /** Events may wait for a running one instead of having an instance started. */
  readonly #canWait: boolean
  /** They may wait in the instance itself. */
  readonly #presends: boolean

  constructor(spec: FunctionSpec, context: PoolContext) {
    this.spec = spec
    this.#context = context
    this.#share = context.admission.open(spec.name)
    this.rate = this.#share.rate
    this.#canWait = spec.concurrency === 1 && spec.backend === 'process'
    this.#presends = this.#canWait && context.presends(spec)
    this.#waiting = createWaitQueue(context.queueLength, context.queueWaitMs, (flight) => this.#throttle(flight))
    this.#starts = new Starts(context, this, this.#waiting)
  }

  get counts(): { readonly starting: number; readonly idle: number; readonly busy: number; readonly queued: number } {
    return {
      starting: this.#starts.count,
      idle: this.#idle.length + (this.#provisioned?.idle.length ?? 0),
      busy: this.#busy.size,
      queued: this.#waiting.length + this.#inLine
    }
  }

  /** Events in flight. */
  get inUse(): number {
    return this.#inUse
  }

  invoke(invocation: Invocation): void {
    const flight = createFlight(invocation, performance.now())
    if (this.#inUse >= this.#guaranteed) {
      if (!this.#share.take()) {
        this.#inLine++
        this.#share.apply(flight, this)
        return
      }
      if (this.#guaranteed > 0) {
        this.#provisioned!.spilled++
        flight.spilled = true
      }
    }
    this.#inUse++
    this.#place(flight)
  }

  admitted(flight: Flight): void {
    this.#inLine--
    this.#inUse++
    this.#place(flight)
  }

  turnedAway(flight: Flight, reason: ThrottleReason): void {
    this.#inLine--
    this.#context.admission.throttles[reason]++
    flight.invocation.settle(refusedOutcome(flight, 'throttled', reason))
    this.#checkDrained()
  }

  settled(): void {
    // The last ones in are those beyond what is provisioned.
    if (this.#inUse-- > this.#guaranteed) this.#share.give()
    else if (this.#inLine > 0) this.#callIn()
  }

  /** What is provisioned needs no place at a limit. */
  #callIn(): void {
    while (this.#inUse < this.#guaranteed) {
      const flight = this.#share.leaveLine(this)
      if (flight === undefined) return
      this.admitted(flight)
    }
  }

  cancel(invocation: Invocation): boolean {
    if (this.#waiting.remove(invocation) !== undefined) {
      this.settled()
      this.#checkDrained()
      return true
    }
    if (this.#inLine === 0 || !this.#share.cancel(invocation)) return false
    this.#inLine--
    this.#checkDrained()
    return true
  }

  retire(): void {
    this.#retired = true
    this.provision(0)
    // Nobody waits for those that are being initialised ahead.
    for (const instance of this.#all) if (isAhead(instance) && instance.load === 0) instance.stop('retired')
    for (const instance of [...this.#idle]) this.#stopIdle(instance, 'retired')
    this.#checkDrained()
  }

  provision(count: number): void {
    const wanted = this.#retired ? 0 : count
    if (wanted === 0 && this.#provisioned === undefined) return
    const before = Math.min(this.#inUse, this.#guaranteed)
    const places = wanted - this.#guaranteed
    this.#guaranteed = wanted
    this.#share.guarantee(places, Math.min(this.#inUse, wanted) - before)
    this.#provisioned ??= new Provisioned({
      start: (isWanted, done) => {
        this.#starts.ahead(isWanted, (start) => {
          done(start)
          this.#checkDrained()
        })
      },
      onReady: (instance) => this.released(instance),
      onReplaced: (instance) => instance.stop('retired')
    })
    for (const instance of this.#provisioned.setTarget(wanted)) instance.stop('retired')
    if (this.#inLine > 0) this.#callIn()
  }

  provisioned(): ProvisionedStats {
    const inUse = Math.min(this.#inUse, this.#guaranteed)
    return (
      this.#provisioned?.stats(inUse) ?? {
        requested: 0,
        available: 0,
        inUse: 0,
        spilled: 0,
        status: 'READY',
        statusReason: undefined
      }
    )
  }

  get oldestIdleSince(): number {
    return this.#idle[0]?.idleSince ?? Number.POSITIVE_INFINITY
  }

  /** Memory that its instances may use, in bytes. */
  get reservedBytes(): number {
    return this.#all.size * this.spec.memoryMiB * 1_048_576
  }

  get usualBytes(): number {
    return this.#peakBytes === 0 ? USUAL_BYTES : this.#peakBytes
  }

  evictOldest(): number {
    const instance = this.#idle[0]!
    this.#stopIdle(instance, 'evicted')
    return instance.peakBytes === 0 ? USUAL_BYTES : instance.peakBytes
  }

  resume(): boolean {
    this.#starts.relieve()
    this.#provisioned?.replenish()
    this.#starts.grow()
    return this.#waiting.length > 0
  }

  /** Ends idle instances that nothing has used since `before` (`performance.now()` ms) and freezes the others. */
  sweep(now: number, before: number): void {
    for (const instance of this.#all) instance.sampleCpu(now)
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
      else if (instance.isAged) this.#stopIdle(instance, 'retired')
      else instance.tick(now)
    }
    if (this.#provisioned === undefined) return
    for (const instance of this.#provisioned.idle) {
      if (instance.isAged) this.#provisioned.renew(instance)
      instance.tick(now)
    }
  }

  /** Ends everything; what waits is refused, what runs is answered as a crash. */
  shutdown(): void {
    for (const flight of this.#waiting.clear()) this.refuse(flight, 'the server is stopping')
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
    if (isAhead(instance)) {
      if (!this.#provisioned!.put(instance)) instance.stop('retired')
      return
    }
    this.#idle.push(instance)
    this.#context.capacity.freed()
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

  usedCpu(ms: number): void {
    this.#context.usedCpu(this.spec, ms)
  }

  ended(instance: Instance, reason: ExitReason): void {
    this.#all.delete(instance)
    this.#busy.delete(instance)
    const at = this.#idle.indexOf(instance)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#peakBytes = instance.peakBytes
    this.#provisioned?.ended(instance)
    if (this.#waiting.length > 0) this.#starts.grow()
    this.#context.ended(this.spec, reason)
    this.#checkDrained()
  }

  get hasInstances(): boolean {
    return this.#all.size > 0
  }

  get isRetired(): boolean {
    return this.#retired
  }

  open(initializationType: InitializationType): Promise<Candidate> {
    return this.#context.open(this, initializationType)
  }

  joined(instance: Instance): void {
    this.#all.add(instance)
  }

  /** As many instances at work as there are CPUs, and events so short that more instances would only cost wake-ups. */
  get isSaturated(): boolean {
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
    this.#starts.grow()
  }

  /** Where the next event goes, or undefined when it must wait. */
  #pick(): Instance | undefined {
    if (this.spec.concurrency > 1) return this.#pickConcurrent()
    if (this.isSaturated) {
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
    return this.#takeIdle()
  }

  #pickConcurrent(): Instance | undefined {
    for (const instance of this.#busy) if (instance.open && instance.load < this.spec.concurrency) return instance
    return this.#takeIdle()
  }

  #takeIdle(): Instance | undefined {
    const ahead = this.#provisioned?.take()
    if (ahead !== undefined) return ahead
    for (let instance = this.#idle.pop(); instance !== undefined; instance = this.#idle.pop()) {
      // One that ended a moment ago may still be listed.
      if (instance.open) return instance
      instance.expire()
    }
    return undefined
  }

  #place(flight: Flight): void {
    const instance = this.#pick()
    if (instance !== undefined) this.#dispatch(instance, flight)
    else this.#enqueue(flight)
  }

  #dispatch(instance: Instance, flight: Flight): void {
    this.#busy.add(instance)
    instance.dispatch(flight)
  }

  #enqueue(flight: Flight): void {
    if (!this.#waiting.push(flight)) {
      this.#throttle(flight)
      return
    }
    this.#starts.grow()
  }

  /** A started instance takes the event that it was started for, if that still waits. */
  started(candidate: Candidate, init: InitResult & { ok: true }, flight: Flight | undefined): void {
    const { instance } = candidate
    const { initMs } = init
    const sandboxMs = candidate.sandboxMs + init.attachMs
    if (!instance.open) {
      instance.expire()
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

  /** No instance became free in time, or too many events wait for one. */
  #throttle(flight: Flight): void {
    this.#context.admission.throttles.queue++
    this.settled()
    flight.invocation.settle(refusedOutcome(flight, 'throttled', 'queue'))
  }

  refuse(flight: Flight, why: string): void {
    this.settled()
    flight.invocation.settle(refusedOutcome(flight, 'unavailable', why))
  }

  #checkDrained(): void {
    if (!this.#retired || this.#all.size > 0 || this.#waiting.length > 0 || this.#starts.areUnderWay) return
    if (this.#inLine > 0 || this.#provisioned?.isStarting === true || this.#isDrained) return
    this.#isDrained = true
    this.#context.capacity.forget(this)
    this.#context.admission.close(this.#share)
    this.#context.drained(this)
  }
}

function isAhead(instance: Instance): boolean {
  return instance.initializationType === 'provisioned-concurrency'
}
