import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { gatewayOnly } from '../http/gateway-only.ts'
import type { ReleaseService } from '../releases/release-service.ts'
import { parseBody } from './json-body.ts'
import { ReportBody } from './release-schemas.ts'

export interface ReleaseReportsOptions {
  readonly releases: ReleaseService
  readonly internalToken: string
}

/** Where the gateway says what it counted for releases. Not part of the API. */
export const releaseReports: FastifyPluginAsyncZod<ReleaseReportsOptions> = async (
  app,
  { releases, internalToken }
) => {
  app.post(
    '/v1/internal/release-reports',
    {
      config: { access: 'gateway' },
      onRequest: gatewayOnly(internalToken),
      preValidation: parseBody,
      schema: { hide: true, body: ReportBody }
    },
    async (request, reply) => {
      releases.report(request.body.releases.map(({ p99Ms, ...counts }) => ({ ...counts, p99Ms })))
      return reply.code(204).send()
    }
  )
}
