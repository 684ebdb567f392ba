import type { FastifyInstance } from 'fastify'
import { alarmRoutes } from '../alarms/alarm-routes.ts'
import type { Deps } from '../deps.ts'
import { archiveReports } from '../events/archive-reports.ts'
import { completedReports } from '../scheduler/completed-reports.ts'
import { createEventKind } from '../triggers/event-kind.ts'
import { createHttpKind } from '../triggers/http-kind.ts'
import { createLoadBalancerKind } from '../triggers/load-balancer-kind.ts'
import { createScheduleKind } from '../triggers/schedule-kind.ts'
import { createServicePermissions } from '../triggers/service-permission.ts'
import { createWebhookKind } from '../triggers/webhook-kind.ts'
import { createWebSocketKind } from '../triggers/websocket-kind.ts'
import { domainRoutes } from '../v1/domain-routes.ts'
import { httpStaticRoutes } from '../v1/http-static-routes.ts'
import { triggerRoutes } from '../v1/trigger-routes.ts'
import { usagePlanRoutes } from '../v1/usage-plan-routes.ts'
import { webhookRoutes } from '../v1/webhook-routes.ts'

/** What leads to functions: triggers of all kinds, alarms, and the addresses and plans of APIs. */
export async function mountTriggers(app: FastifyInstance, deps: Deps): Promise<void> {
  const { packages, scope, urls, urlDomain } = deps
  const servicePermissions = createServicePermissions(deps.permissions, scope)
  const webhooks = createWebhookKind({
    ...deps.webhooks,
    buses: deps.eventRules.repository,
    permissions: servicePermissions,
    scope,
    now: deps.access.now
  })
  await app.register(triggerRoutes, {
    prefix: '/v1/triggers',
    kinds: [
      createEventKind(deps.eventRules, servicePermissions),
      createScheduleKind(deps.schedules, servicePermissions, deps.access.now),
      createHttpKind(deps.apis, servicePermissions),
      createWebSocketKind(deps.apis, servicePermissions),
      webhooks,
      createLoadBalancerKind({
        ...deps.loadBalancers,
        permissions: servicePermissions,
        urlDomain,
        scope,
        now: deps.access.now
      })
    ],
    scope,
    exclusively: deps.access.exclusively
  })
  // What they do is to invoke functions, too.
  await app.register(alarmRoutes, {
    prefix: '/v1/alarms',
    alarms: deps.alarms,
    metrics: deps.telemetry.metrics,
    invoker: deps.invoker,
    permissions: servicePermissions,
    exclusively: deps.access.exclusively
  })
  await app.register(webhookRoutes, {
    prefix: '/v1/triggers/webhook',
    webhooks,
    exclusively: deps.access.exclusively
  })
  await app.register(httpStaticRoutes, {
    prefix: '/v1/triggers/http',
    apis: deps.apis.drafts.repository,
    packages,
    scope,
    now: deps.access.now,
    exclusively: deps.access.exclusively
  })
  await app.register(usagePlanRoutes, { prefix: '/v1', usagePlans: deps.usagePlans, scope })
  await app.register(domainRoutes, { prefix: '/v1/domains', urls, urlDomain })
  await app.register(archiveReports, { archives: deps.eventRules.archives, internalToken: deps.internalToken })
  await app.register(completedReports, { schedules: deps.schedules, internalToken: deps.internalToken })
}
