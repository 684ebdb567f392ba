import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ArnScope } from '@hearth/shared'
import type { LogReader, LogSettingsReader, LogWriter } from '@hearth/store'
import { API_PATH } from '../apis/api-paths.ts'
import type { Entry } from '../function-routes.ts'
import type { Hallway } from '../hallway.ts'
import { OTHER_HOST } from '../host-entrance.ts'
import { PUT_LOG_EVENTS, putLogEventsRoute } from '../put-log-events/put-log-events-route.ts'
import { serviceDoor } from '../service-door.ts'
import { PUT_EVENTS, putEventsRoute } from '../triggers/put-events-route.ts'
import type { Entrances } from './entrances.ts'
import type { HttpServer } from './http-server.ts'
import { countAnswer, type Handle, type Mounts } from './mounts.ts'

export interface ControlPlaneRoutesOptions {
  readonly app: HttpServer
  readonly hallway: Hallway
  readonly scope: ArnScope
  readonly entrances: Pick<Entrances, 'apis' | 'hosts' | 'triggers'>
  readonly logs: LogWriter
  readonly logReader: LogReader
  /** Undefined until the database is there. */
  readonly logSettings: () => LogSettingsReader | undefined
  readonly find: (functionName: string, qualifier: string) => Entry | undefined
  /** What the control plane proves itself with; undefined until the database is there. */
  readonly proof: () => string | undefined
  /** Takes a request to the control plane. */
  readonly forward: Handle
}

/**
 * What goes to the control plane: all that is not mounted elsewhere, but for the few operations of its services that
 * are served here. And the way back, for what its services have for functions.
 */
export function mountControlPlane({ allMethods, mount }: Mounts, options: ControlPlaneRoutesOptions): void {
  const { app, hallway, scope, find, proof, forward } = options
  const { metrics, expectations } = hallway
  const { apis, hosts, triggers } = options.entrances
  const isDraining = hallway.draining

  for (const { url, handle } of serviceDoor({
    hallway,
    scope,
    find,
    access: () => hallway.access,
    dispatcher: hallway.dispatcher,
    triggers,
    expectations,
    proof,
    isDraining
  })) {
    mount(['POST'], url, 'internal', handle)
  }

  mount(allMethods, OTHER_HOST, 'control-plane', (req, res, id, name) => {
    if (!hosts.serve(req, res, id)) forward(req, res, id, name)
  })
  const served = servedHere(options)
  // Other operations of the service, and other services, have the same path.
  mount(['POST'], '/', 'control-plane', (req, res, id, name) => {
    const one = served.get(String(req.headers['x-amz-target']))
    if (one === undefined) {
      forward(req, res, id, name)
      return
    }
    countAnswer(metrics, one.number, req, res)
    one.serve(req, res, id)
  })
  mount(allMethods, '/*', 'control-plane', forward)
  // Methods that Fastify's router does not know; the control plane says what it thinks of them.
  app.setNotFoundHandler((request, reply) => {
    reply.hijack()
    if (hosts.serve(request.raw, reply.raw, request.id)) return
    // Routes of APIs may take any method.
    if (request.raw.url!.startsWith(API_PATH)) apis.enterByPath(request.raw, reply.raw, request.id)
    else forward(request.raw, reply.raw, request.id, '')
  })
}

interface ServedHere {
  readonly serve: (req: IncomingMessage, res: ServerResponse, id: string) => void
  /** Of the route, in the metrics. */
  readonly number: number
}

/** Operations of the control plane's services that the gateway serves, by their `X-Amz-Target`. */
function servedHere(options: ControlPlaneRoutesOptions): ReadonlyMap<string, ServedHere> {
  const { hallway, scope, logs, logReader, logSettings } = options
  const { metrics, expectations } = hallway
  const door = { hallway, scope, expectations, isDraining: hallway.draining }
  const routes = {
    [PUT_EVENTS]: putEventsRoute({ ...door, triggers: options.entrances.triggers }),
    [PUT_LOG_EVENTS]: putLogEventsRoute({ ...door, logs, reader: logReader, settings: logSettings, now: Date.now })
  }
  return new Map(
    Object.entries(routes).map(([target, serve]) => [target, { serve, number: metrics.route(target) }] as const)
  )
}
