import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestRate } from '@hearth/shared'
import type { HTTPMethods } from 'fastify'
import { Call, type Door } from '../call.ts'
import type { Hallway } from '../hallway.ts'
import { requireControlPlane } from '../internal-route.ts'
import { KeyedRoute } from '../keyed-route.ts'
import type { Metrics } from '../metrics.ts'
import { peerAddress } from '../peer-address.ts'
import { judgeRefused, receive } from '../reception.ts'
import { toRefusal } from '../refusal.ts'
import { refuse } from '../respond.ts'
import type { Ask, ServerRoute } from '../server-routes.ts'
import type { HttpServer } from './http-server.ts'

/** Who may use a route: anyone, who proves a key, or whom what is behind it lets in. */
export type Access =
  | 'open'
  | 'caller'
  | 'function-url'
  | 'api'
  | 'webhook'
  | 'load-balancer'
  | 'control-plane'
  /** The control plane itself, and nobody else. */
  | 'internal'

/** What must be allowed to use a route, and on what. */
export interface RouteAccess {
  readonly action: string
  /** Undefined: the route asks by itself. */
  readonly resource: ((name: string) => string) | undefined
  /** How much of a body it takes; undefined: none. */
  readonly bodyBytes?: number | undefined
}

export interface Route {
  readonly methods: readonly string[]
  readonly url: string
  readonly access: Access
  /** What a caller with a key must be allowed. */
  readonly action: string | undefined
}

/** Takes over a request. @param name - What the path has for `:name`, percent-decoded, or '' */
export type Handle = (req: IncomingMessage, res: ServerResponse, id: string, name: string) => void

export interface MountsOptions {
  readonly app: HttpServer
  readonly hallway: Hallway
  /** Of callers with a key, on the server's own routes. */
  readonly rate: RequestRate
  /** What the control plane proves itself with; undefined until the database is there. */
  readonly proof: () => string | undefined
}

/** Every route is mounted here, so that none is reachable without having said who may use it. */
export interface Mounts {
  readonly routes: readonly Route[]
  /** Every method that the router knows. */
  readonly allMethods: HTTPMethods[]
  /** Handlers get the raw request: bodies are read by whoever needs them, after the sender is known. */
  readonly mount: (methods: HTTPMethods[], url: string, access: Access, handle: Handle, action?: string) => void
  /** A way to run the function that the path names, for callers with a key. */
  readonly mountDoor: (methods: HTTPMethods[], url: string, door: Door) => void
  /** A route about the server itself. */
  readonly mountServerRoute: (
    methods: HTTPMethods[],
    url: string,
    access: 'open' | RouteAccess,
    route: ServerRoute
  ) => void
  /** What the control plane asks of this process. */
  readonly mountInternalRoute: (url: string, route: ServerRoute) => void
}

/** Of routes that take none. */
const EMPTY = Buffer.alloc(0)

/** Where the parts of the gateway hang up their routes. */
export function createMounts({ app, hallway, rate, proof }: MountsOptions): Mounts {
  const { metrics, expectations } = hallway
  const routes: Route[] = []

  function mount(methods: HTTPMethods[], url: string, access: Access, handle: Handle, action?: string): void {
    routes.push({ methods, url, access, action })
    app.route<{ Params: { name?: string } }>({
      method: methods,
      url,
      onRequest(request, reply) {
        // Ends Fastify's part here: no body parsing, no serialisation, no reply hooks.
        reply.hijack()
        handle(request.raw, reply.raw, request.id, request.params.name ?? '')
      },
      handler() {
        throw new Error('a hijacked request has no handler')
      }
    })
  }

  const turnDown = (req: IncomingMessage, res: ServerResponse, id: string, err: unknown): void => {
    refuse(req, res, toRefusal(judgeRefused(hallway, err, peerAddress(req), id), 'problem', id))
  }

  return {
    routes,
    allMethods: [...app.supportedMethods] as HTTPMethods[],
    mount,

    mountDoor(methods, url, door) {
      const enter: Handle = (req, res, id, name) => {
        new Call(hallway, door, req, res, id, name).start()
      }
      // Checked where the function is known: enterFunction.
      mount(methods, url, 'caller', enter, 'lambda:InvokeFunction')
    },

    mountServerRoute(methods, url, access, route) {
      const number = metrics.route(url)
      const wish = access === 'open' ? undefined : access
      const handle: Handle = (req, res, id, name) => {
        countAnswer(metrics, number, req, res)
        const serve = async (): Promise<void> => {
          const known = wish === undefined ? undefined : await receive(hallway, expectations, req, res, id, wish)
          const { principal, body = EMPTY } = known ?? {}
          let ask: Ask = () => undefined
          if (wish !== undefined && known !== undefined) {
            rate.take(known.principal.keyId)
            ask = (resource) => {
              hallway.access.require(known.principal, { action: wish.action, resource }, known.facts)
            }
            if (wish.resource !== undefined) ask(wish.resource(name))
          }
          const target = new KeyedRoute(req, res, principal, (err) => {
            turnDown(req, res, id, err)
          })
          const run = (): Promise<void> => route(req, res, name, (...answer) => target.respond(...answer), ask, body)
          const key = req.headers['idempotency-key']
          if (key === undefined || req.method !== 'POST' || principal === undefined) await run()
          else hallway.idempotency.begin(target, String(key), body, () => target.run(run))
        }
        serve().catch((err: unknown) => {
          turnDown(req, res, id, err)
        })
      }
      mount(methods, url, wish === undefined ? 'open' : 'caller', handle, wish?.action)
    },

    mountInternalRoute(url, route) {
      const number = metrics.route(url)
      const nothing = (): void => undefined
      mount(['GET'], url, 'internal', (req, res, id, name) => {
        countAnswer(metrics, number, req, res)
        const serve = async (): Promise<void> => {
          requireControlPlane(req, proof())
          await route(req, res, name, nothing, nothing, EMPTY)
        }
        serve().catch((err: unknown) => {
          turnDown(req, res, id, err)
        })
      })
    }
  }
}

/** Counts the answer of a request that is no invocation when it is over. @param route - Its number in the metrics */
export function countAnswer(metrics: Metrics, route: number, req: IncomingMessage, res: ServerResponse): void {
  const startedAt = performance.now()
  res.on('close', () => {
    const code = res.headersSent ? res.statusCode : 499
    metrics.answered(route, req.method ?? '', code, (performance.now() - startedAt) / 1_000)
  })
}
