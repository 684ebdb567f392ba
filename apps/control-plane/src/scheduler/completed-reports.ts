import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { mountGatewayReport } from '../http/gateway-report.ts'
import type { Schedules } from './schedules.ts'

const Completed = z.object({
  completed: z.array(z.object({ group: z.string(), name: z.string(), id: z.string() }))
})
const REPORT_BYTES = 8_388_608

/** Where the gateway says which schedules have no next time. Not part of the API. */
export const completedReports: FastifyPluginAsync<{
  readonly schedules: Schedules
  readonly internalToken: string
}> = async (app, { schedules, internalToken }) => {
  mountGatewayReport(app, {
    url: '/internal/completed-schedules',
    body: Completed,
    bodyBytes: REPORT_BYTES,
    internalToken,
    take: ({ completed }) => {
      schedules.deleteCompleted(completed)
    }
  })
}
