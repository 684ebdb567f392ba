import type { Sandbox } from '@hearth/sandbox'
import { encodeShutdown } from './channel/frame-writer.ts'
import type { Link } from './link.ts'
import { FLAG_HAS_EXTERNAL, FLAG_WANTS_SHUTDOWN } from './protocol.ts'

/** Why an instance ends. */
export type ExitReason = 'idle' | 'retired' | 'crash' | 'oom' | 'timeout' | 'init' | 'protocol' | 'evicted' | 'shutdown'

/** What extensions get to end in order, as on Lambda: those inside the runtime, and programs beside it. */
const INTERNAL_SHUTDOWN_MS = 500
export const SHUTDOWN_MS = 2_000

/** How long an instance may take to end after its channel has closed. */
const EXIT_GRACE_MS = 250

/** Ends that extensions are told of, and Lambda's word for each. A crash or an empty memory leaves nobody to tell. */
const FAREWELLS: Partial<Record<ExitReason, 'spindown' | 'timeout'>> = {
  idle: 'spindown',
  retired: 'spindown',
  evicted: 'spindown',
  shutdown: 'spindown',
  timeout: 'timeout'
}

/** What extensions get before the end. @param flags - Of INIT_OK @returns 0: there are none */
export function shutdownMs(flags: number): number {
  if ((flags & FLAG_WANTS_SHUTDOWN) === 0) return 0
  return (flags & FLAG_HAS_EXTERNAL) === 0 ? INTERNAL_SHUTDOWN_MS : SHUTDOWN_MS
}

/** How an instance ends: it is killed, at once or when its time to end in order is over. */
export class Farewell {
  readonly #sandbox: Pick<Sandbox, 'kill'>
  readonly #link: Pick<Link, 'send'>
  #killer: NodeJS.Timeout | undefined
  /** What extensions get before the end; 0: there are none. */
  shutdownMs = 0

  constructor(sandbox: Pick<Sandbox, 'kill'>, link: Pick<Link, 'send'>) {
    this.#sandbox = sandbox
    this.#link = link
  }

  /** Whether somebody is told of an end for this reason, who must be able to run then. */
  isSaid(reason: ExitReason): boolean {
    return this.shutdownMs > 0 && FAREWELLS[reason] !== undefined
  }

  /** Ends it. */
  begin(reason: ExitReason): void {
    const word = FAREWELLS[reason]
    if (this.shutdownMs === 0 || word === undefined) {
      this.#sandbox.kill()
      return
    }
    this.#link.send(encodeShutdown(word, this.shutdownMs))
    this.#killIn(this.shutdownMs)
  }

  /**
   * Its channel has closed. A process that ends closes that first: its own exit status shall be seen. One that closed it
   * on purpose is of no use any more.
   */
  channelClosed(): void {
    this.#killIn(EXIT_GRACE_MS)
  }

  /** No process of it is left. */
  over(): void {
    clearTimeout(this.#killer)
  }

  #killIn(ms: number): void {
    this.#killer = setTimeout(() => this.#sandbox.kill(), ms)
  }
}
