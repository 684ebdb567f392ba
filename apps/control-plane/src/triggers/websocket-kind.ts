import { z } from 'zod'
import type { Apis } from '../apis/apis.ts'
import { badRequest } from '../apis/refusals.ts'
import { ApiBody, type ApiDocument, createApiTriggers, WebSocketRoute } from './api-kind.ts'
import type { TriggerKind } from './kind.ts'
import type { ServicePermissions } from './service-permission.ts'

const Body = z.strictObject({
  ...ApiBody,
  routes: z.record(z.string(), z.union([z.string().min(1).max(200), WebSocketRoute])).meta({
    description: 'By route key ($connect, $disconnect, $default or a name): a function, or how it is reached'
  }),
  routeSelectionExpression: z
    .string()
    .optional()
    .meta({ description: 'The member of a message that names its route. Default: $request.body.action' }),
  stage: z.string().min(1).max(128).optional().meta({ description: 'End of the URL. Default: live' })
})

/** WebSocket APIs. */
export function createWebSocketKind(apis: Apis, permissions: ServicePermissions): TriggerKind<typeof Body> {
  const triggers = createApiTriggers(apis, permissions, { protocol: 'WEBSOCKET', kind: 'websocket' })
  const show = (api: ReturnType<typeof triggers.get>, created?: boolean) => {
    const routes = apis.drafts.all(api.id, 'route')
    return triggers.show(
      api,
      {
        routes: Object.fromEntries(routes.map((route) => [route.key, triggers.routeView(api, route)])),
        routeSelectionExpression: api.routeSelectionExpression
      },
      created
    )
  }
  return {
    kind: 'websocket',
    body: Body,
    summary: 'WebSocket messages',
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
    Object.entries(body.routes).map(([key, route]) => [key, typeof route === 'string' ? { function: route } : route])
  )
  if (Object.keys(routes).length === 0) throw badRequest('routes is required.', 'routes')
  return {
    settings: {
      description: body.description ?? undefined,
      routeSelectionExpression: body.routeSelectionExpression ?? '$request.body.action',
      tags: body.tags
    },
    stage: body.stage ?? 'live',
    routes,
    body
  }
}
