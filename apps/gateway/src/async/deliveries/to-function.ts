import { type ArnScope, LIMITS, parseFunctionRef } from '@hearth/shared'
import type { Delivery, EventQueue } from '@hearth/store'
import { DeliveryError, type DeliveryKind } from './kind.ts'

export interface ToFunctionOptions {
  readonly scope: ArnScope
  readonly queue: Pick<EventQueue, 'enqueue'>
  /** Whether there is such a function, version or alias. @throws HearthError while nobody knows */
  readonly exists: (functionName: string, qualifier: string) => boolean
  /** @throws DeliveryError unless the role of the function whose outcome it is may invoke the target */
  readonly requireAccess: (delivery: Delivery) => void
  /** The function has an event. */
  readonly onAccepted: (functionName: string) => void
  /** Unix time in ms. */
  readonly now: () => number
}

/** To another function, as an event of its own whose id is the delivery's: sent twice, it is there once. */
export function createToFunction({
  scope,
  queue,
  exists,
  requireAccess,
  onAccepted,
  now
}: ToFunctionOptions): DeliveryKind {
  return {
    matches: (target) => target.startsWith('arn:aws:lambda:'),
    async send(delivery) {
      const { id, target, traceId, attributes, body } = delivery
      const { name, qualifier = '' } = parseFunctionRef(scope, target)
      if (!exists(name, qualifier)) throw new DeliveryError('there is no such function', true)
      // Asked when it was set too; the role may be another since.
      requireAccess(delivery)
      if (body.length > LIMITS.asyncPayloadBytes) {
        throw new DeliveryError(
          `${body.length} bytes are more than an event may have: ${LIMITS.asyncPayloadBytes}`,
          true
        )
      }
      // A queue would show the attributes of a dead letter beside it.
      const clientContext = attributes === '' ? '' : `{"custom":${attributes}}`
      const event = { requestId: id, functionName: name, qualifier, traceId, clientContext, payload: body }
      await queue.enqueue({ ...event, acceptedAt: now() }, false)
      onAccepted(name)
    }
  }
}
