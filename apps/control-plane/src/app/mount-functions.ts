import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { aliasRoutes } from '../v1/alias-routes.ts'
import { concurrencyRoutes } from '../v1/concurrency-routes.ts'
import { deployRoutes } from '../v1/deploy-routes.ts'
import { eventInvokeRoutes } from '../v1/event-invoke-routes.ts'
import { functionRoutes } from '../v1/function-routes.ts'
import { layerPermissionRoutes } from '../v1/layer-permission-routes.ts'
import { layerRoutes } from '../v1/layer-routes.ts'
import { permissionRoutes } from '../v1/permission-routes.ts'
import { provisionedReports } from '../v1/provisioned-reports.ts'
import { releaseReports } from '../v1/release-reports.ts'
import { releaseRoutes } from '../v1/release-routes.ts'
import { urlRoutes } from '../v1/url-routes.ts'
import { versionRoutes } from '../v1/version-routes.ts'

/** Functions and what is theirs: versions, aliases, releases, layers, URLs, permissions. */
export async function mountFunctions(app: FastifyInstance, deps: Deps): Promise<void> {
  const { service, versions, aliases, releases, artifacts, packages, builder, links, metrics, scope, runtimes } = deps
  const { layers, attachments, urls, urlDomain, concurrency } = deps
  await app.register(deployRoutes, {
    prefix: '/v1/functions',
    service,
    packages,
    builder,
    attachments,
    runtimes,
    scope,
    groups: deps.logGroups,
    metrics
  })
  await app.register(functionRoutes, {
    prefix: '/v1/functions',
    service,
    artifacts,
    attachments,
    runtimes,
    links,
    scope,
    groups: deps.logGroups
  })
  await app.register(versionRoutes, { prefix: '/v1/functions', service, versions, scope, groups: deps.logGroups })
  await app.register(aliasRoutes, { prefix: '/v1/functions', aliases, scope })
  await app.register(releaseRoutes, { prefix: '/v1/functions', releases, scope })
  await app.register(releaseReports, { releases, internalToken: deps.internalToken })
  await app.register(concurrencyRoutes, { prefix: '/v1/functions', concurrency })
  await app.register(provisionedReports, { concurrency, internalToken: deps.internalToken })
  await app.register(layerPermissionRoutes, { prefix: '/v1/layers', layers })
  await app.register(layerRoutes, { prefix: '/v1/layers', layers, packages, artifacts, runtimes, links, scope })
  await app.register(urlRoutes, {
    prefix: '/v1/functions',
    urls,
    urlDomain,
    permissions: deps.permissions,
    scope
  })
  await app.register(permissionRoutes, {
    prefix: '/v1/functions',
    permissions: deps.permissions,
    requireFunction: (name) => void service.get(name)
  })
  await app.register(eventInvokeRoutes, { prefix: '/v1/functions', eventInvoke: deps.eventInvoke, scope })
}
