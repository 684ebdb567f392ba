import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '@hearth/shared'
import type { Keyable, KeyedCall } from './idempotency.ts'
import { respond } from './respond.ts'

/** A request to a route of the server itself, which may carry an Idempotency-Key. */
export class KeyedRoute implements Keyable {
  readonly req: IncomingMessage
  readonly principal: Principal | undefined
  keyed: KeyedCall | undefined
  readonly #res: ServerResponse
  readonly #turnDown: (err: unknown) => void

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    principal: Principal | undefined,
    turnDown: (err: unknown) => void
  ) {
    this.req = req
    this.principal = principal
    this.#res = res
    this.#turnDown = turnDown
  }

  /** The first of its key: that is on disk before the route does anything. */
  run(route: () => Promise<void>): void {
    const { keyed } = this
    if (keyed === undefined) return
    keyed
      .reserve()
      .then(route)
      .catch((err: unknown) => {
        this.refuse(err)
      })
  }

  respond(status: number, headers: string[], body: Buffer): void {
    const send = (): void => {
      respond(this.#res, status, headers, body)
    }
    if (this.keyed === undefined) send()
    else this.keyed.conclude({ status, headers: [...headers], body }, send)
  }

  refuse(thrown: unknown): void {
    if (this.keyed === undefined) this.#turnDown(thrown)
    else this.keyed.forget(() => this.#turnDown(thrown))
  }
}
