import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createFrameReader } from '@hearth/executor/internal/channel/frame-reader'
import { encodeInit, encodeInvoke } from '@hearth/executor/internal/channel/frame-writer'
import {
  ERROR,
  INIT_ERROR,
  INIT_OK,
  type InitMessage,
  LOG,
  LOG_LEVELS,
  READY,
  RESULT,
  RETURNED
} from '@hearth/executor/internal/protocol'
import { bundledRuntimesDir } from '@hearth/executor/internal/runtimes/local'
import { heapFlags } from '@hearth/executor/internal/runtimes/node/language'

const FUNCTIONS = path.resolve('test/fixtures/functions/node')
export const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:f'

export interface Message {
  readonly kind: 'ready' | 'init_ok' | 'init_error' | 'result' | 'error' | 'log' | 'returned'
  readonly seq: number
  /** Error type, or level of a log event. */
  readonly type: string
  readonly micros: number
  readonly text: string
}

const KINDS: Record<number, Message['kind']> = {
  [READY]: 'ready',
  [INIT_OK]: 'init_ok',
  [INIT_ERROR]: 'init_error',
  [RESULT]: 'result',
  [ERROR]: 'error',
  [LOG]: 'log',
  [RETURNED]: 'returned'
}

export interface InvokeOptions {
  readonly requestId?: string
  readonly traceId?: string
  readonly clientContext?: string
  readonly deadlineMs?: number
}

/** The 36 characters of a request id that tell which event it is. */
export function requestIdOf(seq: number): string {
  return `00000000-0000-4000-8000-${String(seq).padStart(12, '0')}`
}

export function invokeFrame(seq: number, payload: string | Buffer, options: InvokeOptions = {}): Buffer {
  return encodeInvoke(
    seq,
    options.deadlineMs ?? Date.now() + 3000,
    options.requestId ?? requestIdOf(seq),
    options.traceId ?? '',
    ARN,
    options.clientContext ?? '',
    Buffer.from(payload)
  )
}

/** The real runtime as a process of its own, without a sandbox: this test is the gateway at the other end. */
export class NodeProcess {
  readonly child: ChildProcess
  readonly channel: Socket
  /** Everything that came, in order. */
  readonly messages: Message[] = []
  /** Number of read events on the channel: an answer of a batch comes with the others. */
  chunks = 0
  output = ''
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #dir = mkdtempSync(path.join(tmpdir(), 'hearth-node-'))
  #waiters: { readonly done: (message: Message) => boolean; readonly resolve: (message: Message) => void }[] = []

  constructor(bootstrap = path.join(bundledRuntimesDir(), 'node/bootstrap.cjs')) {
    const page = path.join(this.#dir, 'progress')
    writeFileSync(page, Buffer.alloc(4096))
    const fd = openSync(page, 'r+')
    // Through env, with an environment of its own: what test runners put into NODE_OPTIONS changes how modules load.
    const environment = [`PATH=${process.env['PATH'] ?? ''}`, 'LEFT_OVER=of the sandbox']
    this.child = spawn('env', ['-i', ...environment, process.execPath, ...heapFlags(256), bootstrap], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', fd]
    })
    closeSync(fd)
    this.channel = this.child.stdio[3] as Socket
    const reader = createFrameReader({
      frame: (type, _flags, seq, meta, payload) => {
        this.#take(toMessage(type, seq, meta, payload))
      },
      violation: (reason) => {
        throw new Error(reason)
      }
    })
    this.channel.on('data', (chunk: Buffer) => {
      this.chunks++
      reader.push(chunk)
    })
    this.channel.on('error', () => undefined)
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  /** The sequence number in the progress page. */
  progress(): number {
    return Number(readFileSync(path.join(this.#dir, 'progress')).readBigUInt64LE(0))
  }

  /** Boots and initialises; resolves to INIT_OK or INIT_ERROR, or rejects if the process ends before. */
  async init(message: Partial<InitMessage> & { handler: string }): Promise<Message> {
    await this.find((m) => m.kind === 'ready')
    this.channel.write(
      encodeInit({
        env: {
          PATH: '/usr/bin:/bin',
          AWS_LAMBDA_FUNCTION_NAME: 'f',
          NODE_PATH: path.join(FUNCTIONS, 'layer/node_modules')
        },
        taskRoot: FUNCTIONS,
        functionName: 'f',
        functionVersion: '$LATEST',
        memoryMiB: 256,
        logGroup: '/aws/lambda/f',
        logStream: '2026/01/02/[$LATEST]0123',
        logFormat: 'Text',
        logLevel: 'INFO',
        runtime: 'nodejs20.x',
        backend: 'process',
        concurrency: 1,
        threads: 0,
        ...message
      })
    )
    return await this.find((m) => m.kind === 'init_ok' || m.kind === 'init_error')
  }

  send(...frames: Buffer[]): void {
    this.channel.write(Buffer.concat(frames))
  }

  /** Sends one event and waits for its answer. */
  async invoke(seq: number, payload: unknown, options: InvokeOptions = {}): Promise<Message> {
    this.send(invokeFrame(seq, payload === undefined ? '' : JSON.stringify(payload), options))
    return await this.answer(seq)
  }

  answer(seq: number): Promise<Message> {
    return this.find((m) => m.seq === seq && (m.kind === 'result' || m.kind === 'error' || m.kind === 'returned'))
  }

  /** The first message, of those that came or will come, that `done` accepts. @throws Error if the process ends before */
  async find(done: (message: Message) => boolean): Promise<Message> {
    const there = this.messages.find(done)
    if (there !== undefined) return there
    const coming = new Promise<Message>((resolve) => {
      this.#waiters.push({ done, resolve })
    })
    const ended = this.exited.then(({ code, signal }) => {
      const last = this.messages.find(done)
      if (last !== undefined) return last
      throw new Error(`the runtime ended with ${code ?? signal}: ${this.output}`)
    })
    return await Promise.race([coming, ended])
  }

  /** Texts of the log events of one event (0: of none). */
  logs(seq: number): string[] {
    return this.messages.filter((m) => m.kind === 'log' && m.seq === seq).map((m) => m.text)
  }

  /** Ends the process if it runs, and removes its files. */
  async close(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #take(message: Message): void {
    this.messages.push(message)
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.done(message)) return true
      waiter.resolve(message)
      return false
    })
  }
}

function toMessage(type: number, seq: number, meta: Buffer, payload: Buffer): Message {
  const kind = KINDS[type] ?? 'ready'
  const text = payload.toString()
  if (kind === 'log') return { kind, seq, type: LOG_LEVELS[meta.readUInt8(8)] ?? '', micros: 0, text }
  if (kind === 'init_error') return { kind, seq, type: meta.toString('latin1'), micros: 0, text }
  if (meta.length < 4) return { kind, seq, type: '', micros: 0, text }
  return { kind, seq, type: meta.toString('latin1', 4), micros: meta.readUInt32LE(0), text }
}
