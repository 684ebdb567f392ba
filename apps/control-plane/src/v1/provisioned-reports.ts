import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { ConcurrencyService } from '../functions/concurrency-service.ts'
import { gatewayOnly } from '../http/gateway-only.ts'
import { ProvisionedReports } from './concurrency-schemas.ts'
import { parseBody } from './json-body.ts'

export interface ProvisionedReportsOptions {
  readonly concurrency: Pick<ConcurrencyService, 'report'>
  readonly internalToken: string
}

/** Some 40,000 of them. */
const REPORT_BYTES = 8_388_608

/** Where the gateway says how far it is with provisioned concurrency. Not part of the API. */
export const provisionedReports: FastifyPluginAsyncZod<ProvisionedReportsOptions> = async (
  app,
  { concurrency, internalToken }
) => {
  app.post(
    '/internal/provisioned',
    {
      config: { access: 'gateway' },
      bodyLimit: REPORT_BYTES,
      // Before the body: a stranger is not asked to send it.
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: ProvisionedReports }
    },
    async (request, reply) => {
      concurrency.report(
        request.body.provisioned.map(({ statusReason, ...report }) => ({
          ...report,
          statusReason: statusReason ?? undefined
        }))
      )
      return reply.code(204).send()
    }
  )
}
