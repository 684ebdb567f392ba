import type { FastifyPluginAsync } from 'fastify'
import { mountGatewayReport } from '../http/gateway-report.ts'
import type { ReleaseService } from '../releases/release-service.ts'
import { ReportBody } from './release-schemas.ts'

export interface ReleaseReportsOptions {
  readonly releases: ReleaseService
  readonly internalToken: string
}

/** Where the gateway says what it counted for releases. Not part of the API. */
export const releaseReports: FastifyPluginAsync<ReleaseReportsOptions> = async (app, { releases, internalToken }) => {
  mountGatewayReport(app, {
    url: '/v1/internal/release-reports',
    body: ReportBody,
    internalToken,
    take: (report) => {
      releases.report(report.releases)
    }
  })
}
