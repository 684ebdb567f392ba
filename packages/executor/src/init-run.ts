import { type InitResult, initTimedOut } from './init-result.ts'

/** An init that is under way: it ends once, by the runtime's word, its time limit, or the end of the instance. */
export class InitRun {
  readonly result: Promise<InitResult>
  readonly attachMs: number
  readonly #startedAt: number
  readonly #timer: NodeJS.Timeout
  #resolve: (result: InitResult) => void = () => undefined

  /**
   * @param attachMs - What attaching the code took
   * @param onTimeout - Called after the result is known
   */
  constructor(attachMs: number, limitMs: number, onTimeout: () => void) {
    this.attachMs = attachMs
    this.#startedAt = performance.now()
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#timer = setTimeout(() => {
      this.settle(initTimedOut(this.elapsedMs, limitMs))
      onTimeout()
    }, limitMs)
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  settle(result: InitResult): void {
    clearTimeout(this.#timer)
    this.#resolve(result)
  }
}
