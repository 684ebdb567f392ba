import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { gatewayOnly } from '../http/gateway-only.ts'
import { parseBody } from '../v1/json-body.ts'
import type { Schedules } from './schedules.ts'

const Completed = z.object({
  completed: z.array(z.object({ group: z.string(), name: z.string(), id: z.string() }))
})
const REPORT_BYTES = 8_388_608

/** Where the gateway says which schedules have no next time. Not part of the API. */
export const completedReports: FastifyPluginAsyncZod<{
  readonly schedules: Schedules
  readonly internalToken: string
}> = async (app, { schedules, internalToken }) => {
  app.post(
    '/internal/completed-schedules',
    {
      config: { access: 'gateway' },
      bodyLimit: REPORT_BYTES,
      // Before the body: a stranger is not asked to send it.
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: Completed }
    },
    async (request, reply) => {
      schedules.deleteCompleted(request.body.completed)
      return reply.code(204).send()
    }
  )
}
