import type { SandboxExit } from '@hearth/sandbox'
import type { Booted } from './boot.ts'
import { encodeInit, encodeInvoke } from './channel/frame-writer.ts'
import { CpuUse } from './cpu-use.ts'
import type { InitializationType } from './environment.ts'
import { brokeProtocol, exited, type Failure, timedOut } from './failures.ts'
import { type ExitReason, Farewell, shutdownMs } from './farewell.ts'
import type { Flight } from './flight.ts'
import { Flights } from './flights.ts'
import { type InitFailure, type InitResult, initBroken, initRefused, initThrew } from './init-result.ts'
import { InitRun } from './init-run.ts'
import { InstanceLines } from './instance-lines.ts'
import { type InstanceState, next } from './instance-state.ts'
import type { Journal } from './journal.ts'
import { EndEntry, StartEntry } from './journal-entries.ts'
import { MemoryPeak } from './memory-peak.ts'
import { outcomeOf } from './outcome.ts'
import type { Lease } from './platform.ts'
import { initReportLine } from './platform-lines.ts'
import { FLAG_STREAM, FLAG_TELLS_STARTS, type InitMessage } from './protocol.ts'
import { type RuntimeListener, RuntimeMessages } from './runtime-messages.ts'
import type { FunctionSpec, LogSink, OutcomeStatus } from './types.ts'

/** What an instance tells the pool that owns it. */
export interface InstanceOwner {
  /** It has room for another event. Called before the answer goes out, so that the next event is on its way first. */
  released(instance: Instance): void
  /** How long an event ran by the instance's own clock. */
  ran(executeMs: number): void
  /** An event that it had is about to be answered, well or not. */
  settled(): void
  /** Not started there, to be run elsewhere. */
  returned(flight: Flight): void
  /** CPU time that it used since this was last said, in ms. */
  usedCpu(ms: number): void
  /** No process of it is left. */
  ended(instance: Instance, reason: ExitReason): void
}

/** After so long without an event nothing of those before is on its way any more, in ms. */
const REST_MS = 100
const MIB = 1_048_576

export interface InstanceOptions {
  readonly id: string
  readonly spec: FunctionSpec
  readonly logStream: string
  readonly booted: Booted
  readonly owner: InstanceOwner
  readonly logs: LogSink
  readonly journal: Journal
  /** After this long without an event it is frozen, so that nothing runs between events; 0: at once. */
  readonly freezeAfterMs: number
  readonly initializationType: InitializationType
  /** How long its credentials are of use; undefined: it has none. */
  readonly lease: Lease | undefined
}

/** One execution environment: a sandbox that has become a function's own. */
export class Instance implements RuntimeListener {
  readonly id: string
  readonly spec: FunctionSpec
  readonly initializationType: InitializationType
  readonly #booted: Booted
  readonly #owner: InstanceOwner
  readonly #journal: Journal
  readonly #lines: InstanceLines
  readonly #memory: MemoryPeak
  readonly #cpu: CpuUse
  readonly #flights: Flights
  readonly #farewell: Farewell
  readonly #freezeAfterMs: number
  readonly #lease: Lease | undefined
  #state: InstanceState = 'booting'
  #seq = 0
  #timer: NodeJS.Timeout | undefined
  #reason: ExitReason = 'crash'
  /** The channel was reset: bytes of ours were left unread. */
  #unread = false
  #frozen = false
  #draining = false
  /** While its init is under way. */
  #init: InitRun | undefined
  idleSince = 0

  constructor({
    id,
    spec,
    logStream,
    booted,
    owner,
    logs,
    journal,
    freezeAfterMs,
    initializationType,
    lease
  }: InstanceOptions) {
    this.id = id
    this.spec = spec
    this.initializationType = initializationType
    this.#booted = booted
    this.#owner = owner
    this.#journal = journal
    this.#lines = new InstanceLines(spec, logs, logStream)
    this.#memory = new MemoryPeak(booted.sandbox, booted.peakBytes ?? 0)
    this.#cpu = new CpuUse(booted.sandbox, booted.cpuMs ?? 0, (ms) => {
      owner.usedCpu(ms)
    })
    this.#flights = new Flights(spec.concurrency)
    this.#farewell = new Farewell(booted.sandbox, booted.link)
    this.#freezeAfterMs = freezeAfterMs
    this.#lease = lease
    booted.onLine = (line) => {
      this.#lines.print(line)
    }
    booted.link.listen(new RuntimeMessages(booted.link, this.#flights, this.#lines, this))
    // The launcher's word may come before the last bytes of the channel: those decide what was answered.
    void booted.sandbox.exited.then((exit) => booted.link.drain(() => this.#onExit(exit)))
  }

  get state(): InstanceState {
    return this.#state
  }

  /** Events in flight. */
  get load(): number {
    return this.#flights.size
  }

  /** When the event that it is at began, in `performance.now()` ms; infinite when it is at none. */
  get headStartedAt(): number {
    return this.#flights.first?.startedAt ?? Number.POSITIVE_INFINITY
  }

  /** Whether it may be given another event now. */
  get open(): boolean {
    // A channel that has closed tells of the end before the launcher does.
    return (
      (this.#state === 'idle' || this.#state === 'busy') &&
      !this.#draining &&
      !this.#booted.link.closed &&
      !this.#isExpired
    )
  }

  /** Whether it is to be replaced before its credentials are of no use any more. */
  get isAged(): boolean {
    return this.#lease?.isAged === true
  }

  /** Whether an event could outlive its credentials, or they were taken back. */
  get #isExpired(): boolean {
    return this.#lease !== undefined && !this.#lease.isUsable
  }

  /**
   * Attaches the code and runs the function's init.
   * @param limitMs - After which init has failed: 10 s on AWS, the function's timeout when init is repeated
   */
  async initialize(message: InitMessage, limitMs: number): Promise<InitResult> {
    this.#to('booted')
    const startedAt = performance.now()
    const { codeDir, optDir } = this.spec
    const mounts = [{ source: codeDir, target: '/var/task' }]
    if (optDir !== undefined) mounts.push({ source: optDir, target: '/opt' })
    await this.#booted.sandbox.assign({ mounts })
    if (this.#state !== 'initializing') return initBroken(0, 'Runtime exited before init')
    this.#init = new InitRun(performance.now() - startedAt, limitMs, () => {
      this.#init = undefined
      this.stop('init')
    })
    const { result } = this.#init
    this.#booted.link.send(encodeInit(message))
    return result
  }

  /** It cannot be initialised, by its function's own fault: nothing of the function has run. */
  refuse(errorType: string, message: string): InitFailure {
    this.#lines.write(undefined, Date.now(), 'ERROR', `${errorType}: ${message}`)
    this.stop('init')
    return initRefused(0, errorType, message)
  }

  /** Limits the CPU from now on; init ran without a limit, as on AWS. */
  limitCpu(cpus: number): void {
    this.#booted.sandbox.limitCpu(cpus)
  }

  /** Hands an event over. Only when {@link open}. */
  dispatch(flight: Flight): void {
    if (this.#frozen) this.#setFrozen(false)
    const now = performance.now()
    const behind = this.#flights.size > 0
    flight.seq = this.#seq = (this.#seq + 1) >>> 0 || 1
    flight.sentAt = now
    flight.startedAt = now
    flight.presented = behind
    if (!behind && now - this.idleSince >= REST_MS) this.#lines.rested()
    if (this.#flights.push(flight) === 1) this.#to('acquire')
    const { invocation } = flight
    const frame = encodeInvoke(
      flight.seq,
      Date.now() + this.spec.timeoutMs,
      invocation.requestId,
      invocation.traceId,
      invocation.invokedArn,
      invocation.clientContext,
      invocation.payload,
      invocation.stream === undefined ? 0 : FLAG_STREAM
    )
    if (behind || this.spec.concurrency > 1) this.#booted.link.sendBatched(frame)
    else this.#booted.link.send(frame)
    if (this.#timer === undefined) this.#arm(this.spec.timeoutMs)
    flight.begun = false
    if (!this.#lines.tellsStarts) this.begin(flight)
  }

  /** It is the turn of this event: its START line comes, and what is printed from then on is of it. */
  begin(flight: Flight): void {
    if (flight.begun) return
    flight.begun = true
    this.#journal.push(new StartEntry(this.#lines, flight))
  }

  /** Asks what CPU time it has used, if it may have used some. Called now and then. */
  sampleCpu(now: number): void {
    const isAtRest = this.#state === 'idle' && this.#cpu.askedAt > this.idleSince + REST_MS
    if (!isAtRest && (this.#state === 'idle' || this.#state === 'busy')) this.#cpu.sample(now)
  }

  /** Freezes it if it has been idle for long enough. Called now and then. */
  tick(now: number): void {
    if (this.#state === 'idle' && !this.#frozen && now - this.idleSince >= this.#freezeAfterMs) this.#setFrozen(true)
  }

  /** Ends it if it idles with credentials that are of no use any more. */
  expire(): void {
    if (this.#state === 'idle' && this.#isExpired) this.stop('retired')
  }

  /** Ends it at once. What was in flight is answered when its end is known. */
  stop(reason: ExitReason): void {
    if (this.#state === 'dead' || this.#state === 'stopping') return
    this.#reason = reason
    this.#to('stop')
    if (this.#frozen && this.#farewell.isSaid(reason)) this.#setFrozen(false)
    this.#farewell.begin(reason)
  }

  get isInitializing(): boolean {
    return this.#init !== undefined
  }

  onInitialized(flags: number): void {
    const init = this.#init!
    this.#to('initialized')
    this.#farewell.shutdownMs = shutdownMs(flags)
    if ((flags & FLAG_TELLS_STARTS) !== 0) this.#lines.expectStarts()
    this.idleSince = performance.now()
    this.#settleInit({ ok: true, initMs: init.elapsedMs, attachMs: init.attachMs })
    this.#memory.sample(this.idleSince)
  }

  onInitError(errorType: string, payload: Buffer, isRefused: boolean): void {
    const { elapsedMs } = this.#init!
    this.#settleInit(
      isRefused
        ? initRefused(elapsedMs, errorType, payload.toString())
        : initThrew(elapsedMs, errorType, Buffer.from(payload))
    )
    this.stop('init')
  }

  onReturned(flight: Flight): void {
    this.#released()
    this.#owner.returned(flight)
  }

  onProtocolError(detail: string, taken?: Flight): void {
    if (taken !== undefined) this.#fail(taken, brokeProtocol(taken.invocation.requestId, detail))
    this.stop('protocol')
    if (this.#init !== undefined) this.#settleInit(initBroken(this.#init.elapsedMs, detail))
    for (const flight of this.#flights) this.#fail(flight, brokeProtocol(flight.invocation.requestId, detail))
  }

  onClose(unread: boolean): void {
    this.#unread = unread
    if (this.#state === 'dead' || this.#state === 'stopping') return
    this.#farewell.channelClosed()
  }

  /** Writes the lines of an init that failed. */
  logInitFailure(result: InitFailure, phase: 'init' | 'invoke', flight: Flight | undefined): void {
    const now = Date.now()
    const line = initReportLine(this.spec, result.initMs, phase, result, now, this.initializationType)
    this.#lines.write(flight, now, 'INFO', line)
  }

  /** Highest use as last seen. */
  get peakBytes(): number {
    return this.#memory.bytes
  }

  get maxMemoryMiB(): number {
    return Math.min(this.spec.memoryMiB, Math.ceil(this.#memory.bytes / MIB))
  }

  /** The instance has answered: first it is given to the next event, then the answer goes out. */
  onAnswer(
    flight: Flight,
    status: 'ok' | 'error',
    payload: Buffer,
    errorType: string,
    ranMs: number,
    exits: boolean
  ): void {
    if (exits) this.#draining = true
    const now = performance.now()
    // An event that was sent behind another began when the runtime says so, within what was seen from here.
    const executeMs = flight.presented ? Math.min(now - flight.sentAt, ranMs) : now - flight.startedAt
    this.#owner.ran(ranMs)
    this.#memory.sample(now)
    this.#released()
    if (flight.settled) return
    this.#settle(flight, status, payload, errorType, executeMs, undefined)
  }

  #released(): void {
    if (!this.#draining && this.#isExpired) {
      this.#draining = true
      this.#reason = 'retired'
    }
    // What is left was answered for it (its time ran out): nobody waits for this instance any more.
    if (this.#draining && this.#flights.areSettled) {
      this.stop(this.#reason)
      return
    }
    const { first } = this.#flights
    if (first !== undefined) {
      if (this.spec.concurrency === 1) first.startedAt = performance.now()
      if (this.open) this.#owner.released(this)
      return
    }
    this.idleSince = performance.now()
    this.#to('release')
    if (this.open) this.#owner.released(this)
    // Where the next event does not follow at once.
    if (this.#freezeAfterMs === 0) this.tick(this.idleSince)
  }

  #fail(flight: Flight, failure: Failure): void {
    if (flight.settled) return
    const executeMs = Math.max(0, performance.now() - flight.startedAt)
    const capped = failure.status === 'timeout' ? Math.max(executeMs, this.spec.timeoutMs) : executeMs
    this.#settle(flight, failure.status, failure.payload, failure.errorType, capped, failure.logLine)
  }

  #settle(
    flight: Flight,
    status: OutcomeStatus,
    payload: Buffer,
    errorType: string,
    executeMs: number,
    logLine: string | undefined
  ): void {
    flight.settled = true
    this.#owner.settled()
    this.begin(flight)
    flight.stream?.close()
    const isProvisioned = this.initializationType === 'provisioned-concurrency'
    const outcome = outcomeOf(flight, status, payload, errorType, executeMs, isProvisioned, this.maxMemoryMiB)
    this.#journal.push(new EndEntry(this.#lines, flight, outcome, logLine))
    // The caller who asked for the log waits for its last lines; nobody else does.
    if (flight.tail === undefined) flight.invocation.settle(outcome)
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, Math.ceil(ms)))
  }

  /** One timer per instance, looked at again when it fires: arming one per event would cost more than the event. */
  #onTimer(): void {
    this.#timer = undefined
    if (this.#flights.size === 0 || this.#state === 'stopping' || this.#state === 'dead') return
    const now = performance.now()
    const dueAt = this.#flights.expire(now, this.spec.timeoutMs, (flight) => this.#timeOut(flight))
    if (dueAt !== Number.POSITIVE_INFINITY) this.#arm(dueAt - now)
  }

  #timeOut(flight: Flight): void {
    this.#fail(flight, timedOut(flight.invocation.requestId, this.spec.timeoutMs, new Date()))
    if (this.spec.concurrency === 1) {
      this.stop('timeout')
      return
    }
    // Events beside it are not at fault: they finish, then the instance goes.
    this.#draining = true
    this.#reason = 'timeout'
    if (this.#flights.areSettled) this.stop('timeout')
  }

  #onExit(exit: SandboxExit): void {
    const wasStopping = this.#state === 'stopping'
    this.#to('exit')
    clearTimeout(this.#timer)
    this.#farewell.over()
    this.#memory.note(exit.peakBytes)
    this.#cpu.note(exit.cpuMs)
    if (this.#init !== undefined) {
      const failure = exited('', exit)
      this.#settleInit({
        ok: false,
        initMs: this.#init.elapsedMs,
        status: 'error',
        errorType: failure.errorType,
        payloadFor: (requestId) => exited(requestId, exit).payload
      })
      this.#reason = failure.status === 'oom' ? 'oom' : 'init'
    } else if (!wasStopping) this.#reason = exit.oomKills > 0 ? 'oom' : this.#reason
    this.#flights.end(
      exit,
      this.#unread,
      (flight) => this.#owner.returned(flight),
      (flight) => this.#fail(flight, exited(flight.invocation.requestId, exit))
    )
    this.#owner.ended(this, this.#reason)
  }

  #settleInit(result: InitResult): void {
    const init = this.#init
    this.#init = undefined
    init?.settle(result)
  }

  #setFrozen(frozen: boolean): void {
    this.#frozen = frozen
    this.#booted.sandbox.freeze(frozen)
  }

  #to(event: Parameters<typeof next>[1]): void {
    this.#state = next(this.#state, event)
  }
}
