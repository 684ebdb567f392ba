import type { NetworkPolicy } from '@hearth/shared'
import type { RuntimeInfo } from './runtimes/registry.ts'

/** All that the executor must know to run one version of one function. A changed function is another spec. */
export interface FunctionSpec {
  readonly name: string
  readonly version: string
  /** AWS's identifier, e.g. `nodejs20.x`. */
  readonly runtime: string
  readonly handler: string
  /** ARN of the role that it acts as; undefined: it can act as none. */
  readonly role?: string | undefined
  readonly memoryMiB: number
  readonly timeoutMs: number
  readonly ephemeralMiB: number
  /** The function's own variables; the executor adds Lambda's, which win. */
  readonly environment: Readonly<Record<string, string>>
  /** Which versions of secrets its variables stand for; another text is another spec. */
  readonly secrets?: string
  /** What its variables stand for, asked for at each init. Absent: they stand for themselves. */
  readonly resolveEnvironment?: () => ResolvedEnvironment
  readonly network: NetworkPolicy
  /** 1: one event at a time. More: an instance serves that many at once. */
  readonly concurrency: number
  readonly backend: 'process' | 'threads'
  /** Absolute path of the unpacked package, read-only. */
  readonly codeDir: string
  /** Absolute path of what is shown at /opt, read-only; undefined for an empty folder. */
  readonly optDir?: string | undefined
  /** Whether /opt brings extensions: programs in /opt/extensions that run beside the runtime. */
  readonly extensions?: boolean | undefined
  readonly region: string
  readonly logGroup: string
  readonly logFormat: 'Text' | 'JSON'
  readonly logLevel: string
  /** Lowest level of platform events that are written in JSON format; undefined is INFO. */
  readonly systemLogLevel?: 'DEBUG' | 'INFO' | 'WARN' | undefined
}

/** A function's variables as an instance gets them, or why it cannot have them: then init fails with that. */
export type ResolvedEnvironment =
  | { readonly ok: true; readonly environment: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly errorType: string; readonly message: string }

/**
 * One event on its way through one function. The executor calls `settle` exactly once, whatever happens.
 * A callback and not a promise, because this is the hot path.
 */
export interface Invocation {
  /** Lower-case UUID. */
  readonly requestId: string
  /** Bytes of JSON; handed to the function as they are. */
  readonly payload: Buffer
  /** The ARN as invoked, with the qualifier if one was given. */
  readonly invokedArn: string
  /** `Root=…;Parent=…;Sampled=…`, or ''. */
  readonly traceId: string
  /** JSON text, already base64-decoded, or ''. */
  readonly clientContext: string
  /** Whether the outcome must carry the last 4 KiB of log. */
  readonly tail: boolean
  /** Set when the caller takes a streamed answer as it comes; otherwise it is collected in the instance. */
  readonly stream?: ResponseSink | undefined
  settle(outcome: Outcome): void
}

/**
 * Takes an answer piece by piece, if the function streams it. The end is told by `settle`, whose outcome then has
 * {@link Outcome.streamed}; a function that does not stream answers there alone.
 */
export interface ResponseSink {
  /**
   * The first bytes are about to come. Called at most once.
   * @param contentType - As the function named it, unchecked; '' when it did not
   * @param phases - `executeMs` is the time to the first byte
   */
  start(contentType: string, phases: Phases, source: ResponseSource): void
  /**
   * A piece, after `start`. Memory is bounded by what was not yet given back through {@link ResponseSource.consumed}.
   * @param bytes - A view, valid for good
   * @param cost - To be given back once the piece has been passed on or dropped
   */
  data(bytes: Buffer, cost: number): void
  /** No more pieces, though the function goes on. Called at most once. */
  finish(): void
}

export interface ResponseSource {
  /** The caller has taken pieces of this cost: the function may send as much more. */
  consumed(cost: number): void
}

/** What is known of a streamed answer. */
export interface Streamed {
  /** Of the function's own, without framing. */
  readonly bytes: number
  /** From the event being handed over to the first byte. */
  readonly firstByteMs: number
}

export type OutcomeStatus =
  /** The handler answered. */
  | 'ok'
  /** The handler failed, or answered what cannot be passed on. */
  | 'error'
  | 'timeout'
  /** The instance ended in mid-event (exit, signal). */
  | 'crash'
  | 'oom'
  | 'init_error'
  /** No instance was to be had: never delivered to the function. */
  | 'throttled'
  /** The platform could not run it: never delivered to the function. */
  | 'unavailable'

/** Which limit an event met: its function's reserved concurrency, the account's, or the time to wait for an instance. */
export type ThrottleReason = 'function' | 'account' | 'queue'

/** Durations in milliseconds, fractional. */
export interface Phases {
  /** Waiting for an instance. */
  readonly queueMs: number
  /** Making or taking a sandbox, attaching the code. 0 when warm. */
  readonly sandboxMs: number
  /** The function's init code. 0 when warm. */
  readonly initMs: number
  /** From the instance being handed the event to its answer. */
  readonly executeMs: number
}

export interface Outcome {
  readonly status: OutcomeStatus
  /** The function's answer, or Lambda's error object as JSON; empty for a streamed answer without error, `throttled` and `unavailable`. */
  readonly payload: Buffer
  /** E.g. `Runtime.ExitError`, `Sandbox.Timedout`; a {@link ThrottleReason} when throttled; '' when the status is `ok`. */
  readonly errorType: string
  /** Whether an instance was initialised for this event. */
  readonly cold: boolean
  readonly phases: Phases
  /** Whole; the init that was done for it is part of it. */
  readonly billedMs: number
  /** Whether it ran on provisioned concurrency. */
  readonly provisioned?: boolean | undefined
  /** Whether it found all of its version's provisioned concurrency in use. */
  readonly spilled?: boolean | undefined
  /** Highest use of the instance as last seen; 0 where nothing counts it. */
  readonly maxMemoryMiB: number
  /** Set when the answer went through {@link Invocation.stream}. */
  readonly streamed: Streamed | undefined
  /** The last 4 KiB of log, when asked for. */
  readonly tail: Buffer | undefined
}

/** Where a function's lines go. Called on the hot path: must only buffer. */
export interface LogSink {
  /**
   * @param stream - CloudWatch's name of the instance's stream: `YYYY/MM/DD/[version]id`
   * @param at - Unix time in ms
   * @param requestId - '' outside of an invocation
   * @param text - One line (or one framed event, which may span lines), without the final newline
   */
  write(spec: FunctionSpec, stream: string, at: number, requestId: string, level: string, text: string): void
}

/** Instances of one runtime, by state. */
export interface RuntimeStats {
  /** AWS's identifier; for pre-started sandboxes, which serve several, the interpreter's name (`node20`). */
  readonly runtime: string
  readonly starting: number
  readonly idle: number
  readonly busy: number
  /** Booted, and of no function yet. */
  readonly prestarted: number
}

/** Sandboxes that were booted ahead of need. */
export interface PrestartedStats {
  /** By kind, the most recently used first. `runtime` is the interpreter's name. */
  readonly kinds: readonly {
    readonly runtime: string
    readonly memoryMiB: number
    readonly tmpMiB: number
    readonly network: NetworkPolicy
    readonly ready: number
    /** How many there are to be. */
    readonly target: number
    /** Whether a function of this kind has instances, or wanted one within the last minute. */
    readonly inUse: boolean
  }[]
  /** How often one was wanted since the start, and there (`hits`) or not (`misses`). */
  readonly takes: readonly { readonly runtime: string; readonly hits: number; readonly misses: number }[]
  readonly usedBytes: number
  readonly budgetBytes: number
}

/** Instances of one version that are initialised ahead. */
export interface ProvisionedStats {
  readonly requested: number
  /** Initialised, idle or busy. */
  readonly available: number
  /** Events in flight on provisioned concurrency. */
  readonly inUse: number
  /** Events since the start that found all of it in use. */
  readonly spilled: number
  readonly status: 'IN_PROGRESS' | 'READY' | 'FAILED'
  /** Set when it failed. */
  readonly statusReason: string | undefined
}

/** Who may run, and who does: all in events in flight. */
export interface ConcurrencyStats {
  /** The account's limit. */
  readonly limit: number
  readonly inUse: number
  /** What functions without a reservation share. */
  readonly unreserved: number
  readonly reserved: readonly { readonly functionName: string; readonly reserved: number; readonly inUse: number }[]
  readonly provisioned: readonly ({ readonly functionName: string; readonly version: string } & ProvisionedStats)[]
  readonly throttles: Readonly<Record<ThrottleReason, number>>
}

export interface ExecutorStats extends Omit<RuntimeStats, 'runtime'> {
  /** Invocations that wait for an instance. */
  readonly queued: number
  /** Memory sizes of all instances together: what they may use. */
  readonly reservedBytes: number
  readonly runtimes: readonly RuntimeStats[]
  readonly stock: PrestartedStats
  readonly concurrency: ConcurrencyStats
}

/** The instances of one function version. */
export interface FunctionPool {
  readonly spec: FunctionSpec
  invoke(invocation: Invocation): void
  /** Drops an invocation that still waits for an instance; one that was delivered goes on, as on Lambda. @returns whether it was dropped (it is then not settled) */
  cancel(invocation: Invocation): boolean
  /** The version is no longer current: what runs or waits finishes, then the instances stop. */
  retire(): void
  /**
   * Keeps so many instances initialised ahead, which are used first and do not end for being idle; 0: none. As many
   * events in flight are this version's, whatever others do.
   */
  provision(count: number): void
  provisioned(): ProvisionedStats
}

export interface ExecutorEvents {
  coldStart?(spec: FunctionSpec, phases: Phases): void
  /** An instance of provisioned concurrency was initialised, or failed to be. @param initMs - Fractional */
  provisionedInit?(spec: FunctionSpec, initMs: number): void
  /** Instances of a function used so much CPU time, in ms; said about once a second, and at their end. */
  usedCpu?(functionName: string, ms: number): void
  /** The output of an instance is not read for so many ms: it wrote more than it may. */
  outputPaused?(functionName: string, ms: number): void
  instanceExit?(
    runtime: string,
    reason: 'idle' | 'retired' | 'crash' | 'oom' | 'timeout' | 'init' | 'protocol' | 'evicted' | 'shutdown'
  ): void
}

export interface Executor {
  /** @throws Error never: a spec that cannot run settles its invocations as `unavailable` */
  openPool(spec: FunctionSpec): FunctionPool
  /**
   * Keeps so many events in flight for this function, over all its versions, and bounds it to them; 0 switches it off.
   * Undefined: it shares the account's. Takes effect on the next event.
   */
  setReserved(functionName: string, reserved: number | undefined): void
  stats(): ExecutorStats
  /** Runtimes that this machine has, by AWS identifier. */
  runtimes(): readonly RuntimeInfo[]
  /** Resolves when a sandbox is ready to serve the default runtime: the server would answer an invocation. */
  ready(): Promise<void>
  /** Lets running invocations finish for up to `drainMs`, then kills. */
  close(drainMs: number): Promise<void>
}
