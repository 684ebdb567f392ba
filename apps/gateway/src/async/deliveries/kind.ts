import type { Delivery } from '@hearth/store'

/** One kind of place that outcomes are sent to. A file each. */
export interface DeliveryKind {
  /** @param target - An ARN, or the URL of a webhook */
  matches(target: string): boolean
  /**
   * Resolves when the receiver has it. Who is sent the same id twice must take it for one.
   *
   * @param signal - Aborted when the server stops
   * @throws DeliveryError, or any other error for one that is worth another try
   */
  send(delivery: Delivery, signal: AbortSignal): Promise<void>
}

/** Why something did not arrive; told to whoever asks, so without secrets and parts of URLs. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  /** Trying again would not help. */
  readonly isFinal: boolean
  /** The sender's fault: nothing is wrong with the receiver. */
  readonly isRefused: boolean

  constructor(message: string, isFinal = false, isRefused = false) {
    super(message)
    this.isFinal = isFinal
    this.isRefused = isRefused
  }
}

/** Its function's role does not allow it. It may again, so it is tried again; others' messages go on meanwhile. */
export function refused(): DeliveryError {
  return new DeliveryError(
    "the function's execution role does not have permissions to call InvokeFunction",
    false,
    true
  )
}
