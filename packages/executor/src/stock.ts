import type { Mount, Sandbox, SandboxHost } from '@hearth/sandbox'
import type { NetworkPolicy } from '@hearth/shared'
import { type Budget, createBudget } from './budget.ts'
import { Link, type LinkListener } from './link.ts'
import { readLines } from './output.ts'
import { READY } from './protocol.ts'

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
  /** Highest memory use at the end of boot, in bytes. */
  readonly peakBytes: number | undefined
  /** Receives the lines that the sandbox writes to stdout and stderr. */
  onLine: (line: string) => void
}

export interface StockOptions {
  readonly host: SandboxHost
  readonly plan: (key: StockKey) => BootPlan
  /** Sandboxes kept ready per key. */
  readonly perKey: number
  /** Keys that are kept ready at most; the least recently used one gives way. */
  readonly keys: number
  readonly outputBytesPerSecond: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

/** Processes and threads of one sandbox; Lambda documents 1,024. */
const PIDS = 1_024
/** A runtime that has not said that it is up by then never will. */
const BOOT_TIMEOUT_MS = 15_000
/** After a failed boot the stock waits this long, doubling, before it tries again by itself. */
const RETRY_MS = { first: 200, last: 30_000 }

/**
 * Sandboxes booted ahead of need, per runtime, memory, /tmp size and network policy: taking one costs nothing, so a
 * cold start is only code attachment and the function's own init.
 */
export class Stock {
  readonly #options: StockOptions
  readonly #shelves = new Map<string, { readonly key: StockKey; ready: Booted[]; booting: number; failures: number }>()
  #closed = false

  constructor(options: StockOptions) {
    this.#options = options
  }

  /** Sandboxes that are ready, by runtime. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { key, ready } of this.#shelves.values()) {
      counts.set(key.runtime, (counts.get(key.runtime) ?? 0) + ready.length)
    }
    return counts
  }

  /** Keeps sandboxes of this kind ready from now on. */
  want(key: StockKey): void {
    const id = idOf(key)
    const known = this.#shelves.get(id)
    if (known !== undefined) {
      // Re-inserted, so that the map's order is the order of use.
      this.#shelves.delete(id)
      this.#shelves.set(id, known)
      return
    }
    this.#shelves.set(id, { key, ready: [], booting: 0, failures: 0 })
    if (this.#shelves.size > this.#options.keys) {
      const [oldest, shelf] = this.#shelves.entries().next().value!
      this.#shelves.delete(oldest)
      for (const booted of shelf.ready) booted.sandbox.kill()
    }
    this.#refill(id)
  }

  /** A ready sandbox, or undefined; a new one is booted in its place. */
  take(key: StockKey): Booted | undefined {
    const id = idOf(key)
    const booted = this.#shelves.get(id)?.ready.pop()
    // Later: the start that is going on now should not share its CPU with a refill.
    if (booted !== undefined) setTimeout(() => this.#refill(id), 50).unref()
    return booted
  }

  /** Boots one now. @throws Error with the end of the runtime's own output when it does not come up */
  async boot(key: StockKey): Promise<Booted> {
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
    const output: string[] = []
    const listener: BootListener = new BootListener()
    const budget: Budget = createBudget(this.#options.outputBytesPerSecond, () => performance.now())
    const link = new Link(sandbox.channel, budget, listener)
    const booted: { -readonly [K in keyof Booted]: Booted[K] } = {
      key,
      sandbox,
      link,
      peakBytes: undefined,
      onLine: (line) => {
        if (output.push(line) > 20) output.shift()
      }
    }
    readLines(sandbox.output, budget, (line) => booted.onLine(line))
    const timer = setTimeout(() => listener.fail('it did not report within 15 s'), BOOT_TIMEOUT_MS)
    try {
      await listener.ready
      booted.peakBytes = await sandbox.peakMemory()
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
    this.want(key)
    const shelf = this.#shelves.get(idOf(key))!
    if (shelf.ready.length > 0 || this.#closed) return
    const booted = await this.boot(key)
    this.#put(shelf, booted)
  }

  close(): void {
    this.#closed = true
    for (const shelf of this.#shelves.values()) for (const booted of shelf.ready) booted.sandbox.kill()
    this.#shelves.clear()
  }

  #refill(id: string): void {
    const shelf = this.#shelves.get(id)
    if (shelf === undefined || this.#closed || shelf.booting > 0) return
    if (shelf.ready.length >= this.#options.perKey) return
    shelf.booting++
    this.boot(shelf.key).then(
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

  #put(shelf: { readonly key: StockKey; ready: Booted[] }, booted: Booted): void {
    if (this.#closed || this.#shelves.get(idOf(shelf.key)) !== shelf) {
      booted.sandbox.kill()
      return
    }
    shelf.ready.push(booted)
    void booted.sandbox.exited.then(() => {
      const at = shelf.ready.indexOf(booted)
      if (at < 0) return
      shelf.ready.splice(at, 1)
      this.#refill(idOf(shelf.key))
    })
  }
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
