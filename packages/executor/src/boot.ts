import type { Door, Mount, Sandbox, SandboxHost } from '@hearth/sandbox'
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

export interface BootOptions {
  readonly host: SandboxHost
  readonly plan: (key: StockKey) => BootPlan
  /** Whether sandboxes get a door. */
  readonly doors: boolean
  readonly outputBytesPerSecond: number
}

/** Processes and threads of one sandbox; Lambda documents 1,024. */
const PIDS = 1_024
/** A runtime that has not said that it is up by then never will. */
const BOOT_TIMEOUT_MS = 15_000

/**
 * Starts a sandbox and waits until its runtime is up.
 *
 * @throws Error with the end of the runtime's own output when it does not come up
 */
export async function boot(options: BootOptions, key: StockKey): Promise<Booted> {
  const { command, env, mounts } = options.plan(key)
  const sandbox = await options.host.start({
    command,
    env,
    mounts,
    memoryMiB: key.memoryMiB,
    tmpMiB: key.tmpMiB,
    pids: PIDS,
    network: key.network
  })
  // It is opened while the runtime comes up.
  const opening = options.doors ? sandbox.openDoor() : undefined
  opening?.catch(() => {}) // told below
  const output: string[] = []
  const listener: BootListener = new BootListener()
  const budget: Budget = createBudget(options.outputBytesPerSecond, () => performance.now())
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
