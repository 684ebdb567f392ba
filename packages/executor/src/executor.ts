import { randomBytes } from 'node:crypto'
import type { SandboxHost } from '@hearth/sandbox'
import { LIMITS } from '@hearth/shared'
import { Admission } from './admission.ts'
import { availableMemory } from './available-memory.ts'
import type { StockKey } from './boot.ts'
import type { Candidate } from './candidate.ts'
import { createCapacity } from './capacity.ts'
import { functionEnvironment, type InitializationType, logStreamName } from './environment.ts'
import { type ExitReason, SHUTDOWN_MS } from './farewell.ts'
import { Instance } from './instance.ts'
import { createJournal } from './journal.ts'
import { createMemoryWatch } from './memory-watch.ts'
import { createOutputs } from './output-share.ts'
import { Lease, type Pass, type Platform } from './platform.ts'
import { Pool, type PoolContext } from './pool.ts'
import type { InitMessage } from './protocol.ts'
import { type RuntimeRegistry, WITH_EXTENSIONS } from './runtimes/registry.ts'
import { createStartGate } from './start-gate.ts'
import { Stock } from './stock.ts'
import type {
  ConcurrencyStats,
  Executor,
  ExecutorEvents,
  ExecutorStats,
  FunctionPool,
  FunctionSpec,
  LogSink
} from './types.ts'

export interface ExecutorOptions {
  readonly host: SandboxHost
  readonly runtimes: RuntimeRegistry
  /** What functions reach as their roles. Nothing unless given. */
  readonly platform?: Platform
  readonly logs: LogSink
  readonly events: ExecutorEvents
  /** CPUs of this machine. */
  readonly cpus: number
  /** Instances that may exist at once. */
  readonly maxInstances: number
  /** Events that may be in flight at once, over all functions. As many as instances unless given. */
  readonly concurrency?: number
  /** How long an event over a concurrency limit waits for its turn, in ms. 0 unless given. */
  readonly throttleWaitMs?: number
  /** Instances that one function may start in 10 s. 1000 unless given. */
  readonly scalingBurst?: number
  /** Memory that instances leave free, in bytes. 0, which is not looked at, unless given. */
  readonly memoryReserveBytes?: number
  /** Bytes of memory that are available; undefined when that is not known. This machine's unless given. */
  readonly availableBytes?: () => Promise<number | undefined>
  /** Sandboxes kept booted per kind in use, more after a burst; 0 boots each when it is needed. */
  readonly prestarted: number
  /** Memory that booted and unassigned sandboxes may take together, in bytes. */
  readonly prestartedBytes: number
  readonly idleMs: number
  /** An instance without an event is frozen after this long, in ms; 0: at once; `Infinity`: never. 100 unless given. */
  readonly freezeAfterMs?: number
  readonly queueLength: number
  readonly queueWaitMs: number
  /** How fast an instance's output is read. */
  readonly outputBytesPerSecond: number
  /** How fast the log output of all instances of a function is. */
  readonly functionOutputBytesPerSecond: number
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
const SCALING_BURST = 1_000
/** How often the log says that memory is short. */
const SHORT_LOG_MS = 60_000

/** Builds the executor. It starts nothing until it is asked: `ready` or a pool. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { host, runtimes, logs, events } = options
  const journal = createJournal()
  const gate = createStartGate(Math.max(2, options.cpus))
  const pools = new Set<Pool>()
  const outputs = createOutputs(options.functionOutputBytesPerSecond, () => performance.now())
  let closing = false
  let allDrained = () => {}
  let allEnded = () => {}

  const stock = new Stock({
    host,
    doors: options.platform !== undefined,
    plan: (key) => runtimes.boot(key.runtime, key.memoryMiB),
    perKey: options.prestarted,
    budgetBytes: options.prestartedBytes,
    now: options.now ?? (() => performance.now()),
    outputBytesPerSecond: options.outputBytesPerSecond,
    log: options.log
  })

  const admission = new Admission({
    concurrency: options.concurrency ?? options.maxInstances,
    waitMs: options.throttleWaitMs ?? 0,
    lineLength: options.queueLength,
    scalingBurst: options.scalingBurst ?? SCALING_BURST
  })
  let letGoBytes = 0
  let shortLoggedAt = Number.NEGATIVE_INFINITY
  const memory = createMemoryWatch({
    reserveBytes: options.memoryReserveBytes ?? 0,
    read: options.availableBytes ?? availableMemory,
    onLooked() {
      if (closing) return
      capacity.tend()
      // Not again before what was let go of fits in with room to spare.
      if (memory.missing > 0) letGoBytes = Math.max(letGoBytes, 1, stock.letGo())
      else if (letGoBytes > 0 && !memory.isShortFor(2 * letGoBytes)) {
        letGoBytes = 0
        stock.goOn()
      }
    }
  })
  const capacity = createCapacity({
    maxInstances: options.maxInstances,
    memory,
    growers: () => pools,
    onShort() {
      const now = performance.now()
      if (now - shortLoggedAt < SHORT_LOG_MS) return
      shortLoggedAt = now
      options.log('warn', 'memory is short: no instance is started', { missingBytes: memory.missing })
    }
  })

  const context: PoolContext = {
    cpus: options.cpus,
    queueLength: options.queueLength,
    queueWaitMs: options.queueWaitMs,
    initTimeoutMs: options.initTimeoutMs ?? LIMITS.initTimeoutMs,
    gate,
    logs,
    log: options.log,
    admission,
    capacity,
    open,
    runtimeVersion: (spec) => runtimes.resolve(spec.runtime, spec.handler)?.runtimeVersion ?? spec.runtime,
    presends: (spec) => spec.extensions !== true && runtimes.resolve(spec.runtime, spec.handler)?.presends === true,
    coldStart: (spec, phases) => events.coldStart?.(spec, phases),
    provisionedInit: (spec, initMs) => events.provisionedInit?.(spec, initMs),
    usedCpu: (spec, ms) => events.usedCpu?.(spec.name, ms),
    ended(spec, reason: ExitReason) {
      events.instanceExit?.(spec.runtime, reason)
      capacity.release()
      if (capacity.instances === 0) allEnded()
    },
    drained(pool) {
      pools.delete(pool)
      outputs.leave(pool.spec.name)
      allDrained()
    }
  }

  function keyOf(spec: FunctionSpec): StockKey {
    const resolved = runtimes.resolve(spec.runtime, spec.handler)
    if (resolved === undefined) throw new Error(`this server has no interpreter for ${spec.runtime}`)
    const runtime = spec.extensions === true ? `${resolved.name}${WITH_EXTENSIONS}` : resolved.name
    return { runtime, memoryMiB: spec.memoryMiB, tmpMiB: spec.ephemeralMiB, network: spec.network }
  }

  async function open(pool: Pool, initializationType: InitializationType): Promise<Candidate> {
    const { spec } = pool
    const startedAt = performance.now()
    const key = keyOf(spec)
    const pass = options.platform?.pass(spec)
    const lease = pass && new Lease(pass, spec.timeoutMs, Math.random())
    if (lease?.isUsable === false) throw new Error(`credentials of ${spec.role} end too soon for one event`)
    const booted = stock.take(key) ?? (await stock.boot(key))
    booted.output.join(outputs.share(spec.name), (ms) => events.outputPaused?.(spec.name, ms))
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
      freezeAfterMs: options.freezeAfterMs ?? FREEZE_AFTER_MS,
      initializationType,
      lease
    })
    const cpus = spec.memoryMiB / LIMITS.memoryMiBPerCpu
    return {
      instance,
      sandboxMs,
      logStream,
      async initialize(limitMs) {
        const resolved = spec.resolveEnvironment?.() ?? { ok: true as const, environment: spec.environment }
        if (!resolved.ok) return instance.refuse(resolved.errorType, resolved.message)
        const own = { ...spec, environment: resolved.environment }
        const message = initMessage(own, logStream, cpus, initializationType, pass)
        const initializing = instance.initialize(message, limitMs)
        // While the code is attached: until then whoever connects waits.
        if (booted.door !== undefined) options.platform?.answer(spec, booted.door, () => booted.sandbox.openDoor())
        const result = await initializing
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

  function initMessage(
    spec: FunctionSpec,
    logStream: string,
    cpus: number,
    initializationType: InitializationType,
    pass: Pass | undefined
  ): InitMessage {
    const resolved = runtimes.resolve(spec.runtime, spec.handler)
    const env = functionEnvironment(spec, resolved?.environment ?? {}, logStream, initializationType, pass)
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
    capacity.tend()
    memory.look(now)
  }, SWEEP_MS)
  sweep.unref()

  return {
    openPool(wanted): FunctionPool {
      const spec = withinRuntime(wanted)
      const pool = new Pool(spec, context)
      pools.add(pool)
      outputs.enter(spec.name)
      if (runtimes.resolve(spec.runtime, spec.handler) !== undefined) stock.want(keyOf(spec))
      return pool
    },

    setReserved(functionName, reserved) {
      admission.setReserved(functionName, reserved)
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
      let reservedBytes = 0
      for (const pool of pools) {
        const { spec, counts } = pool
        reservedBytes += pool.reservedBytes
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
        reservedBytes,
        runtimes: [...byRuntime].map(([runtime, row]) => ({ runtime, ...row })),
        stock: {
          kinds: kinds.map(({ key, ...counts }) => ({ ...key, ...counts })),
          takes: [...stock.takes()].map(([runtime, counts]) => ({ runtime, ...counts })),
          usedBytes: stock.usedBytes(),
          budgetBytes: options.prestartedBytes
        },
        concurrency: concurrencyStats(admission, pools)
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
      for (const pool of [...pools]) pool.retire()
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs)
        allDrained = () => {
          if (pools.size > 0) return
          clearTimeout(timer)
          resolve()
        }
        allDrained()
      })
      admission.shutdown()
      for (const pool of pools) pool.shutdown()
      // Those that are killed are gone at once; extensions have been told, and have their time.
      if (capacity.instances > 0) {
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

function concurrencyStats(admission: Admission, pools: Iterable<Pool>): ConcurrencyStats {
  const inUseOf = new Map<string, number>()
  let inUse = 0
  const provisioned = []
  for (const pool of pools) {
    const { name, version } = pool.spec
    inUse += pool.inUse
    inUseOf.set(name, (inUseOf.get(name) ?? 0) + pool.inUse)
    const stats = pool.provisioned()
    if (stats.requested > 0) provisioned.push({ functionName: name, version, ...stats })
  }
  const reserved = []
  for (const share of admission.shares()) {
    if (share.reserved === undefined) continue
    reserved.push({ functionName: share.name, reserved: share.reserved, inUse: inUseOf.get(share.name) ?? 0 })
  }
  const { concurrency: limit, unreserved, throttles } = admission
  return { limit, inUse, unreserved, reserved, provisioned, throttles: { ...throttles } }
}
