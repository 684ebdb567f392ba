import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import type { KeyUses } from '../access/key-uses.ts'
import { mountGatewayReport } from '../http/gateway-report.ts'

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
export const keyUseReports: FastifyPluginAsync<KeyUseReportsOptions> = async (
  app,
  { uses, region, now, internalToken }
) => {
  mountGatewayReport(app, {
    url: '/v1/internal/key-uses',
    body: Body,
    internalToken,
    take: (report) => {
      const at = now().toISOString()
      for (const { accessKeyId, service } of report.uses) uses.note(accessKeyId, { at, service, region })
    }
  })
}
