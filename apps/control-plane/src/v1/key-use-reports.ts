import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { KeyUses } from '../access/key-uses.ts'
import { gatewayOnly } from '../http/gateway-only.ts'
import { parseBody } from './json-body.ts'

export interface KeyUseReportsOptions {
  readonly uses: KeyUses
  readonly region: string
  readonly now: () => Date
  readonly internalToken: string
}

const Body = z.object({
  uses: z.array(z.object({ accessKeyId: z.string().max(128), service: z.enum(['lambda', 'hearth']) })).max(100_000)
})

/** Where the gateway says which keys were used there. Not part of the API. */
export const keyUseReports: FastifyPluginAsyncZod<KeyUseReportsOptions> = async (
  app,
  { uses, region, now, internalToken }
) => {
  app.post(
    '/v1/internal/key-uses',
    {
      config: { access: 'gateway' },
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: Body }
    },
    async (request, reply) => {
      const at = now().toISOString()
      for (const { accessKeyId, service } of request.body.uses) uses.note(accessKeyId, { at, service, region })
      return reply.code(204).send()
    }
  )
}
