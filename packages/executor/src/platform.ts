import type { Door } from '@hearth/sandbox'
import type { FunctionSpec } from './types.ts'

/** The platform, as functions find it inside: who they are there, and the way to it. */
export interface Platform {
  /** @throws Error when the function's role cannot be taken: no instance is started then */
  pass(spec: FunctionSpec): Pass
  /**
   * Answers what connects to the door of an instance of this version, until the instance ends.
   * @param reopen - Another door in the place of one that was closed; rejects when the instance has ended
   */
  answer(spec: FunctionSpec, door: Door, reopen: () => Promise<Door>): void
}

/** Temporary credentials of a function's role. */
export interface Pass {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Unix time in ms. */
  readonly expiresAt: number
  /** False once they were taken back. Asked for every event. */
  isGood(): boolean
}

/** What is left of the credentials when an event's time is over, so that its last request is not refused. */
const MARGIN_MS = 60_000
/**
 * Part of their life before the last moment at which instances begin to be replaced: so that there is time for it, and not
 * all that were started together are.
 */
const SPREAD = 0.1

/** How long an instance may serve with the credentials in its environment, which nothing can change any more. */
export class Lease {
  readonly #pass: Pass
  readonly #usableUntil: number
  readonly #renewFrom: number

  /** @param random - 0 to 1 */
  constructor(pass: Pass, timeoutMs: number, random: number) {
    this.#pass = pass
    this.#usableUntil = pass.expiresAt - timeoutMs - MARGIN_MS
    this.#renewFrom = this.#usableUntil - Math.max(0, this.#usableUntil - Date.now()) * SPREAD * (1 + random)
  }

  /** Whether an event that begins now can use them to its end. */
  get isUsable(): boolean {
    return Date.now() < this.#usableUntil && this.#pass.isGood()
  }

  /** Whether it is time to have the instance replaced. */
  get isAged(): boolean {
    return Date.now() >= this.#renewFrom
  }
}
