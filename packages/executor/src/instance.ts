import type { SandboxExit } from '@hearth/sandbox'
import { LINE_COST_BYTES } from './budget.ts'
import { encodeInit, encodeInvoke, encodeShutdown } from './channel/frame-writer.ts'
import type { InitializationType } from './environment.ts'
import { brokeProtocol, exited, type Failure, platformFailure, timedOut } from './failures.ts'
import { type Flight, lastBytes } from './flight.ts'
import { type InstanceState, next } from './instance-state.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { LinkListener } from './link.ts'
import type { Lease } from './platform.ts'
import { initReportLine, reportLines, startLine } from './platform-lines.ts'
import {
  ERROR,
  FLAG_EXITING,
  FLAG_HAS_EXTERNAL,
  FLAG_PLATFORM,
  FLAG_REST,
  FLAG_STREAM,
  FLAG_TELLS_STARTS,
  FLAG_WANTS_SHUTDOWN,
  INIT_ERROR,
  INIT_OK,
  type InitMessage,
  LOG,
  LOG_LEVELS,
  RESULT,
  RETURNED,
  SMALL_STREAM_CHUNK_BYTES,
  STARTED,
  STREAM_DATA,
  STREAM_END,
  STREAM_FRAME_COST,
  STREAM_START
} from './protocol.ts'
import { createRawLines, type RawLine } from './raw-lines.ts'
import type { Booted } from './stock.ts'
import { Stream } from './stream.ts'
import type { FunctionSpec, LogSink, Outcome, OutcomeStatus, Phases } from './types.ts'

export type ExitReason = 'idle' | 'retired' | 'crash' | 'oom' | 'timeout' | 'init' | 'protocol' | 'evicted' | 'shutdown'

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

export type InitResult =
  | { readonly ok: true; readonly initMs: number; readonly attachMs: number }
  | {
      readonly ok: false
      readonly initMs: number
      readonly status: 'error' | 'timeout'
      readonly errorType: string
      /** What the caller of the first invocation reads. */
      readonly payloadFor: (requestId: string) => Buffer
    }

/** Memory use is asked for at most this often per instance. */
const MEMORY_SAMPLE_MS = 1_000
const CPU_SAMPLE_MS = 1_000
/** Idle instances that may have died together, and be tried one after the other, before an event counts as failed. */
const MAX_UNDELIVERED = 16
/** How long an instance may take to end after its channel has closed. */
const EXIT_GRACE_MS = 250
/** What extensions get to end in order, as on Lambda: those inside the runtime, and programs beside it. */
const INTERNAL_SHUTDOWN_MS = 500
export const SHUTDOWN_MS = 2_000
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

/** After so long without an event nothing of those before is on its way any more, in ms. */
const REST_MS = 100

/** One execution environment: a sandbox that has become a function's own. */
export class Instance implements LinkListener {
  readonly id: string
  readonly spec: FunctionSpec
  readonly initializationType: InitializationType
  readonly #booted: Booted
  readonly #owner: InstanceOwner
  readonly #logs: LogSink
  readonly #journal: Journal
  readonly #logStream: string
  readonly #freezeAfterMs: number
  readonly #lease: Lease | undefined
  #state: InstanceState = 'booting'
  #flights: Flight[] = []
  #seq = 0
  #timer: NodeJS.Timeout | undefined
  #killer: NodeJS.Timeout | undefined
  #reason: ExitReason = 'crash'
  /** The channel was reset: bytes of ours were left unread. */
  #unread = false
  #frozen = false
  #draining = false
  /** What extensions get before the end; 0: there are none, and it is killed. */
  #shutdownMs = 0
  #tellsStarts = false
  /** Whose lines raw output belongs to. */
  #speaker: Flight | undefined
  /** The next turn is of an event that was sent after a rest: output of those before it has arrived by then. */
  #hasRested = false
  /** Raw output that was read in the same turn as the word whose it is, or before that. */
  #unclaimed: (RawLine & { readonly text: string })[] = []
  #peakBytes: number
  /** CPU time that its owner knows of, in ms, and when that was asked for. */
  #cpuMs: number
  #cpuAskedAt = 0
  #sampledAt = 0
  #onInit: ((result: InitResult) => void) | undefined
  #initStartedAt = 0
  #attachMs = 0
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
    this.#logs = logs
    this.#journal = journal
    this.#logStream = logStream
    this.#freezeAfterMs = freezeAfterMs
    this.#lease = lease
    this.#peakBytes = booted.peakBytes ?? 0
    this.#cpuMs = booted.cpuMs ?? 0
    const rawLine = createRawLines(spec, Date.now)
    booted.onLine = (line) => {
      const raw = rawLine(line)
      if (raw !== undefined) this.#print(raw, line)
    }
    booted.link.listen(this)
    // The launcher's word may come before the last bytes of the channel: those decide what was answered.
    void booted.sandbox.exited.then((exit) => booted.link.drain(() => this.#onExit(exit)))
  }

  get state(): InstanceState {
    return this.#state
  }

  /** Events in flight. */
  get load(): number {
    return this.#flights.length
  }

  /** When the event that it is at began, in `performance.now()` ms; infinite when it is at none. */
  get headStartedAt(): number {
    return this.#flights[0]?.startedAt ?? Number.POSITIVE_INFINITY
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
    if (this.#state !== 'initializing')
      return initFailure(0, 'error', 'Runtime.ExitError', 'Runtime exited before init')
    return new Promise<InitResult>((resolve) => {
      this.#initStartedAt = performance.now()
      this.#attachMs = this.#initStartedAt - startedAt
      const timer = setTimeout(() => {
        const initMs = performance.now() - this.#initStartedAt
        this.#settleInit(
          initFailure(
            initMs,
            'timeout',
            'Sandbox.Timedout',
            `Init timed out after ${(limitMs / 1000).toFixed(2)} seconds`
          )
        )
        this.stop('init')
      }, limitMs)
      this.#onInit = (result) => {
        clearTimeout(timer)
        resolve(result)
      }
      this.#booted.link.send(encodeInit(message))
    })
  }

  /** It cannot be initialised, by its function's own fault: nothing of the function has run. */
  refuse(errorType: string, message: string): InitResult & { ok: false } {
    this.#write(undefined, Date.now(), 'ERROR', `${errorType}: ${message}`)
    this.stop('init')
    const payloadFor = (requestId: string) => platformFailure(requestId, errorType, message)
    return { ok: false, initMs: 0, status: 'error', errorType, payloadFor }
  }

  /** Limits the CPU from now on; init ran without a limit, as on AWS. */
  limitCpu(cpus: number): void {
    this.#booted.sandbox.limitCpu(cpus)
  }

  /** Hands an event over. Only when {@link open}. */
  dispatch(flight: Flight): void {
    if (this.#frozen) this.#setFrozen(false)
    const now = performance.now()
    const behind = this.#flights.length > 0
    flight.seq = this.#seq = (this.#seq + 1) >>> 0 || 1
    flight.sentAt = now
    flight.startedAt = now
    flight.presented = behind
    if (!behind && now - this.idleSince >= REST_MS) this.#hasRested = true
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
    if (!this.#tellsStarts) this.#begin(flight)
  }

  /** It is the turn of this event: its START line comes, and what is printed from then on is of it. */
  #begin(flight: Flight): void {
    if (flight.begun) return
    flight.begun = true
    this.#journal.push(new StartEntry(this, flight))
  }

  /** Asks what CPU time it has used, if it may have used some. Called now and then. */
  sampleCpu(now: number): void {
    if (now - this.#cpuAskedAt < CPU_SAMPLE_MS) return
    if (this.#state === 'idle' ? this.#cpuAskedAt > this.idleSince + REST_MS : this.#state !== 'busy') return
    this.#cpuAskedAt = now
    void this.#booted.sandbox.cpuMs().then((ms) => this.#noteCpu(ms))
  }

  #noteCpu(ms: number | undefined): void {
    // What was asked before the end may be told after it.
    if (ms === undefined || ms <= this.#cpuMs) return
    this.#owner.usedCpu(ms - this.#cpuMs)
    this.#cpuMs = ms
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
    if (this.#shutdownMs > 0 && FAREWELLS[reason] !== undefined) this.#sayFarewell(FAREWELLS[reason])
    else this.#booted.sandbox.kill()
  }

  /** It ends by itself, or is killed when its time is over. */
  #sayFarewell(reason: 'spindown' | 'timeout'): void {
    if (this.#frozen) this.#setFrozen(false)
    this.#booted.link.send(encodeShutdown(reason, this.#shutdownMs))
    this.#killer = setTimeout(() => this.#booted.sandbox.kill(), this.#shutdownMs)
  }

  onFrame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void {
    switch (type) {
      case RESULT:
      case ERROR: {
        const flight = this.#take(seq)
        if (flight === undefined) {
          this.onProtocolError(`answer to event ${seq}, which is not in flight`)
          return
        }
        if (flight.stream !== undefined) {
          const detail = `second answer to event ${seq}`
          this.#fail(flight, brokeProtocol(flight.invocation.requestId, detail))
          this.onProtocolError(detail)
          return
        }
        const ranMs = meta.readUInt32LE(0) / 1000
        if ((flags & FLAG_EXITING) !== 0) this.#draining = true
        if (type === RESULT) this.#answer(flight, 'ok', payload, '', ranMs)
        else this.#answer(flight, 'error', payload, meta.toString('latin1', 4) || 'Unhandled', ranMs)
        return
      }
      case STREAM_START:
      case STREAM_DATA:
      case STREAM_END:
        this.#onStreamFrame(type, flags, seq, meta, payload)
        return
      case LOG: {
        const flight = seq === 0 ? undefined : this.#flights.find((candidate) => candidate.seq === seq)
        const at = meta.readDoubleLE(0)
        const level = LOG_LEVELS[meta.readUInt8(8)] ?? 'INFO'
        this.#write(flight, Number.isFinite(at) ? at : Date.now(), level, payload.toString())
        this.#booted.link.chargeLog(payload.length + LINE_COST_BYTES)
        return
      }
      case STARTED: {
        const flight = this.#flights.find((candidate) => candidate.seq === seq)
        if (flight === undefined) break
        this.#begin(flight)
        return
      }
      case RETURNED: {
        // Only what was sent behind another event can be: anything else could go round for ever.
        if (this.#flights.find((candidate) => candidate.seq === seq)?.presented !== true) {
          this.onProtocolError(`event ${seq} given back, which was not sent ahead`)
          return
        }
        const flight = this.#take(seq)!
        this.#released()
        this.#owner.returned(flight)
        return
      }
      case INIT_OK:
        if (this.#onInit === undefined) break
        this.#to('initialized')
        this.#shutdownMs = shutdownMs(flags)
        this.#tellsStarts = (flags & FLAG_TELLS_STARTS) !== 0
        this.idleSince = performance.now()
        this.#settleInit({ ok: true, initMs: this.idleSince - this.#initStartedAt, attachMs: this.#attachMs })
        this.#sampleMemory(this.idleSince)
        return
      case INIT_ERROR: {
        if (this.#onInit === undefined) break
        const initMs = performance.now() - this.#initStartedAt
        const errorType = meta.toString('latin1') || 'Runtime.Unknown'
        const text = payload.toString()
        const payloadFor =
          (flags & FLAG_PLATFORM) === 0
            ? constant(Buffer.from(payload))
            : (requestId: string) => platformFailure(requestId, errorType, text)
        this.#settleInit({ ok: false, initMs, status: 'error', errorType, payloadFor })
        this.stop('init')
        return
      }
      default:
    }
    this.onProtocolError(`unexpected frame of type ${type}`)
  }

  #onStreamFrame(type: number, flags: number, seq: number, meta: Buffer, payload: Buffer): void {
    const flight = this.#flights.find((candidate) => candidate.seq === seq)
    const sink = flight?.invocation.stream
    if (flight === undefined || sink === undefined || (flight.stream === undefined) !== (type === STREAM_START)) {
      this.onProtocolError(`frame of type ${type} for event ${seq}, which does not expect it`)
      return
    }
    if (type === STREAM_START) {
      const firstByteMs = performance.now() - flight.startedAt
      const stream = new Stream(seq, firstByteMs, sink, (frame) => this.#booted.link.sendBatched(frame))
      flight.stream = stream
      if (!flight.settled) sink.start(payload.toString('latin1'), phasesOf(flight, firstByteMs), stream)
    } else if (type === STREAM_DATA) {
      // Its time ran out: it gets no more room, and is ended when those beside it are done.
      if (flight.settled) return
      const problem = flight.stream!.data(payload, flags)
      if (problem !== undefined) {
        this.onProtocolError(problem)
        return
      }
      if (payload.length < SMALL_STREAM_CHUNK_BYTES && (flags & FLAG_REST) === 0)
        this.#booted.link.charge(STREAM_FRAME_COST)
    } else {
      this.#take(seq)
      if ((flags & FLAG_EXITING) !== 0) this.#draining = true
      const errorType = meta.toString('latin1', 4)
      const status = errorType === '' && payload.length === 0 ? 'ok' : 'error'
      const ranMs = meta.readUInt32LE(0) / 1000
      this.#answer(flight, status, payload, status === 'ok' ? '' : errorType || 'Unhandled', ranMs)
    }
  }

  onProtocolError(detail: string): void {
    this.stop('protocol')
    const init = this.#onInit
    if (init !== undefined) {
      this.#settleInit(initFailure(performance.now() - this.#initStartedAt, 'error', 'Runtime.ExitError', detail))
    }
    for (const flight of this.#flights) this.#fail(flight, brokeProtocol(flight.invocation.requestId, detail))
  }

  onClose(unread: boolean): void {
    this.#unread = unread
    if (this.#state === 'dead' || this.#state === 'stopping') return
    // A process that ends closes its channel first: its own exit status shall be seen. One that closed it on purpose
    // is of no use any more.
    this.#killer = setTimeout(() => this.#booted.sandbox.kill(), EXIT_GRACE_MS)
  }

  /** After the turn's reads: raw output from here on belongs to this flight. @internal */
  speak(flight: Flight | undefined): void {
    this.#speaker = flight
    this.#hasRested = false
  }

  /** After the turn's reads: raw output that waited belongs to whoever speaks. @internal */
  claim(): void {
    const lines = this.#unclaimed
    if (lines.length === 0) return
    this.#unclaimed = []
    for (const { at, level, text } of lines) this.#write(this.#speaker, at, level, text)
  }

  /** One line of raw output, which comes by another way than the word whose turn it is. */
  #print(raw: RawLine, text: string): void {
    const isKnown = !this.#tellsStarts || (this.#speaker !== undefined && !this.#hasRested)
    if (isKnown) {
      this.#write(this.#speaker, raw.at, raw.level, text)
      return
    }
    // The journal's entries of this turn claim it; where there is none, it is claimed a turn later.
    if (this.#unclaimed.push({ ...raw, text }) === 1) setImmediate(() => setImmediate(() => this.claim()))
  }

  /** @internal */
  log(flight: Flight, text: string): void {
    this.#write(flight, Date.now(), 'INFO', text)
  }

  /** Writes the lines of an init that failed. */
  logInitFailure(result: InitResult & { ok: false }, phase: 'init' | 'invoke', flight: Flight | undefined): void {
    const now = Date.now()
    this.#write(
      flight,
      now,
      'INFO',
      initReportLine(this.spec, result.initMs, phase, result, now, this.initializationType)
    )
  }

  /** Highest use as last seen. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** @internal */
  get maxMemoryMiB(): number {
    return Math.min(this.spec.memoryMiB, Math.ceil(this.#peakBytes / MIB))
  }

  #take(seq: number): Flight | undefined {
    const first = this.#flights[0]
    if (first?.seq === seq) {
      if (this.#flights.length === 1) this.#flights = []
      else this.#flights.shift()
      return first
    }
    const at = this.#flights.findIndex((flight) => flight.seq === seq)
    return at < 0 ? undefined : this.#flights.splice(at, 1)[0]
  }

  /** The instance has answered: first it is given to the next event, then the answer goes out. */
  #answer(flight: Flight, status: OutcomeStatus, payload: Buffer, errorType: string, ranMs: number): void {
    const now = performance.now()
    // An event that was sent behind another began when the runtime says so, within what was seen from here.
    const executeMs = flight.presented ? Math.min(now - flight.sentAt, ranMs) : now - flight.startedAt
    this.#owner.ran(ranMs)
    this.#sampleMemory(now)
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
    if (this.#draining && this.#flights.every((flight) => flight.settled)) {
      this.stop(this.#reason)
      return
    }
    const first = this.#flights[0]
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
    this.#begin(flight)
    const { stream } = flight
    stream?.close()
    const initMs = flight.cold ? flight.initMs : 0
    const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
      status,
      payload,
      errorType,
      cold: flight.cold,
      phases: phasesOf(flight, executeMs),
      billedMs: Math.max(1, Math.ceil(executeMs + initMs)),
      provisioned: this.initializationType === 'provisioned-concurrency',
      spilled: flight.spilled,
      maxMemoryMiB: this.maxMemoryMiB,
      streamed: stream === undefined ? undefined : { bytes: stream.bytes, firstByteMs: stream.firstByteMs },
      tail: undefined
    }
    const entry = new EndEntry(this, flight, outcome, logLine)
    this.#journal.push(entry)
    // The caller who asked for the log waits for its last lines; nobody else does.
    if (flight.tail === undefined) flight.invocation.settle(outcome)
  }

  #write(flight: Flight | undefined, at: number, level: string, text: string): void {
    this.#logs.write(this.spec, this.#logStream, at, flight?.invocation.requestId ?? '', level, text)
    flight?.tail?.push(text)
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, Math.ceil(ms)))
  }

  /** One timer per instance, looked at again when it fires: arming one per event would cost more than the event. */
  #onTimer(): void {
    this.#timer = undefined
    if (this.#flights.length === 0 || this.#state === 'stopping' || this.#state === 'dead') return
    const now = performance.now()
    let earliest = Number.POSITIVE_INFINITY
    for (const flight of this.#flights) {
      if (flight.settled) continue
      // Pre-sent events have not begun: their clock starts with their turn.
      if (this.spec.concurrency === 1 && flight !== this.#flights[0]) continue
      const dueAt = flight.startedAt + this.spec.timeoutMs
      if (dueAt <= now) this.#timeOut(flight)
      else earliest = Math.min(earliest, dueAt)
    }
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(earliest - now)
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
    if (this.#flights.every((other) => other.settled)) this.stop('timeout')
  }

  #onExit(exit: SandboxExit): void {
    const wasStopping = this.#state === 'stopping'
    this.#to('exit')
    clearTimeout(this.#timer)
    clearTimeout(this.#killer)
    this.#noteCpu(exit.cpuMs)
    if (exit.peakBytes !== undefined) this.#peakBytes = Math.max(this.#peakBytes, exit.peakBytes)
    if (this.#onInit !== undefined) {
      const failure = exited('', exit)
      this.#settleInit({
        ok: false,
        initMs: performance.now() - this.#initStartedAt,
        status: 'error',
        errorType: failure.errorType,
        payloadFor: (requestId) => exited(requestId, exit).payload
      })
      this.#reason = failure.status === 'oom' ? 'oom' : 'init'
    } else if (!wasStopping) this.#reason = exit.oomKills > 0 ? 'oom' : this.#reason

    const flights = this.#flights
    this.#flights = []
    // What was never begun is run elsewhere: bytes left unread with one event in flight, or numbers above the
    // progress page's. One that serves one event at a time writes there only while others wait behind it.
    const isOneByOne = this.spec.concurrency === 1
    const started = isOneByOne && flights.length > 1 ? Math.max(exit.progress, flights[0]!.seq) : exit.progress
    const isAlone = flights.length === 1
    // What is left unread of one that has begun to answer is room for more of its answer.
    const notStarted = (flight: Flight) =>
      flight.stream === undefined && ((isAlone && this.#unread) || ((!isAlone || !isOneByOne) && flight.seq > started))
    // Each goes to the front of those that wait: the first one last.
    for (const flight of flights.reverse()) {
      if (flight.settled) continue
      if (notStarted(flight) && flight.undelivered < MAX_UNDELIVERED) {
        flight.undelivered++
        this.#owner.returned(flight)
      } else this.#fail(flight, exited(flight.invocation.requestId, exit))
    }
    this.#owner.ended(this, this.#reason)
  }

  #settleInit(result: InitResult): void {
    const settle = this.#onInit
    this.#onInit = undefined
    settle?.(result)
  }

  #setFrozen(frozen: boolean): void {
    this.#frozen = frozen
    this.#booted.sandbox.freeze(frozen)
  }

  #sampleMemory(now: number): void {
    if (now - this.#sampledAt < MEMORY_SAMPLE_MS) return
    this.#sampledAt = now
    void this.#booted.sandbox.peakMemory().then(
      (bytes) => {
        if (bytes !== undefined) this.#peakBytes = Math.max(this.#peakBytes, bytes)
      },
      () => {} // The sandbox ended meanwhile; its exit has the last figure.
    )
  }

  #to(event: Parameters<typeof next>[1]): void {
    this.#state = next(this.#state, event)
  }
}

function phasesOf(flight: Flight, executeMs: number): Phases {
  return {
    queueMs: Math.max(0, flight.sentAt - flight.arrivedAt - flight.sandboxMs - flight.initMs),
    sandboxMs: flight.sandboxMs,
    initMs: flight.initMs,
    executeMs
  }
}

class StartEntry implements JournalEntry {
  readonly #instance: Instance
  readonly #flight: Flight

  constructor(instance: Instance, flight: Flight) {
    this.#instance = instance
    this.#flight = flight
  }

  write(): void {
    const { spec } = this.#instance
    if (spec.concurrency === 1) this.#instance.speak(this.#flight)
    const line = startLine(spec, this.#flight.invocation.requestId, Date.now())
    if (line !== undefined) this.#instance.log(this.#flight, line)
    this.#instance.claim()
  }
}

class EndEntry implements JournalEntry {
  readonly #instance: Instance
  readonly #flight: Flight
  readonly #outcome: { -readonly [K in keyof Outcome]: Outcome[K] }
  readonly #logLine: string | undefined

  constructor(
    instance: Instance,
    flight: Flight,
    outcome: { -readonly [K in keyof Outcome]: Outcome[K] },
    logLine: string | undefined
  ) {
    this.#instance = instance
    this.#flight = flight
    this.#outcome = outcome
    this.#logLine = logLine
  }

  write(): void {
    const instance = this.#instance
    const flight = this.#flight
    const outcome = this.#outcome
    const { spec } = instance
    instance.claim()
    if (this.#logLine !== undefined && spec.logFormat === 'Text') instance.log(flight, this.#logLine)
    // In text format a handler that threw is no news to the platform: its REPORT line has no status.
    const handled = outcome.status === 'ok' || (outcome.status === 'error' && spec.logFormat === 'Text')
    const lines = reportLines(
      spec,
      {
        requestId: flight.invocation.requestId,
        durationMs: outcome.phases.executeMs,
        billedMs: outcome.billedMs,
        maxMemoryMiB: outcome.maxMemoryMiB,
        initMs: flight.cold ? flight.initMs : undefined,
        status: handled ? 'success' : outcome.status === 'timeout' ? 'timeout' : 'error',
        errorType: outcome.errorType
      },
      Date.now()
    )
    for (const line of lines) instance.log(flight, line)
    if (flight.tail !== undefined) {
      outcome.tail = lastBytes(flight.tail)
      // What comes later would be kept for nobody.
      flight.tail = undefined
      flight.invocation.settle(outcome)
    }
  }
}

/** Ends that extensions are told of, and Lambda's word for each. A crash or an empty memory leaves nobody to tell. */
const FAREWELLS: Partial<Record<ExitReason, 'spindown' | 'timeout'>> = {
  idle: 'spindown',
  retired: 'spindown',
  evicted: 'spindown',
  shutdown: 'spindown',
  timeout: 'timeout'
}

function shutdownMs(flags: number): number {
  if ((flags & FLAG_WANTS_SHUTDOWN) === 0) return 0
  return (flags & FLAG_HAS_EXTERNAL) === 0 ? INTERNAL_SHUTDOWN_MS : SHUTDOWN_MS
}

function initFailure(initMs: number, status: 'error' | 'timeout', errorType: string, errorMessage: string): InitResult {
  const payload = Buffer.from(JSON.stringify({ errorType, errorMessage }))
  return { ok: false, initMs, status, errorType, payloadFor: constant(payload) }
}

function constant(payload: Buffer): () => Buffer {
  return () => payload
}
