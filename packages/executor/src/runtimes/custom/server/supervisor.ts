import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import {
  FLAG_HAS_EXTERNAL,
  FLAG_PLATFORM,
  FLAG_TELLS_STARTS,
  FLAG_WANTS_SHUTDOWN,
  type InitMessage
} from '../../../protocol.ts'
import type { Frame, Gateway } from './channel.ts'
import { type Event, eventOf } from './event.ts'
import { type Extension, ExtensionsApi } from './extensions-api.ts'
import { refuse } from './http.ts'
import { peakMemoryMiB } from './memory.ts'
import { relay } from './output.ts'
import { type Ending, endAs, endingText, executionProblem, start } from './processes.ts'
import { errorJson, RuntimeApi } from './runtime-api.ts'
import { ANSWERS, HttpRuntime, logOf, type Runtime, type RuntimeListener, WrappedRuntime } from './runtimes.ts'
import { Telemetry } from './telemetry.ts'

const EXTENSIONS_DIR = '/opt/extensions'
/** Part of the time before the end that the runtime gets, and at most how long, before extensions are told. */
const RUNTIME_SHARE = 0.3
const RUNTIME_MS = 300
/** What extensions may not know, beside names that begin with an underscore. */
const NOT_FOR_EXTENSIONS =
  /^(_|AWS_EXECUTION_ENV$|AWS_LAMBDA_LOG_(GROUP|STREAM)_NAME$|LAMBDA_RUNTIME_DIR$|LAMBDA_TASK_ROOT$|AWS_XRAY_)/

/**
 * Stands between the gateway, the function's runtime and its extensions, as Lambda's own supervisor does: starts them
 * in order, gives events out when all are ready, and ends them.
 */
export class Supervisor {
  readonly #gateway: Gateway
  readonly #address: string
  readonly #runtime: Runtime
  readonly #api: RuntimeApi
  readonly #telemetry: Telemetry
  #extensions: ExtensionsApi | undefined
  #facts: InitMessage | undefined
  #queue: Event[] = []
  /** The event that the runtime is at. */
  #current: Event | undefined
  /** Its answer has begun to stream. */
  #hasStarted = false
  #phase: 'waiting' | 'extensions' | 'init' | 'serving' | 'ending' = 'waiting'
  #initFrame: Frame | undefined
  #initStartedAt = 0
  #initMs: number | undefined
  #initializationType = 'on-demand'
  readonly #processes = new Map<string, ChildProcess>()

  /**
   * @param address - Where the APIs listen, host and port
   * @param command - See {@link HttpRuntime}; with `wrapped`, the command of one of Hearth's own runtimes
   * @param onBooted - A wrapped runtime is up
   */
  constructor(gateway: Gateway, address: string, command: readonly string[], wrapped: boolean, onBooted: () => void) {
    this.#gateway = gateway
    this.#address = address
    this.#api = new RuntimeApi({
      onNext: () => {
        this.#advance()
      },
      onResult: (event, payload) => {
        this.#gateway.result(event.seq, micros(event), payload)
        this.#done(event, 'success')
      },
      onError: (event, errorType, payload) => {
        this.#gateway.error(event.seq, micros(event), errorType, payload)
        this.#done(event, 'error', errorType)
      },
      onStreamStart: (event, contentType) => {
        this.#hasStarted = true
        this.#gateway.streamStart(event.seq, contentType)
      },
      onStreamData: (event, bytes) => {
        this.#gateway.streamData(event.seq, bytes)
      },
      onStreamEnd: (event, errorType, payload) => {
        this.#gateway.streamEnd(event.seq, micros(event), errorType, payload)
        this.#done(event, errorType === '' ? 'success' : 'error', errorType === '' ? undefined : errorType)
      },
      onInitError: (errorType, payload) => {
        this.#failInit(0, errorType, payload)
      }
    })
    const listener: RuntimeListener = {
      onBooted,
      onEnd: (ending) => {
        this.#runtimeEnded(ending)
      },
      onFrame: (frame) => {
        this.#passOn(frame)
      },
      onOutput: (child) => {
        relay(child, (line) => {
          this.#telemetry.record('function', line)
        })
      }
    }
    this.#telemetry = new Telemetry((req, res) => this.#extensions?.identify(req, res))
    this.#runtime = wrapped
      ? new WrappedRuntime(command, listener)
      : new HttpRuntime(() => this.#api, command, listener)
  }

  /** Any request to the APIs. */
  handle(req: IncomingMessage, res: ServerResponse): void {
    const url = (req.url ?? '').split('?')[0] ?? ''
    if (this.#api.handle(req, res, url)) return
    if (this.#extensions?.handle(req, res, url) === true) return
    if (this.#telemetry.handle(req, res, url)) return
    req.resume()
    refuse(res, 404, 'NotFound', `There is no ${req.method ?? ''} ${url.slice(0, 200)}`)
  }

  /** Becomes an instance of a function. */
  init(frame: Frame): void {
    const facts = JSON.parse(frame.payload.toString()) as InitMessage
    this.#facts = facts
    this.#initFrame = frame
    this.#initStartedAt = performance.now()
    const names = externalExtensions()
    this.#extensions = new ExtensionsApi(facts, names, {
      onRegistered: (extension) => {
        this.#telemetry.record('platform.extension', {
          name: extension.name,
          state: 'Registered',
          events: extension.events
        })
        this.#advance()
      },
      onNext: () => {
        this.#advance()
      },
      onFailed: (extension, phase, errorType) => {
        this.#extensionFailed(
          extension.name,
          phase === 'init' ? 'Extension.InitError' : 'Extension.ExitError',
          errorType
        )
      }
    })
    this.#initializationType = facts.env['AWS_LAMBDA_INITIALIZATION_TYPE'] ?? this.#initializationType
    this.#telemetry.record('platform.initStart', {
      initializationType: this.#initializationType,
      phase: 'init',
      functionName: facts.functionName,
      functionVersion: facts.functionVersion
    })
    this.#phase = 'extensions'
    for (const name of names) this.#startExtension(name, facts.env)
    this.#advance()
  }

  /** Takes an event from the gateway. */
  invoke(frame: Frame): void {
    this.#queue.push(eventOf(frame))
    this.#advance()
  }

  /** The gateway has room for more of a streamed answer. */
  credit(frame: Frame): void {
    if (frame.seq === this.#current?.seq) this.#runtime.credit(frame)
  }

  /** Ends in order: the runtime first, then extensions, within `limitMs`. */
  shutdown(reason: string, limitMs: number): void {
    if (this.#phase === 'ending') return
    this.#phase = 'ending'
    this.#runtime.stop('SIGTERM')
    const runtimeMs = Math.min(RUNTIME_MS, limitMs * RUNTIME_SHARE)
    setTimeout(() => {
      this.#runtime.stop('SIGKILL')
      this.#telemetry.flush()
      this.#extensions?.shutdown(reason, Date.now() + limitMs - runtimeMs)
      this.#endWhenAlone()
    }, runtimeMs)
  }

  /** Whatever can happen next happens. */
  #advance(): void {
    const extensions = this.#extensions
    const facts = this.#facts
    if (extensions === undefined || facts === undefined) return
    if (this.#phase === 'extensions') {
      if (extensions.hasExternalUnregistered) return
      this.#phase = 'init'
      const env = { ...facts.env, AWS_LAMBDA_RUNTIME_API: this.#address }
      const problem = this.#runtime.init(env, extensions.all.length > 0, this.#initFrame as Frame)
      if (problem !== undefined) {
        this.#failInit(FLAG_PLATFORM, 'Runtime.InvalidEntrypoint', Buffer.from(problem))
        return
      }
    }
    if (this.#phase === 'init') {
      if (!this.#runtime.isWaiting) return
      extensions.closeRegistration()
      if (this.#initMs === undefined) {
        this.#initMs = performance.now() - this.#initStartedAt
        const init = { initializationType: this.#initializationType, phase: 'init', status: 'success' }
        this.#telemetry.record('platform.initRuntimeDone', init)
        this.#telemetry.record('platform.initReport', { ...init, metrics: { durationMs: round(this.#initMs) } })
      }
      if (!extensions.areIdle) return
      this.#telemetry.closeSubscription()
      this.#phase = 'serving'
      for (const { name, events } of extensions.all) {
        this.#telemetry.record('platform.extension', { name, state: 'Ready', events })
      }
      this.#gateway.initOk(initFlags(extensions.all))
    }
    if (this.#phase !== 'serving' || this.#current !== undefined) return
    if (!this.#runtime.isWaiting || !extensions.areIdle) return
    const event = this.#queue.shift()
    if (event === undefined) return
    this.#current = event
    this.#gateway.started(event.seq)
    const version = facts.functionVersion
    this.#telemetry.record('platform.start', { requestId: event.requestId, version, ...tracing(event) })
    extensions.invoke(event)
    this.#runtime.deliver(event)
  }

  #done(event: Event, status: 'success' | 'error', errorType?: string): void {
    this.#current = undefined
    this.#hasStarted = false
    const durationMs = round(performance.now() - event.arrivedAt)
    const base = { requestId: event.requestId, status, ...(errorType === undefined ? {} : { errorType }) }
    this.#telemetry.record('platform.runtimeDone', { ...base, metrics: { durationMs }, ...tracing(event) })
    if (this.#extensions !== undefined && this.#extensions.all.length > 0) {
      const memorySizeMB = this.#facts?.memoryMiB ?? 0
      const metrics = {
        durationMs,
        billedDurationMs: Math.ceil(durationMs),
        memorySizeMB,
        maxMemoryUsedMB: Math.min(memorySizeMB, peakMemoryMiB())
      }
      this.#telemetry.record('platform.report', { ...base, metrics })
    }
    this.#advance()
  }

  /** A wrapped runtime speaks. */
  #passOn(frame: Frame): void {
    if (frame.type === ANSWERS.INIT_OK) {
      this.#advance()
      return
    }
    this.#gateway.forward(frame)
    if (frame.type === ANSWERS.STREAM_START) this.#hasStarted = true
    if (frame.type === ANSWERS.LOG) this.#telemetry.record('function', logOf(frame).text)
    const event = this.#current
    if (event === undefined || event.seq !== frame.seq) return
    if (frame.type === ANSWERS.RESULT) this.#done(event, 'success')
    else if (frame.type === ANSWERS.ERROR) this.#done(event, 'error', frame.meta.toString('latin1', 4))
    else if (frame.type === ANSWERS.STREAM_END) {
      const errorType = frame.meta.toString('latin1', 4)
      this.#done(event, errorType === '' ? 'success' : 'error', errorType === '' ? undefined : errorType)
    }
  }

  #failInit(flags: number, errorType: string, payload: Buffer): void {
    if (this.#phase === 'ending') return
    this.#telemetry.record('platform.initRuntimeDone', {
      initializationType: this.#initializationType,
      phase: 'init',
      status: 'error',
      errorType
    })
    this.#gateway.initError(flags, errorType, payload)
  }

  #runtimeEnded(ending: Ending): void {
    if (this.#phase === 'ending') {
      this.#endWhenAlone()
      return
    }
    // What it printed and answered last is still on its way through here.
    this.#api.afterRequests(() => {
      this.#gateway.flush(() => {
        endAs(ending)
      })
    })
  }

  #startExtension(name: string, env: Readonly<Record<string, string>>): void {
    const file = path.join(EXTENSIONS_DIR, name)
    const problem = executionProblem(file)
    if (problem !== undefined) {
      this.#extensionFailed(name, 'Extension.LaunchError', `fork/exec ${file}: ${problem}`)
      return
    }
    const own = Object.entries(env).filter(([key]) => !NOT_FOR_EXTENSIONS.test(key))
    const environment = { ...Object.fromEntries(own), AWS_LAMBDA_RUNTIME_API: this.#address }
    const child = start(file, [], { env: environment, cwd: '/', piped: true }, (ending) => {
      this.#processes.delete(name)
      if (this.#phase === 'ending') this.#endWhenAlone()
      else this.#extensionFailed(name, 'Extension.Crash', endingText(ending))
    })
    relay(child, (line) => {
      this.#telemetry.record('extension', line)
    })
    this.#processes.set(name, child)
  }

  /** An extension that fails takes the instance with it. */
  #extensionFailed(name: string, errorType: string, text: string): void {
    if (this.#phase === 'ending') return
    this.#telemetry.record('platform.extension', { name, state: 'Failed', events: [], errorType: text })
    this.#gateway.log(this.#current?.seq ?? 0, 'INFO', `EXTENSION\tName: ${name}\tState: Failed\tError Type: ${text}`)
    if (this.#phase === 'extensions' || this.#phase === 'init') {
      this.#failInit(FLAG_PLATFORM, errorType, Buffer.from(text))
      this.#phase = 'ending'
      return
    }
    const event = this.#current
    this.#phase = 'ending'
    if (event !== undefined) {
      const payload = errorJson(errorType, `RequestId: ${event.requestId} Error: ${text}`)
      this.#api.stopStream()
      if (this.#hasStarted) this.#gateway.streamEnd(event.seq, micros(event), errorType, payload, true)
      else this.#gateway.error(event.seq, micros(event), errorType, payload, true)
    }
    this.#gateway.flush(() => process.exit(1))
  }

  #endWhenAlone(): void {
    if (this.#processes.size === 0) process.exit(0)
  }
}

function initFlags(extensions: readonly Extension[]): number {
  if (extensions.length === 0) return FLAG_TELLS_STARTS
  const external = extensions.some(({ isExternal }) => isExternal) ? FLAG_HAS_EXTERNAL : 0
  return FLAG_TELLS_STARTS | FLAG_WANTS_SHUTDOWN | external
}

/** File names of the programs that a layer brings as extensions. */
function externalExtensions(): string[] {
  try {
    return readdirSync(EXTENSIONS_DIR, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch {
    return []
  }
}

function micros(event: Event): number {
  return Math.round((performance.now() - event.arrivedAt) * 1000)
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}

function tracing({ traceId }: Event): object {
  return traceId === '' ? {} : { tracing: { type: 'X-Amzn-Trace-Id', value: traceId } }
}

export type { Extension }
