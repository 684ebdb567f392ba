import type { Door, Mount, Sandbox, SandboxHost } from '@hearth/sandbox'
import type { NetworkPolicy } from '@hearth/shared'
import { type Budget, createBudget } from './budget.ts'
import { Link, type LinkListener } from './link.ts'
import { readLines } from './output.ts'
import { READY } from './protocol.ts'
import { divideBudget } from './stock-budget.ts'
import { createDemand, type Demand } from './stock-demand.ts'

/** What makes one booted sandbox as good as another. */
export interface StockKey {
  /** Name of the interpreter, not AWS's identifier: several identifiers may share one. */
  readonly runtime: string
  readonly memoryMiB: number
  readonly tmpMiB: number
  readonly network: NetworkPolicy
}

export interface BootPlan {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
}

/** A runtime that is up in its sandbox, knows no function yet and waits for one. */
export interface Booted {
  readonly key: StockKey
  readonly sandbox: Sandbox
  readonly link: Link
  /** How fast its output is read. */
  readonly output: Budget
  /** Undefined where no platform answers. */
  readonly door: Door | undefined
  /** Highest memory use at the end of boot, in bytes. */
  readonly peakBytes: number | undefined
  /** What it holds then: starting takes more for a moment than waiting. */
  readonly usedBytes: number | undefined
  /** CPU time of the boot. */
  readonly cpuMs: number | undefined
  /** Receives the lines that the sandbox writes to stdout and stderr. */
  onLine: (line: string) => void
}

export interface StockOptions {
  readonly host: SandboxHost
  readonly plan: (key: StockKey) => BootPlan
  /** Whether sandboxes get a door. */
  readonly doors: boolean
  /** Sandboxes kept ready per key in use, whatever demand was; 0 keeps none, and boots each when it is needed. */
  readonly perKey: number
  /** Memory that all of them together may take, in bytes. */
  readonly budgetBytes: number
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly outputBytesPerSecond: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

/** Processes and threads of one sandbox; Lambda documents 1,024. */
const PIDS = 1_024
/** A runtime that has not said that it is up by then never will. */
const BOOT_TIMEOUT_MS = 15_000
/** What a sandbox is taken to need before one of its kind has been booted. */
const USUAL_BYTES = 24 * 1_048_576
/** A measurement below this is of no runtime. */
const MIN_BYTES = 4 * 1_048_576
/** A kind that no function has asked for since then is not kept ready any more. */
const FORGET_MS = 30 * 60_000
/** Kinds that are kept ready at most; the least recently used one gives way, and none in use to one that is not. */
const MAX_KINDS = 64
/** A kind is in use this long after a sandbox of it was wanted, and while functions have instances of it. */
const IN_USE_MS = 60_000
/** How often demand is looked at when nothing happens. */
const TIDY_MS = 1_000
/**
 * A refill begins when nothing was taken for so long: the starts that are going on need the CPU. Where they never end it
 * begins all the same.
 */
const REFILL_DELAY_MS = { quiet: 50, most: 1_000 }
/** After a failed boot the stock waits this long, doubling, before it tries again by itself. */
const RETRY_MS = { first: 200, last: 30_000 }

/** One kind of sandbox and those of it that are ready. */
interface Shelf {
  readonly key: StockKey
  readonly demand: Demand
  readonly ready: Booted[]
  booting: number
  failures: number
  /** How many may be ready. */
  target: number
  /** When a function was deployed or called that wants this kind. */
  usedAt: number
  /** When one was taken, or a function had instances of this kind. */
  inUseAt: number
  /** Memory of one of them, as measured at the end of its boot. */
  bytes: number
  /** Kept even when nothing uses it: what a first function is likely to want. */
  isDefault: boolean
}

/** One kind of sandbox in the stock. */
export interface StockStats {
  readonly key: StockKey
  readonly ready: number
  /** How many there are to be: the larger of the configured number and recent demand, as far as memory allows. */
  readonly target: number
  /** Functions have instances of it, or wanted one within the last minute. */
  readonly inUse: boolean
}

/** How often a sandbox was wanted, by interpreter. */
export interface TakeCounts {
  /** One was ready. */
  readonly hits: number
  /** One had to be booted while its caller waited. */
  readonly misses: number
}

/**
 * Sandboxes booted ahead of need, per runtime, memory, /tmp size and network policy: taking one costs nothing, so a
 * cold start is only code attachment and the function's own init. How many of a kind are kept follows the largest
 * recent burst, within a budget of memory for all kinds.
 */
export class Stock {
  readonly #options: StockOptions
  /** In the order of use, the least recent first. */
  readonly #shelves = new Map<string, Shelf>()
  readonly #takes = new Map<string, { hits: number; misses: number }>()
  /** Boots that somebody waits for. */
  #urgent = 0
  #tidiedAt = Number.NEGATIVE_INFINITY
  #closed = false
  #planTimer: NodeJS.Timeout | undefined
  /** `performance.now()` ms. */
  #planDueBy = 0
  /** Nothing is kept while the machine's memory is short. */
  #isShort = false

  constructor(options: StockOptions) {
    this.#options = options
  }

  /** Kinds that are kept, the most recently used first. */
  stats(): StockStats[] {
    const now = this.#options.now()
    return [...this.#shelves.values()].reverse().map((shelf) => {
      const { key, ready, target } = shelf
      return { key, ready: ready.length, target, inUse: isInUseAt(shelf, now) }
    })
  }

  /** Since the start, by the interpreter's name. */
  takes(): ReadonlyMap<string, TakeCounts> {
    return this.#takes
  }

  /** Memory of the sandboxes that are ready, in bytes. */
  usedBytes(): number {
    let sum = 0
    for (const { ready, bytes } of this.#shelves.values()) sum += ready.length * bytes
    return sum
  }

  /** Keeps sandboxes of this kind ready from now on. */
  want(key: StockKey): void {
    if (this.#options.perKey === 0) return
    this.#use(key, false)
    this.#plan()
  }

  /** A ready sandbox, or undefined. Either way the next of this kind is more likely to be there. */
  take(key: StockKey): Booted | undefined {
    if (this.#options.perKey === 0) {
      this.#count(key, false)
      return undefined
    }
    const shelf = this.#use(key, true)
    shelf.demand.record(this.#options.now())
    const booted = shelf.ready.pop()
    this.#count(key, booted !== undefined)
    this.#planLater()
    return booted
  }

  /** Memory is needed for other things: what is ready goes, and nothing is booted ahead. @returns bytes that will be free */
  letGo(): number {
    const bytes = this.usedBytes()
    this.#isShort = true
    this.#plan()
    return bytes
  }

  /** There is memory again. */
  goOn(): void {
    this.#isShort = false
    this.#plan()
  }

  /**
   * Lets go of what demand does not ask for any more. To be called now and then.
   * @param kindsInUse - Of the instances that there are: functions that run warm take nothing from here for hours, and
   *   need it when their load grows
   */
  tidy(kindsInUse: () => Iterable<StockKey>): void {
    const now = this.#options.now()
    if (now - this.#tidiedAt < TIDY_MS) return
    this.#tidiedAt = now
    if (this.#options.perKey > 0) for (const key of kindsInUse()) this.#stay(key, now)
    for (const [id, shelf] of this.#shelves) {
      if (now - shelf.usedAt > FORGET_MS && !shelf.isDefault) this.#drop(id, shelf)
    }
    this.#plan()
  }

  /**
   * Boots one now for somebody who waits: nothing is refilled meanwhile.
   *
   * @throws Error with the end of the runtime's own output when it does not come up
   */
  async boot(key: StockKey): Promise<Booted> {
    this.#urgent++
    try {
      return await this.#boot(key)
    } finally {
      this.#urgent--
      if (this.#urgent === 0) this.#planLater()
    }
  }

  async #boot(key: StockKey): Promise<Booted> {
    const { command, env, mounts } = this.#options.plan(key)
    const sandbox = await this.#options.host.start({
      command,
      env,
      mounts,
      memoryMiB: key.memoryMiB,
      tmpMiB: key.tmpMiB,
      pids: PIDS,
      network: key.network
    })
    // It is opened while the runtime comes up.
    const opening = this.#options.doors ? sandbox.openDoor() : undefined
    opening?.catch(() => {}) // told below
    const output: string[] = []
    const listener: BootListener = new BootListener()
    const budget: Budget = createBudget(this.#options.outputBytesPerSecond, () => performance.now())
    const link = new Link(sandbox.channel, budget, listener)
    const booted: { -readonly [K in keyof Booted]: Booted[K] } = {
      key,
      sandbox,
      link,
      output: budget,
      door: undefined,
      peakBytes: undefined,
      usedBytes: undefined,
      cpuMs: undefined,
      onLine: (line) => {
        if (output.push(line) > 20) output.shift()
      }
    }
    readLines(sandbox.output, budget, (line) => booted.onLine(line))
    const timer = setTimeout(() => listener.fail('it did not report within 15 s'), BOOT_TIMEOUT_MS)
    try {
      await listener.ready
      booted.door = await opening
      ;[booted.peakBytes, booted.usedBytes, booted.cpuMs] = await Promise.all([
        sandbox.peakMemory(),
        sandbox.usedMemory(),
        sandbox.cpuMs()
      ])
    } catch (cause) {
      sandbox.kill()
      const exit = await sandbox.exited
      throw new Error(
        `the ${key.runtime} runtime did not start in its sandbox: ${(cause as Error).message}; exit ${exit.code ?? exit.signal ?? 'unknown'}; output: ${output.join(' | ') || 'none'}`
      )
    } finally {
      clearTimeout(timer)
    }
    return booted
  }

  /** Resolves when `key` has a ready sandbox. @throws Error when it cannot be booted */
  async firstReady(key: StockKey): Promise<void> {
    const shelf = this.#use(key, false)
    shelf.isDefault = true
    if (shelf.ready.length > 0 || this.#closed) return
    const booted = await this.boot(key)
    this.#put(shelf, booted)
    this.#plan()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#planTimer)
    for (const shelf of this.#shelves.values()) for (const booted of shelf.ready) booted.sandbox.kill()
    this.#shelves.clear()
  }

  /** @returns its shelf, which is not kept where there are only kinds in use and it is not */
  #use(key: StockKey, isInUse: boolean): Shelf {
    const id = idOf(key)
    const now = this.#options.now()
    let shelf = this.#shelves.get(id)
    if (shelf === undefined) {
      shelf = {
        key,
        demand: createDemand(),
        ready: [],
        booting: 0,
        failures: 0,
        target: 0,
        usedAt: 0,
        inUseAt: Number.NEGATIVE_INFINITY,
        bytes: USUAL_BYTES,
        isDefault: false
      }
    }
    shelf.usedAt = now
    if (isInUse) shelf.inUseAt = now
    // Re-inserted, so that the map's order is the order of use.
    this.#shelves.delete(id)
    this.#shelves.set(id, shelf)
    if (this.#shelves.size > MAX_KINDS) {
      const others = [...this.#shelves].filter(([, other]) => !other.isDefault)
      const [oldest, dropped] = others.find(([, other]) => !isInUseAt(other, now)) ?? others[0]!
      this.#drop(oldest, dropped)
    }
    return shelf
  }

  /** Nothing was asked for: the order of use stays. */
  #stay(key: StockKey, now: number): void {
    const shelf = this.#shelves.get(idOf(key)) ?? this.#use(key, true)
    shelf.usedAt = now
    shelf.inUseAt = now
  }

  #count({ runtime }: StockKey, isHit: boolean): void {
    let counts = this.#takes.get(runtime)
    if (counts === undefined) {
      counts = { hits: 0, misses: 0 }
      this.#takes.set(runtime, counts)
    }
    if (isHit) counts.hits++
    else counts.misses++
  }

  #drop(id: string, shelf: Shelf): void {
    this.#shelves.delete(id)
    for (const booted of shelf.ready.splice(0)) booted.sandbox.kill()
  }

  #planLater(): void {
    const now = performance.now()
    if (this.#planTimer !== undefined) {
      if (now + REFILL_DELAY_MS.quiet <= this.#planDueBy) this.#planTimer.refresh()
      return
    }
    this.#planDueBy = now + REFILL_DELAY_MS.most
    this.#planTimer = setTimeout(() => {
      this.#planTimer = undefined
      this.#plan()
    }, REFILL_DELAY_MS.quiet).unref()
  }

  /** Decides how many of each kind are kept, and begins to make it so. */
  #plan(): void {
    if (this.#closed) return
    const { perKey } = this.#options
    const budgetBytes = this.#isShort ? 0 : this.#options.budgetBytes
    const now = this.#options.now()
    const shelves = [...this.#shelves.values()].reverse()
    const wishes = shelves.map((shelf) => {
      const { demand, bytes } = shelf
      return { base: perKey, wanted: demand.level(now), bytes, inUse: isInUseAt(shelf, now) }
    })
    const targets = divideBudget(wishes, budgetBytes)
    for (const [i, shelf] of shelves.entries()) {
      shelf.target = targets[i]!
      while (shelf.ready.length > shelf.target) shelf.ready.shift()!.sandbox.kill()
      this.#refill(idOf(shelf.key))
    }
  }

  #refill(id: string): void {
    const shelf = this.#shelves.get(id)
    if (shelf === undefined || this.#closed || shelf.booting > 0 || this.#urgent > 0) return
    if (shelf.ready.length >= shelf.target) return
    shelf.booting++
    this.#boot(shelf.key).then(
      (booted) => {
        shelf.booting--
        shelf.failures = 0
        this.#put(shelf, booted)
        this.#refill(id)
      },
      (error: unknown) => {
        shelf.booting--
        if (this.#closed) return
        const delayMs = Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** shelf.failures++)
        this.#options.log('error', 'a sandbox could not be pre-started', {
          err: error,
          key: shelf.key,
          retryMs: delayMs
        })
        setTimeout(() => this.#refill(id), delayMs).unref()
      }
    )
  }

  #put(shelf: Shelf, booted: Booted): void {
    if (this.#closed || this.#shelves.get(idOf(shelf.key)) !== shelf) {
      booted.sandbox.kill()
      return
    }
    shelf.ready.push(booted)
    shelf.bytes = Math.max(MIN_BYTES, booted.usedBytes ?? booted.peakBytes ?? USUAL_BYTES)
    void booted.sandbox.exited.then(() => {
      const at = shelf.ready.indexOf(booted)
      if (at < 0) return
      shelf.ready.splice(at, 1)
      this.#refill(idOf(shelf.key))
    })
  }
}

function isInUseAt({ inUseAt }: Shelf, now: number): boolean {
  return now - inUseAt <= IN_USE_MS
}

function idOf(key: StockKey): string {
  return `${key.runtime}/${key.memoryMiB}/${key.tmpMiB}/${key.network}`
}

/** Waits for READY, the only thing that a runtime may say before it has a function. */
class BootListener implements LinkListener {
  readonly ready: Promise<void>
  #resolve!: () => void
  #reject!: (error: Error) => void

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  fail(message: string): void {
    this.#reject(new Error(message))
  }

  onFrame(type: number): void {
    if (type === READY) this.#resolve()
    else this.fail(`unexpected frame of type ${type}`)
  }

  onProtocolError(detail: string): void {
    this.fail(detail)
  }

  onClose(): void {
    this.fail('it ended')
  }
}
