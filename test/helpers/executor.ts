import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import {
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type FunctionPool,
  type FunctionSpec,
  type Invocation,
  type Outcome,
  openRuntimeRegistry,
  type Phases,
  type ResponseSink,
  type ResponseSource,
  type RuntimeRegistry
} from '@hearth/executor'
import { openSandboxHost, type SandboxHost } from '@hearth/sandbox'
import type { Test } from 'tap'
import { CACHE_DIR, childrenOf, commandLine, treeOf } from './hearth.ts'

export interface LogLine {
  readonly stream: string
  readonly requestId: string
  readonly level: string
  readonly text: string
}

export interface TestExecutor {
  readonly executor: Executor
  readonly host: SandboxHost
  readonly lines: LogLine[]
  readonly exits: string[]
  /** A function from its source files; `t.testdir` keeps them. */
  readonly pool: (spec: Partial<FunctionSpec> & { codeDir: string }) => FunctionPool
  readonly invoke: (
    pool: FunctionPool,
    payload?: unknown,
    options?: { tail?: boolean; requestId?: string; clientContext?: string; traceId?: string; stream?: ResponseSink }
  ) => Promise<Outcome>
  /** The process that runs the function's code, of every sandbox. */
  readonly runtimePids: () => number[]
}

let servers = 0

/** An executor over real sandboxes, without HTTP or a database; closed when `t` ends. */
export async function startExecutor(t: Test, options: Partial<ExecutorOptions> = {}): Promise<TestExecutor> {
  const runDir = mkdtempSync(path.join(tmpdir(), 'hearth-run-'))
  chmodSync(runDir, 0o711)
  const host = await openSandboxHost({
    runDir,
    isolation: process.getuid?.() === 0 ? 'strict' : 'best-effort',
    serverId: `t${(process.pid % 46_656).toString(36)}${(servers++).toString(36)}`,
    networks: ['none'],
    dns: [],
    log: (level, message, fields) => {
      if (level === 'error') t.comment(message, fields)
    }
  })
  const lines: LogLine[] = []
  const exits: string[] = []
  const executor = createExecutor({
    host,
    runtimes: await runtimesOfThisMachine(),
    logs: {
      write: (_spec, stream, _at, requestId, level, text) => {
        lines.push({ stream, requestId, level, text })
      }
    },
    events: { instanceExit: (_runtime, reason) => exits.push(reason) },
    cpus: availableParallelism(),
    maxInstances: 50,
    concurrency: 1_000,
    prestarted: 1,
    prestartedBytes: 1_024 * 1_048_576,
    idleMs: 60_000,
    queueLength: 1_000,
    queueWaitMs: 20_000,
    outputBytesPerSecond: 1_048_576,
    functionOutputBytesPerSecond: 4_194_304,
    cpuQuota: false,
    log: (level, message, fields) => {
      if (level === 'error') t.comment(message, fields)
    },
    ...options
  })
  t.teardown(async () => {
    await executor.close(1_000)
    rmSync(runDir, { recursive: true, force: true })
  })
  return {
    executor,
    host,
    lines,
    exits,
    pool: (spec) => executor.openPool({ ...DEFAULTS, ...spec }),
    invoke: (
      pool,
      payload = {},
      { tail = false, requestId = randomUUID(), clientContext = '', traceId = '', stream } = {}
    ) =>
      new Promise((resolve) => {
        const invocation: Invocation = {
          requestId,
          payload: Buffer.from(JSON.stringify(payload)),
          invokedArn: `arn:aws:lambda:us-east-1:000000000000:function:${pool.spec.name}`,
          traceId,
          clientContext,
          tail,
          stream,
          settle: resolve
        }
        pool.invoke(invocation)
      }),
    runtimePids: () =>
      childrenOf(process.pid)
        .flatMap(treeOf)
        .filter((pid) => commandLine(pid).includes('/var/runtime/'))
        .filter((pid) => !commandLine(pid).includes('bwrap'))
  }
}

/** Every runtime that is installed here, with interpreters configured as HEARTH_RUNTIME_PATHS does it. */
export function runtimesOfThisMachine(
  configured: Readonly<Record<string, readonly string[]>> = {}
): Promise<RuntimeRegistry> {
  const key = JSON.stringify(configured)
  const known = registries.get(key)
  if (known !== undefined) return known
  const registry = openRuntimeRegistry({
    node: { execPath: process.execPath, version: process.versions.node },
    configured,
    cacheDir: CACHE_DIR,
    path: process.env['PATH'] ?? ''
  })
  registries.set(key, registry)
  return registry
}

/** By what was configured: looking takes a second, and they stay the same while the tests of a file run. */
const registries = new Map<string, Promise<RuntimeRegistry>>()

const DEFAULTS: Omit<FunctionSpec, 'codeDir'> = {
  name: 'sample',
  version: '$LATEST',
  runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
  handler: 'index.handler',
  memoryMiB: 256,
  timeoutMs: 10_000,
  ephemeralMiB: 512,
  environment: {},
  network: 'none',
  concurrency: 1,
  backend: 'process',
  region: 'us-east-1',
  logGroup: '/aws/lambda/sample',
  logFormat: 'Text',
  logLevel: 'INFO'
}

/** A caller that takes a streamed answer as fast as it comes, or as `slow` says. */
export class StreamCaller implements ResponseSink {
  contentType: string | undefined
  readonly pieces: Buffer[] = []
  /** Cost of what was not given back. */
  held = 0
  /** The most that was ever held. */
  peak = 0
  bytes = 0
  isFinished = false
  /** Called with each piece. */
  onPiece: (piece: Buffer) => void = () => {}
  #source: ResponseSource | undefined
  readonly #isSlow: boolean
  readonly #keeps: boolean

  /** @param slow - Gives nothing back until {@link drain}. */
  constructor({ slow = false, keep = true }: { slow?: boolean; keep?: boolean } = {}) {
    this.#isSlow = slow
    this.#keeps = keep
  }

  start(contentType: string, _phases: Phases, source: ResponseSource): void {
    this.contentType = contentType
    this.#source = source
  }

  data(bytes: Buffer, cost: number): void {
    this.bytes += bytes.length
    if (this.#keeps) this.pieces.push(bytes)
    this.held += cost
    this.peak = Math.max(this.peak, this.held)
    this.onPiece(bytes)
    if (!this.#isSlow) this.drain()
  }

  finish(): void {
    this.isFinished = true
  }

  drain(): void {
    const { held } = this
    this.held = 0
    this.#source?.consumed(held)
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString()
  }
}

/** The answer of a function as a value. */
export function valueOf(outcome: Outcome): unknown {
  return JSON.parse(outcome.payload.toString())
}
