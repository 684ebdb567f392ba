import { createWebhookSender, WebhookError, webhookKey } from '@hearth/shared'
import type { Delivery } from '@hearth/store'
import { toTraceparent } from '../../tracing/trace-header.ts'
import { DeliveryError, type DeliveryKind } from './kind.ts'

export interface ToWebhookOptions {
  /** What a delivery is to be signed with; undefined: its webhook is not configured any more. */
  readonly secretOf: (delivery: Delivery) => string | undefined
  /** Networks that may be reached beside public addresses. */
  readonly networks: readonly string[]
  /** Unix time in ms. */
  readonly now: () => number
  /** What one attempt may take, in ms. */
  readonly timeoutMs?: number
}

/** To an HTTP server, as {@link createWebhookSender} sends. */
export function createToWebhook({ secretOf, networks, now, timeoutMs }: ToWebhookOptions): DeliveryKind {
  const post = createWebhookSender({ networks, now, timeoutMs })
  return {
    matches: (target) => /^https?:/.test(target),
    async send(delivery, signal) {
      const { target: url, id, body } = delivery
      const secret = secretOf(delivery)
      const key = secret === undefined ? undefined : webhookKey(secret)
      if (key === undefined) throw new DeliveryError('the webhook is not configured any more', true)
      try {
        await post({ url, id, body, key, traceparent: toTraceparent(delivery.traceId) }, signal)
      } catch (err) {
        throw err instanceof WebhookError ? new DeliveryError(err.message, err.isFinal) : err
      }
    }
  }
}
