import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { mountGatewayReport } from '../http/gateway-report.ts'
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
export const archiveReports: FastifyPluginAsync<{
  readonly archives: Archives
  readonly internalToken: string
}> = async (app, { archives, internalToken }) => {
  mountGatewayReport(app, {
    url: '/internal/archives',
    body: Report,
    bodyBytes: REPORT_BYTES,
    internalToken,
    take: (report) => {
      archives.report(report)
    }
  })
}
