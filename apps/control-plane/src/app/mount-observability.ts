import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { budgetRoutes } from '../v1/budget-routes.ts'
import { diagnosticsPart } from '../v1/diagnostics-part.ts'
import { logGroupRoutes } from '../v1/log-group-routes.ts'
import { usageRoutes } from '../v1/usage-routes.ts'

/** What is seen of functions, without their metrics: logs, what they cost, what helps when something is wrong. */
export async function mountObservability(app: FastifyInstance, deps: Deps): Promise<void> {
  await app.register(logGroupRoutes, { prefix: '/v1/log-groups', groups: deps.logGroups })
  await app.register(diagnosticsPart, {
    ...deps.diagnostics,
    health: deps.health,
    metrics: deps.metrics,
    internalToken: deps.internalToken
  })
  await app.register(budgetRoutes, { prefix: '/v1/budgets', budgets: deps.budgets, scope: deps.scope })
  await app.register(usageRoutes, { prefix: '/v1/usage', ...deps.usage })
}
