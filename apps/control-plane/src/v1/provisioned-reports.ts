import type { FastifyPluginAsync } from 'fastify'
import type { ConcurrencyService } from '../functions/concurrency-service.ts'
import { mountGatewayReport } from '../http/gateway-report.ts'
import { ProvisionedReports } from './concurrency-schemas.ts'

export interface ProvisionedReportsOptions {
  readonly concurrency: Pick<ConcurrencyService, 'report'>
  readonly internalToken: string
}

/** Some 40,000 of them. */
const REPORT_BYTES = 8_388_608

/** Where the gateway says how far it is with provisioned concurrency. Not part of the API. */
export const provisionedReports: FastifyPluginAsync<ProvisionedReportsOptions> = async (
  app,
  { concurrency, internalToken }
) => {
  mountGatewayReport(app, {
    url: '/internal/provisioned',
    body: ProvisionedReports,
    bodyBytes: REPORT_BYTES,
    internalToken,
    take: ({ provisioned }) => {
      concurrency.report(
        provisioned.map(({ statusReason, ...report }) => ({ ...report, statusReason: statusReason ?? undefined }))
      )
    }
  })
}
