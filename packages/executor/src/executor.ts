import { randomBytes } from 'node:crypto'
import type { SandboxHost } from '@hearth/sandbox'
import { LIMITS } from '@hearth/shared'
import { functionEnvironment, logStreamName } from './environment.ts'
import { type ExitReason, Instance, SHUTDOWN_MS } from './instance.ts'
import { createJournal } from './journal.ts'
import { type Candidate, Pool, type PoolContext } from './pool.ts'
import type { InitMessage } from './protocol.ts'
import { type RuntimeRegistry, WITH_EXTENSIONS } from './runtimes/registry.ts'
import { createStartGate } from './start-gate.ts'
import { Stock, type StockKey } from './stock.ts'
import type { Executor, ExecutorEvents, ExecutorStats, FunctionPool, FunctionSpec, LogSink } from './types.ts'

export interface ExecutorOptions {
  readonly host: SandboxHost
  readonly runtimes: RuntimeRegistry
  readonly logs: LogSink
  readonly events: ExecutorEvents
  /** CPUs of this machine. */
  readonly cpus: number
  /** Instances that may exist at once. */
  readonly maxInstances: number
  /** Sandboxes kept booted per kind in use, more after a burst; 0 boots each when it is needed. */
  readonly prestarted: number
  /** Memory that booted and unassigned sandboxes may take together, in bytes. */
  readonly prestartedBytes: number
  readonly idleMs: number
  /** An instance without an event is frozen after this long, in ms; 0: at once; `Infinity`: never. 100 unless given. */
  readonly freezeAfterMs?: number
  readonly queueLength: number
  readonly queueWaitMs: number
  readonly outputBytesPerSecond: number
  /** Whether an instance may use no more than its memory's share of a CPU even when others are idle, as on AWS. */
  readonly cpuQuota: boolean
  /** After which init has failed, in ms; Lambda's 10 s unless given. */
  readonly initTimeoutMs?: number
  /** Monotonic, in ms: what demand for sandboxes is told apart by. */
  readonly now?: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

/** How often idle instances are looked at. */
const SWEEP_MS = 100
const FREEZE_AFTER_MS = 100

/** Builds the executor. It starts nothing until it is asked: `ready` or a pool. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { host, runtimes, logs, events } = options
  const journal = createJournal()
  const gate = createStartGate(Math.max(2, options.cpus))
  const pools = new Set<Pool>()
  let instances = 0
  let closing = false
  let allDrained = () => {}
  let allEnded = () => {}

  const stock = new Stock({
    host,
    plan: (key) => runtimes.boot(key.runtime, key.memoryMiB),
    perKey: options.prestarted,
    budgetBytes: options.prestartedBytes,
    now: options.now ?? (() => performance.now()),
    outputBytesPerSecond: options.outputBytesPerSecond,
    log: options.log
  })

  const context: PoolContext = {
    cpus: options.cpus,
    queueLength: options.queueLength,
    queueWaitMs: options.queueWaitMs,
    initTimeoutMs: options.initTimeoutMs ?? LIMITS.initTimeoutMs,
    gate,
    logs,
    log: options.log,
    reserve() {
      if (instances >= options.maxInstances && !evictOldest()) return false
      instances++
      return true
    },
    unreserve() {
      instances--
    },
    open,
    runtimeVersion: (spec) => runtimes.resolve(spec.runtime, spec.handler)?.runtimeVersion ?? spec.runtime,
    presends: (spec) => spec.extensions !== true && runtimes.resolve(spec.runtime, spec.handler)?.presends === true,
    coldStart: (spec, phases) => events.coldStart?.(spec, phases),
    ended(spec, reason: ExitReason) {
      instances--
      events.instanceExit?.(spec.runtime, reason)
      if (instances === 0) allEnded()
    },
    drained(pool) {
      pools.delete(pool)
      allDrained()
    }
  }

  /** Makes room by ending the instance that has been idle for longest, whichever function it is of. */
  function evictOldest(): boolean {
    let oldest: { pool: Pool; instance: Instance } | undefined
    for (const pool of pools) {
      const instance = pool.idle[0]
      if (instance !== undefined && (oldest === undefined || instance.idleSince < oldest.instance.idleSince)) {
        oldest = { pool, instance }
      }
    }
    oldest?.pool.evict(oldest.instance)
    return oldest !== undefined
  }

  function keyOf(spec: FunctionSpec): StockKey {
    const resolved = runtimes.resolve(spec.runtime, spec.handler)
    if (resolved === undefined) throw new Error(`this server has no interpreter for ${spec.runtime}`)
    const runtime = spec.extensions === true ? `${resolved.name}${WITH_EXTENSIONS}` : resolved.name
    return { runtime, memoryMiB: spec.memoryMiB, tmpMiB: spec.ephemeralMiB, network: spec.network }
  }

  async function open(pool: Pool): Promise<Candidate> {
    const { spec } = pool
    const startedAt = performance.now()
    const key = keyOf(spec)
    const booted = stock.take(key) ?? (await stock.boot(key))
    const sandboxMs = performance.now() - startedAt
    const id = randomBytes(16).toString('hex')
    const logStream = logStreamName(spec.version, id, new Date())
    const instance = new Instance({
      id,
      spec,
      logStream,
      booted,
      owner: pool,
      logs,
      journal,
      freezeAfterMs: options.freezeAfterMs ?? FREEZE_AFTER_MS
    })
    const cpus = spec.memoryMiB / LIMITS.memoryMiBPerCpu
    return {
      instance,
      sandboxMs,
      logStream,
      async initialize(limitMs) {
        const result = await instance.initialize(initMessage(spec, logStream, cpus), limitMs)
        if (result.ok && options.cpuQuota) instance.limitCpu(cpus)
        return result
      }
    }
  }

  /** A runtime that serves one event at a time does so whatever the server's defaults are. */
  function withinRuntime(spec: FunctionSpec): FunctionSpec {
    const canServeMany = spec.extensions !== true && runtimes.resolve(spec.runtime, spec.handler)?.concurrent === true
    if (canServeMany) return spec
    return { ...spec, concurrency: 1, backend: 'process' }
  }

  function initMessage(spec: FunctionSpec, logStream: string, cpus: number): InitMessage {
    const resolved = runtimes.resolve(spec.runtime, spec.handler)
    const env = functionEnvironment(spec, resolved?.environment ?? {}, logStream)
    const concurrent = resolved?.concurrent === true && (spec.concurrency > 1 || spec.backend === 'threads')
    return {
      handler: spec.handler,
      env,
      taskRoot: '/var/task',
      functionName: spec.name,
      functionVersion: spec.version,
      memoryMiB: spec.memoryMiB,
      logGroup: spec.logGroup,
      logStream,
      logFormat: spec.logFormat,
      logLevel: spec.logLevel,
      runtime: spec.runtime,
      backend: concurrent ? 'threads' : 'process',
      concurrency: spec.concurrency,
      threads: threadsOf(spec, cpus)
    }
  }

  function* kindsInUse(): Generator<StockKey> {
    for (const { spec, counts } of pools) if (counts.idle + counts.busy > 0) yield keyOf(spec)
  }

  const sweep = setInterval(() => {
    const now = performance.now()
    for (const pool of pools) pool.sweep(now, now - options.idleMs)
    stock.tidy(kindsInUse)
  }, SWEEP_MS)
  sweep.unref()

  return {
    openPool(wanted): FunctionPool {
      const spec = withinRuntime(wanted)
      const pool = new Pool(spec, context)
      pools.add(pool)
      if (runtimes.resolve(spec.runtime, spec.handler) !== undefined) stock.want(keyOf(spec))
      return pool
    },

    stats(): ExecutorStats {
      const byRuntime = new Map<string, { starting: number; idle: number; busy: number; prestarted: number }>()
      const rowOf = (runtime: string) => {
        let row = byRuntime.get(runtime)
        if (row === undefined) {
          row = { starting: 0, idle: 0, busy: 0, prestarted: 0 }
          byRuntime.set(runtime, row)
        }
        return row
      }
      let queued = 0
      for (const { spec, counts } of pools) {
        const row = rowOf(spec.runtime)
        row.starting += counts.starting
        row.idle += counts.idle
        row.busy += counts.busy
        queued += counts.queued
      }
      const kinds = stock.stats()
      for (const { key, ready } of kinds) rowOf(key.runtime).prestarted += ready
      const total = { starting: 0, idle: 0, busy: 0, prestarted: 0 }
      for (const row of byRuntime.values()) {
        total.starting += row.starting
        total.idle += row.idle
        total.busy += row.busy
        total.prestarted += row.prestarted
      }
      return {
        ...total,
        queued,
        runtimes: [...byRuntime].map(([runtime, row]) => ({ runtime, ...row })),
        stock: {
          kinds: kinds.map(({ key, ready, target }) => ({ ...key, ready, target })),
          takes: [...stock.takes()].map(([runtime, counts]) => ({ runtime, ...counts })),
          usedBytes: stock.usedBytes(),
          budgetBytes: options.prestartedBytes
        }
      }
    },

    runtimes: () => runtimes.list(),

    async ready() {
      const key: StockKey = {
        runtime: runtimes.default.name,
        memoryMiB: LIMITS.memoryMiB.default,
        tmpMiB: LIMITS.ephemeralMiB.default,
        network: 'none'
      }
      await stock.firstReady(key)
    },

    async close(drainMs) {
      if (closing) return
      closing = true
      clearInterval(sweep)
      stock.close()
      for (const pool of pools) pool.retire()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs)
        allDrained = () => {
          if (pools.size > 0) return
          clearTimeout(timer)
          resolve()
        }
        allDrained()
      })
      for (const pool of pools) pool.shutdown()
      // Those that are killed are gone at once; extensions have been told, and have their time.
      if (instances > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, SHUTDOWN_MS)
          allEnded = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      await host.close()
    }
  }
}

/**
 * Worker threads of an instance. With one CPU's worth of memory the main thread serves concurrent events as fast as
 * workers would, and smaller; who asks for threads by name gets at least one.
 */
function threadsOf(spec: FunctionSpec, cpus: number): number {
  if (spec.backend === 'threads') return Math.max(1, Math.floor(cpus))
  if (spec.concurrency > 1 && cpus >= 2) return Math.floor(cpus)
  return 0
}
