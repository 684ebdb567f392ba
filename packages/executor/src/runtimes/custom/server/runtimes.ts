import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import {
  ERROR,
  INIT_ERROR,
  INIT_OK,
  LOG,
  LOG_LEVELS,
  READY,
  RESULT,
  RETURNED,
  STREAM_END,
  STREAM_START
} from '../../../protocol.ts'
import { findBootstrap } from './bootstrap-search.ts'
import { type Frame, readFrames } from './channel.ts'
import type { Event } from './event.ts'
import { type Ending, executionProblem, start } from './processes.ts'
import type { RuntimeApi } from './runtime-api.ts'

/** What a runtime that is driven here tells. */
export interface RuntimeListener {
  onBooted(): void
  onEnd(ending: Ending): void
  /** Frames of a wrapped runtime that answer events or init, or log. */
  onFrame(frame: Frame): void
  onOutput(child: ChildProcess): void
}

/** The runtime process: one that speaks the Runtime API, or one that speaks frames. */
export interface Runtime {
  /** Whether it can take an event now. */
  readonly isWaiting: boolean
  /** @returns what is wrong when it cannot even be started, in the platform's words */
  init(env: Readonly<Record<string, string>>, piped: boolean, initFrame: Frame): string | undefined
  deliver(event: Event): void
  /** @param frame - A WINDOW: room for more of a streamed answer */
  credit(frame: Frame): void
  stop(signal: NodeJS.Signals): void
}

/** A program that asks for its events over HTTP. */
export class HttpRuntime implements Runtime {
  readonly #api: () => RuntimeApi
  readonly #command: readonly string[]
  readonly #listener: RuntimeListener
  #child: ChildProcess | undefined

  /** @param command - What to start, with `{handler}` and `{task}` to be filled in; empty: the package's bootstrap */
  constructor(api: () => RuntimeApi, command: readonly string[], listener: RuntimeListener) {
    this.#api = api
    this.#command = command
    this.#listener = listener
  }

  get isWaiting(): boolean {
    return this.#api().isWaiting
  }

  init(env: Readonly<Record<string, string>>, piped: boolean): string | undefined {
    let [file, ...args] = this.#command.map((part) =>
      part.replaceAll('{handler}', env['_HANDLER'] ?? '').replaceAll('{task}', '/var/task')
    )
    if (file === undefined) {
      const found = findBootstrap()
      if ('problem' in found) return found.problem
      file = found.file
      args = []
    } else {
      const problem = executionProblem(file)
      if (problem !== undefined) return `fork/exec ${file}: ${problem}`
    }
    this.#child = start(file, args, { env, cwd: '/var/task', piped }, (ending) => {
      this.#listener.onEnd(ending)
    })
    if (piped) this.#listener.onOutput(this.#child)
    return undefined
  }

  deliver(event: Event): void {
    this.#api().deliver(event)
  }

  credit(frame: Frame): void {
    this.#api().credit(frame.seq, frame.meta.readUInt32LE(0))
  }

  stop(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }
}

/** One of Hearth's own runtimes, as a child: frames pass through. It boots before there is a function. */
export class WrappedRuntime implements Runtime {
  readonly #child: ChildProcess
  readonly #channel: Socket
  #isWaiting = false

  constructor(command: readonly string[], listener: RuntimeListener) {
    const [file = '', ...args] = command
    const env = Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
    )
    this.#child = start(file, args, { env, cwd: '/tmp', piped: true, channel: true }, (ending) => {
      listener.onEnd(ending)
    })
    listener.onOutput(this.#child)
    this.#channel = this.#child.stdio[3] as Socket
    readFrames(this.#channel, (frame) => {
      if (frame.type === READY) {
        listener.onBooted()
        return
      }
      if (IDLE_AFTER.has(frame.type)) this.#isWaiting = true
      listener.onFrame(frame)
    })
  }

  get isWaiting(): boolean {
    return this.#isWaiting
  }

  init(_env: Readonly<Record<string, string>>, _piped: boolean, initFrame: Frame): undefined {
    this.#channel.write(initFrame.bytes)
  }

  deliver(event: Event): void {
    this.#isWaiting = false
    this.#channel.write(event.frame.bytes)
  }

  credit(frame: Frame): void {
    this.#channel.write(frame.bytes)
  }

  stop(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

/** Names of what a wrapped runtime says, for the supervisor. */
export const ANSWERS = { INIT_ERROR, INIT_OK, RESULT, ERROR, LOG, RETURNED, STREAM_START, STREAM_END }

/** After these a wrapped runtime can take an event. */
const IDLE_AFTER: ReadonlySet<number> = new Set([INIT_OK, RESULT, ERROR, STREAM_END])

/** Text and level of a LOG frame. */
export function logOf(frame: Frame): { readonly text: string; readonly level: string } {
  return { text: frame.payload.toString(), level: LOG_LEVELS[frame.meta.readUInt8(8)] ?? 'INFO' }
}
