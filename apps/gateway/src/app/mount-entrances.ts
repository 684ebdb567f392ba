import type { ArnScope } from '@hearth/shared'
import { apiTriggerRoutes } from '../apis/api-trigger-routes.ts'
import type { Clock } from '../async/clock.ts'
import type { Hallway } from '../hallway.ts'
import { triggerRoutes } from '../triggers/routes.ts'
import { webhookRoute } from '../triggers/webhooks/webhook-route.ts'
import { socketTriggerRoutes } from '../websockets/socket-trigger-routes.ts'
import type { Entrances } from './entrances.ts'
import { countAnswer, type Handle, type Mounts } from './mounts.ts'

export interface MountEntrancesOptions {
  readonly hallway: Hallway
  readonly entrances: Entrances
  readonly scope: ArnScope
  readonly clock: Clock
  /** Takes a request to the control plane. */
  readonly forward: Handle
}

/** Paths of APIs, webhooks and load balancers, and what is asked about these and about triggers. */
export function mountEntrances(mounts: Mounts, options: MountEntrancesOptions): void {
  const { allMethods, mount, mountServerRoute } = mounts
  const { hallway, scope, clock, forward } = options
  const { guard, apis, triggers, sockets, published } = options.entrances

  const enterApi: Handle = (req, res, id) => {
    apis.enterByPath(req, res, id)
  }
  for (const url of ['/api/:name', '/api/:name/*']) mount(allMethods, url, 'api', enterApi)
  const connections = {
    '/@connections/:connection': { access: 'caller', otherwise: forward },
    // A path of an HTTP API may look the same.
    '/api/:name/:stage/@connections/:connection': { access: 'api', otherwise: enterApi }
  } as const
  for (const [url, { access, otherwise }] of Object.entries(connections)) {
    const manage: Handle = (req, res, id, name) => {
      if (!sockets.serve(req, res, id)) otherwise(req, res, id, name)
    }
    mount(allMethods, url, access, manage, 'execute-api:ManageConnections')
  }

  const hooked = hallway.metrics.route('/hooks/:id')
  const receiveWebhook = webhookRoute({
    hallway,
    webhooks: triggers.webhooks,
    counts: hallway.metrics.webhooks,
    refresh: () => {
      triggers.refresh()
    },
    expectations: hallway.expectations,
    isDraining: hallway.draining,
    now: () => clock.now()
  })
  mount(allMethods, '/hooks/:name', 'webhook', (req, res, id, name) => {
    countAnswer(hallway.metrics, hooked, req, res)
    receiveWebhook(req, res, id, name)
  })
  for (const url of ['/lb/:name', '/lb/:name/*']) {
    mount(allMethods, url, 'load-balancer', (req, res, id, name) => {
      triggers.refresh()
      triggers.loadBalancers.serve(name, req, res, id)
    })
  }

  for (const { method, url, action, bodyBytes, route } of [
    ...triggerRoutes(triggers, scope),
    ...apiTriggerRoutes(apis, scope, published.health),
    ...socketTriggerRoutes(sockets, scope, published.health)
  ]) {
    mountServerRoute([method], url, { action, resource: undefined, bodyBytes }, route)
  }
  for (const { method, url, action, arnOf, route } of guard.routes) {
    mountServerRoute([method], url, { action, resource: arnOf }, route)
  }
}
