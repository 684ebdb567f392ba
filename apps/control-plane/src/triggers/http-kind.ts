import { z } from 'zod'
import { type Apis, Cors } from '../apis/apis.ts'
import { badRequest } from '../apis/refusals.ts'
import { ApiBody, type ApiDocument, HttpRoute } from './api-document.ts'
import { createApiTriggers } from './api-kind.ts'
import type { TriggerKind } from './kind.ts'
import type { ServicePermissions } from './service-permission.ts'

const Body = z.strictObject({
  ...ApiBody,
  routes: z
    .record(z.string(), z.union([z.string().min(1).max(200), HttpRoute]))
    .optional()
    .meta({ description: 'By route key (GET /pets/{id}, ANY /{proxy+}, $default): a function, or how it is reached' }),
  function: z.string().min(1).max(200).optional().meta({ description: 'Gets what no route takes: $default' }),
  cors: Cors.nullish()
})

/** HTTP APIs. */
export function createHttpKind(apis: Apis, permissions: ServicePermissions): TriggerKind<typeof Body> {
  const triggers = createApiTriggers(apis, permissions, { protocol: 'HTTP', kind: 'http' })
  const show = (api: ReturnType<typeof triggers.get>, created?: boolean) => {
    const routes = apis.drafts.all(api.id, 'route')
    return triggers.show(
      api,
      {
        routes: Object.fromEntries(routes.map((route) => [route.key, triggers.routeView(api, route)])),
        cors: api.cors ?? null,
        static: api.static === undefined ? null : { index: api.static.index, notFound: api.static.notFound ?? null }
      },
      created
    )
  }
  return {
    kind: 'http',
    body: Body,
    summary: 'HTTP requests',
    wishes: (step, name, body) => triggers.wishes(step, name, body && documentOf(body)),
    put(name, body) {
      const { api, created } = triggers.put(name, documentOf(body))
      return show(api, created)
    },
    get: (name) => show(triggers.get(name)),
    setEnabled: (name, isEnabled) => show(triggers.setEnabled(name, isEnabled)),
    delete: triggers.delete,
    list: (after, limit) => triggers.list(after, limit).map((api) => show(api))
  }
}

function documentOf(body: z.output<typeof Body>): ApiDocument {
  const routes = Object.fromEntries(
    Object.entries(body.routes ?? {}).map(([key, route]) => [
      key,
      typeof route === 'string' ? { function: route } : route
    ])
  )
  if (body.function !== undefined) {
    if (Object.hasOwn(routes, '$default')) throw badRequest('function and the route $default are the same.', 'function')
    routes['$default'] = { function: body.function }
  }
  if (Object.keys(routes).length === 0) throw badRequest('routes or function is required.', 'routes')
  return {
    settings: {
      description: body.description ?? undefined,
      corsConfiguration: body.cors ?? undefined,
      tags: body.tags
    },
    stage: '$default',
    routes,
    body
  }
}
