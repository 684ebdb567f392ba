import type { Instance } from './instance.ts'
import type { ProvisionedStats } from './types.ts'

/** How a start of a provisioned instance went. */
export type ProvisionedStart =
  | { readonly instance: Instance }
  /** Why not, as the operator reads it. */
  | { readonly failure: string }

export interface ProvisionedOptions {
  /**
   * Asks for a start, when it is its turn. `isWanted` is asked then; without it no start is made.
   *
   * @param done - Called once: undefined when there was no room, or nothing wanted
   */
  readonly start: (isWanted: () => boolean, done: (start: ProvisionedStart | undefined) => void) => void
  /** An instance is ready for its first event. */
  readonly onReady: (instance: Instance) => void
  /** An idle instance has been replaced. */
  readonly onReplaced: (instance: Instance) => void
}

/** Starts under way at a time: events that wait for an instance come first. */
const STARTS_AT_ONCE = 2
/** An instance that ends so soon after its init is as bad as one whose init fails. */
const SHORT_LIFE_MS = 5_000
/** After a failed start the next one waits this long, doubling. */
const RETRY_MS = { first: 500, last: 60_000 }

/** The instances of one version that are initialised ahead, and replaced when they end. */
export class Provisioned {
  readonly #options: ProvisionedOptions
  /** Idle ones, the most recently used last. */
  readonly #idle: Instance[] = []
  /** All that are initialised, with when they were. */
  readonly #all = new Map<Instance, number>()
  #target = 0
  #starting = 0
  #failures = 0
  #failure: string | undefined
  /** All have been there since they were asked for. */
  #reached = false
  #retry: NodeJS.Timeout | undefined
  /** Initialised ones that go when others have come in their place. */
  readonly #ageing = new Set<Instance>()
  /** Events that found all of them in use. */
  spilled = 0

  constructor(options: ProvisionedOptions) {
    this.#options = options
  }

  get isStarting(): boolean {
    return this.#starting > 0
  }

  get idle(): readonly Instance[] {
    return this.#idle
  }

  /** @returns idle instances that are not needed any more; busy ones go when they have done their work */
  setTarget(target: number): readonly Instance[] {
    const surplus: Instance[] = []
    this.#target = target
    this.#reached = false
    this.#failures = 0
    this.#failure = undefined
    clearTimeout(this.#retry)
    this.#retry = undefined
    while (this.#all.size > target) {
      const instance = this.#idle.shift()
      if (instance === undefined) break
      this.#forget(instance)
      surplus.push(instance)
    }
    this.replenish()
    return surplus
  }

  /** Starts what is missing. */
  replenish(): void {
    if (this.#all.size >= this.#target) this.#reached = true
    while (this.#isShort && this.#starting < STARTS_AT_ONCE && this.#retry === undefined) {
      this.#starting++
      let isOver = false
      this.#options.start(
        () => this.#all.size + this.#starting <= this.#target + this.#ageing.size,
        (start) => {
          isOver = true
          this.#starting--
          this.#started(start)
        }
      )
      // No room: whoever has some says so.
      if (isOver) return
    }
  }

  /** The one for the next event. */
  take(): Instance | undefined {
    for (let instance = this.#idle.pop(); instance !== undefined; instance = this.#idle.pop()) {
      if (instance.open) return instance
      instance.expire()
    }
    return undefined
  }

  /** Has another one started, for which this one goes. Safe to call again. */
  renew(instance: Instance): void {
    if (this.#ageing.size >= STARTS_AT_ONCE || this.#ageing.has(instance)) return
    this.#ageing.add(instance)
    this.replenish()
  }

  /** One has nothing to do any more. @returns false when it is not needed */
  put(instance: Instance): boolean {
    if (!this.#all.has(instance)) return false
    if (this.#all.size > this.#target) {
      this.#forget(instance)
      return false
    }
    this.#idle.push(instance)
    return true
  }

  ended(instance: Instance): void {
    const readyAt = this.#all.get(instance)
    if (readyAt === undefined) return
    this.#forget(instance)
    if (performance.now() - readyAt < SHORT_LIFE_MS) this.#retryLater()
    else this.#failures = 0
    this.replenish()
  }

  stats(inUse: number): ProvisionedStats {
    const status = this.#failure !== undefined ? 'FAILED' : this.#reached ? 'READY' : 'IN_PROGRESS'
    return {
      requested: this.#target,
      available: Math.min(this.#all.size, this.#target),
      inUse,
      spilled: this.spilled,
      status,
      statusReason: this.#failure
    }
  }

  get #isShort(): boolean {
    return this.#all.size + this.#starting < this.#target + this.#ageing.size
  }

  #forget(instance: Instance): void {
    this.#all.delete(instance)
    this.#ageing.delete(instance)
    const at = this.#idle.indexOf(instance)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  /** Lets go of one that was replaced; a busy one ends when it has done its work. */
  #letGo(): void {
    const [instance] = this.#ageing
    if (instance === undefined || this.#all.size <= this.#target) return
    const isIdle = this.#idle.includes(instance)
    this.#forget(instance)
    if (isIdle) this.#options.onReplaced(instance)
  }

  #started(start: ProvisionedStart | undefined): void {
    if (start === undefined) return
    if ('failure' in start) {
      this.#failure = start.failure
      this.#retryLater()
      return
    }
    this.#failure = undefined
    this.#all.set(start.instance, performance.now())
    if (this.#all.size >= this.#target) this.#reached = true
    this.#letGo()
    this.#options.onReady(start.instance)
    this.replenish()
  }

  #retryLater(): void {
    if (this.#retry !== undefined) return
    const delayMs = Math.min(RETRY_MS.last, RETRY_MS.first * 2 ** this.#failures++)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.replenish()
    }, delayMs)
    this.#retry.unref()
  }
}
