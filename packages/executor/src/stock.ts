import { type Booted, type BootOptions, boot, type StockKey } from './boot.ts'
import { type Shelf, Shelves } from './shelves.ts'
import { divideBudget } from './stock-budget.ts'

export interface StockOptions extends BootOptions {
  /** Sandboxes kept ready per key in use, whatever demand was; 0 keeps none, and boots each when it is needed. */
  readonly perKey: number
  /** Memory that all of them together may take, in bytes. */
  readonly budgetBytes: number
  /** Monotonic, in ms. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

/** How often demand is looked at when nothing happens. */
const TIDY_MS = 1_000
/**
 * A refill begins when nothing was taken for so long: the starts that are going on need the CPU. Where they never end it
 * begins all the same.
 */
const REFILL_DELAY_MS = { quiet: 50, most: 1_000 }
/** After a failed boot the stock waits this long, doubling, before it tries again by itself. */
const RETRY_MS = { first: 200, last: 30_000 }

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
  readonly #shelves = new Shelves()
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
    return this.#shelves.lastUsedFirst().map((shelf) => {
      const { key, size, target } = shelf
      return { key, ready: size, target, inUse: shelf.isInUseAt(now) }
    })
  }

  /** Since the start, by the interpreter's name. */
  takes(): ReadonlyMap<string, TakeCounts> {
    return this.#takes
  }

  /** Memory of the sandboxes that are ready, in bytes. */
  usedBytes(): number {
    let sum = 0
    for (const { size, bytes } of this.#shelves) sum += size * bytes
    return sum
  }

  /** Keeps sandboxes of this kind ready from now on. */
  want(key: StockKey): void {
    if (this.#options.perKey === 0) return
    this.#shelves.use(key, false, this.#options.now())
    this.#plan()
  }

  /** A ready sandbox, or undefined. Either way the next of this kind is more likely to be there. */
  take(key: StockKey): Booted | undefined {
    if (this.#options.perKey === 0) {
      this.#count(key, false)
      return undefined
    }
    const now = this.#options.now()
    const shelf = this.#shelves.use(key, true, now)
    shelf.demand.record(now)
    const booted = shelf.take()
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
    if (this.#options.perKey > 0) for (const key of kindsInUse()) this.#shelves.stay(key, now)
    this.#shelves.forgetUnused(now)
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
      return await boot(this.#options, key)
    } finally {
      this.#urgent--
      if (this.#urgent === 0) this.#planLater()
    }
  }

  /** Resolves when `key` has a ready sandbox. @throws Error when it cannot be booted */
  async firstReady(key: StockKey): Promise<void> {
    const shelf = this.#shelves.use(key, false, this.#options.now())
    shelf.isDefault = true
    if (shelf.size > 0 || this.#closed) return
    const booted = await this.boot(key)
    this.#put(shelf, booted)
    this.#plan()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#planTimer)
    this.#shelves.clear()
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
    const shelves = this.#shelves.lastUsedFirst()
    const wishes = shelves.map((shelf) => {
      const { demand, bytes } = shelf
      return { base: perKey, wanted: demand.level(now), bytes, inUse: shelf.isInUseAt(now) }
    })
    const targets = divideBudget(wishes, budgetBytes)
    for (const [i, shelf] of shelves.entries()) {
      shelf.target = targets[i]!
      shelf.cutTo(shelf.target)
      this.#refill(shelf.key)
    }
  }

  #refill(key: StockKey): void {
    const shelf = this.#shelves.find(key)
    if (shelf === undefined || this.#closed || shelf.booting > 0 || this.#urgent > 0) return
    if (shelf.size >= shelf.target) return
    shelf.booting++
    boot(this.#options, key).then(
      (booted) => {
        shelf.booting--
        shelf.failures = 0
        this.#put(shelf, booted)
        this.#refill(key)
      },
      (error: unknown) => {
        shelf.booting--
        if (this.#closed) return
        const delayMs = Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** shelf.failures++)
        this.#options.log('error', 'a sandbox could not be pre-started', {
          err: error,
          key,
          retryMs: delayMs
        })
        setTimeout(() => this.#refill(key), delayMs).unref()
      }
    )
  }

  #put(shelf: Shelf, booted: Booted): void {
    const { key } = shelf
    if (this.#closed || this.#shelves.find(key) !== shelf) {
      booted.sandbox.kill()
      return
    }
    shelf.put(booted, () => {
      this.#refill(key)
    })
  }
}
