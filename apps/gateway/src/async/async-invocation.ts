import type { Invocation, Outcome } from '@hearth/executor'
import type { QueuedEvent } from '@hearth/store'

/** One attempt of an event on its way through its function. */
export class AsyncInvocation implements Invocation {
  readonly requestId: string
  readonly payload: Buffer
  readonly invokedArn: string
  readonly traceId: string
  readonly clientContext: string
  readonly tail = false
  readonly #onSettled: (outcome: Outcome) => void

  /** @param traceId - As the function is to see it */
  constructor(event: QueuedEvent, traceId: string, invokedArn: string, onSettled: (outcome: Outcome) => void) {
    this.requestId = event.requestId
    this.payload = event.payload
    this.invokedArn = invokedArn
    this.traceId = traceId
    this.clientContext = event.clientContext
    this.#onSettled = onSettled
  }

  /** The executor's: exactly once. */
  settle(outcome: Outcome): void {
    this.#onSettled(outcome)
  }
}
