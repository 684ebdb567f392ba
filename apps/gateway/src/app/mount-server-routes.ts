import type { Executor } from '@hearth/executor'
import { type ArnScope, functionArn, logGroupArn, parseFunctionRef, type Readiness } from '@hearth/shared'
import type { EventQueue } from '@hearth/store'
import type { EventService } from '../async/event-service.ts'
import { askControlPlane, createControlPlaneProbe } from '../control-plane-probe.ts'
import { type DiagnosticsFacts, diagnosticsRoute } from '../diagnostics/diagnostics-route.ts'
import type { Hallway } from '../hallway.ts'
import type { LogsRoute } from '../logs/logs-route.ts'
import { healthRoute, metricsRoute, readyRoute, runtimesRoute, startupRoute } from '../server-routes.ts'
import { functionUsageRoute } from '../usage/usage-route.ts'
import type { UsageWriter } from '../usage/usage-writer.ts'
import type { Mounts, RouteAccess } from './mounts.ts'

export interface ServerRoutesOptions {
  readonly hallway: Hallway
  readonly scope: ArnScope
  readonly dataDir: string
  /** The control plane's. */
  readonly controlPort: number
  readonly executor: Executor
  readonly queue: EventQueue
  readonly readiness: Readiness
  readonly events: Pick<EventService, 'routes'>
  readonly usage: UsageWriter
  readonly logs: LogsRoute
  /** What goes into bundles for bug reports beside what the gateway itself knows. */
  readonly diagnostics: DiagnosticsFacts | undefined
  /** What this process and the control plane prove themselves with; undefined until the database is there. */
  readonly proof: () => string | undefined
}

/** What the control plane's part of a bundle may take. */
const DIAGNOSTICS = { timeoutMs: 5_000, maxBytes: 16 * 1_048_576 }
const NO_FACTS: DiagnosticsFacts = { version: '', config: {}, isolation: [], secrets: [], log: () => [] }

/** What is asked about the server, and about functions, that the gateway alone knows. */
export function mountServerRoutes(
  { mountServerRoute, mountInternalRoute }: Mounts,
  options: ServerRoutesOptions
): void {
  const { hallway, scope, controlPort, executor, queue, readiness, proof } = options
  const { metrics } = hallway
  const ofServer = (action: string): RouteAccess => ({ action, resource: () => '*' })
  const ofFunction = (action: string): RouteAccess => ({
    action,
    resource: (name) => functionArn(scope, parseFunctionRef(scope, name).name)
  })
  const readLogs: RouteAccess = {
    action: 'logs:FilterLogEvents',
    resource(reference) {
      const { name } = parseFunctionRef(scope, reference)
      const group = hallway.directory.find(name, undefined)?.record.logging.logGroup ?? `/aws/lambda/${name}`
      return `${logGroupArn(scope, group)}:*`
    }
  }
  mountServerRoute(['GET'], '/v1/functions/:name/logs', readLogs, options.logs.route)
  for (const { methods, url, action, on, route } of options.events.routes) {
    mountServerRoute(methods, url, on === 'function' ? ofFunction(action) : { action, resource: undefined }, route)
  }
  mountServerRoute(['GET'], '/v1/runtimes', ofServer('hearth:ListRuntimes'), runtimesRoute(executor))
  mountInternalRoute('/internal/function-usage', functionUsageRoute(options.usage))
  mountServerRoute(['GET'], '/metrics', ofServer('hearth:GetMetrics'), metricsRoute(metrics))
  const diagnostics = diagnosticsRoute({
    facts: options.diagnostics ?? NO_FACTS,
    dataDir: options.dataDir,
    readiness,
    metrics,
    executor,
    queue,
    controlPlane: () => askControlPlane(controlPort, '/internal/diagnostics', { ...DIAGNOSTICS, token: proof() }),
    proof
  })
  mountServerRoute(['GET'], '/v1/diagnostics', ofServer('hearth:GetDiagnostics'), diagnostics)
  const controlPlane = createControlPlaneProbe(controlPort, () => performance.now())
  mountServerRoute(['GET', 'HEAD'], '/healthz', 'open', healthRoute())
  mountServerRoute(['GET', 'HEAD'], '/readyz', 'open', readyRoute(readiness, controlPlane))
  mountServerRoute(['GET', 'HEAD'], '/startupz', 'open', startupRoute(readiness, controlPlane))
}
