import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { gatewayOnly } from '../http/gateway-only.ts'
import { parseBody } from '../v1/json-body.ts'
import type { Archives } from './archives.ts'

const Report = z.object({
  archives: z.array(z.object({ id: z.string(), events: z.number(), bytes: z.number() })),
  replays: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED']),
      reason: z.string(),
      lastEventAt: z.number().optional(),
      endedAt: z.number().optional()
    })
  )
})
const REPORT_BYTES = 1_048_576

/** Where the gateway says what archives have, and how far replays are. Not part of the API. */
export const archiveReports: FastifyPluginAsyncZod<{
  readonly archives: Archives
  readonly internalToken: string
}> = async (app, { archives, internalToken }) => {
  app.post(
    '/internal/archives',
    {
      config: { access: 'gateway' },
      bodyLimit: REPORT_BYTES,
      // Before the body: a stranger is not asked to send it.
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: Report }
    },
    async (request, reply) => {
      archives.report(request.body)
      return reply.code(204).send()
    }
  )
}
