import { createWebhookSender, type SendWebhook, webhookKey } from '@hearth/shared'
import { createWebhookKind } from '../destinations/webhook-kind.ts'
import type { ServiceInvoker } from '../service-invoker.ts'
import { DeliveryFailure } from './outbox.ts'

/** A message to a function, by its ARN, or to a webhook, by its URL. */
export interface TargetMessage {
  /** Lower-case UUID: the receiver's id of it. */
  readonly id: string
  readonly target: string
  /** JSON. */
  readonly body: string
}

/** On whose account it is sent. */
export interface TargetSender {
  /** `budgets.amazonaws.com`: the function's policy must let it in. */
  readonly service: string
  readonly sourceArn: string
  /** What messages to a webhook are signed with; undefined: it is nobody's any more. */
  readonly secretOf: () => string | undefined
}

export interface Targets {
  /** @throws HearthError INVALID_REQUEST for a URL that no message may go to */
  checkWebhook(url: string): void
  /** @throws DeliveryFailure, WebhookError, or Error of the gateway */
  send(message: TargetMessage, sender: TargetSender, signal: AbortSignal): Promise<void>
}

export interface TargetsOptions {
  readonly invoker: Pick<ServiceInvoker, 'invoke'>
  /** Networks that webhooks may reach beside public addresses. */
  readonly networks: readonly string[]
  readonly now: () => Date
}

/** Where what services of this server have to say may go: functions, through the gateway's queue, and signed webhooks. */
export function createTargets({ invoker, networks, now }: TargetsOptions): Targets {
  const webhookKind = createWebhookKind(networks)
  const post: SendWebhook = createWebhookSender({ networks, now: () => now().getTime() })
  return {
    checkWebhook(url) {
      webhookKind.check(url, { functionName: '', role: undefined, purpose: 'OnFailure' })
    },
    async send({ id, target, body }, { service, sourceArn, secretOf }, signal) {
      if (target.startsWith('arn:')) {
        const answer = await invoker.invoke({ eventId: id, functionArn: target, service, sourceArn, payload: body })
        if (answer.status === 'refused') throw new DeliveryFailure(answer.message, true)
        return
      }
      const secret = secretOf()
      const key = secret === undefined ? undefined : webhookKey(secret)
      if (key === undefined) throw new DeliveryFailure('the webhook is not one of its targets any more', true)
      await post({ url: target, id, body: Buffer.from(body), key }, signal)
    }
  }
}
