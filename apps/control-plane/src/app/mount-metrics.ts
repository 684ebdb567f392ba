import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { metricReports } from '../metrics-api/metric-reports.ts'
import { metricRoutes } from '../metrics-api/metric-routes.ts'
import { monitoringCbor } from '../metrics-api/protocols/cbor.ts'
import { monitoringJson } from '../metrics-api/protocols/json.ts'

/** What CloudWatch's operations need, in any of its protocols. */
export function monitoringOf({ telemetry: { metrics }, alarms, scope, access }: Deps) {
  return { metrics, alarms: alarms.service, scope, now: access.now }
}

/** Metrics: as the gateway reports them, in /v1, and in the protocols that are CloudWatch's alone. */
export async function mountMetrics(app: FastifyInstance, deps: Deps): Promise<void> {
  const { metrics } = deps.telemetry
  await app.register(metricReports, { metrics, internalToken: deps.internalToken })
  await app.register(metricRoutes, { prefix: '/v1/metrics', metrics, now: deps.access.now })
  await app.register(monitoringJson, { deps: monitoringOf(deps) })
  await app.register(monitoringCbor, { deps: monitoringOf(deps) })
}
