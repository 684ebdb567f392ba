import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { TriggerName } from '../triggers/schemas.ts'
import type { WebhookKind } from '../triggers/webhook-kind.ts'
import { RotateBody } from '../triggers/webhook-settings.ts'
import { TriggerView, viewOf } from './trigger-routes.ts'

export interface WebhookRoutesOptions {
  readonly webhooks: WebhookKind
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

/** What webhooks have beside what every trigger has. */
export const webhookRoutes: FastifyPluginAsyncZod<WebhookRoutesOptions> = async (app, { webhooks, exclusively }) => {
  app.post(
    '/:name/rotate-secret',
    {
      preValidation: async (request) => {
        const bytes = bytesOf(request)
        request.body = bytes.length === 0 ? {} : parseJsonObject(bytes)
      },
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Give a webhook another secret',
        description:
          'The new one counts at once, and the old one for a while too. One that is made is shown here alone.',
        tags: ['triggers'],
        params: z.object({ name: TriggerName }),
        body: RotateBody,
        response: { 200: TriggerView }
      }
    },
    async (request) => {
      const { name } = request.params
      for (const wish of webhooks.rotationWishes(name, request.body)) request.requireAccess(wish)
      const shown = exclusively(() => webhooks.rotate(name, request.body))
      request.log.info({ trigger: shown.arn }, 'secret of a webhook rotated')
      return viewOf(shown, originOf(request))
    }
  )
}
