import { type ArnScope, LIMITS, parseFunctionRef } from '@hearth/shared'
import type { EventQueue } from '@hearth/store'
import { DeliveryError, type DeliveryKind } from './kind.ts'

export interface ToFunctionOptions {
  readonly scope: ArnScope
  readonly queue: Pick<EventQueue, 'enqueue'>
  /** Whether there is such a function, version or alias. @throws HearthError while nobody knows */
  readonly exists: (functionName: string, qualifier: string) => boolean
  /** The function has an event. */
  readonly onAccepted: (functionName: string) => void
  /** Unix time in ms. */
  readonly now: () => number
}

/** To another function, as an event of its own whose id is the delivery's: sent twice, it is there once. */
export function createToFunction({ scope, queue, exists, onAccepted, now }: ToFunctionOptions): DeliveryKind {
  return {
    matches: (target) => target.startsWith('arn:aws:lambda:'),
    async send({ id, target, traceId, attributes, body }) {
      const { name, qualifier = '' } = parseFunctionRef(scope, target)
      if (!exists(name, qualifier)) throw new DeliveryError('there is no such function', true)
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
