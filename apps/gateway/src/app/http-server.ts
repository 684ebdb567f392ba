import { randomUUID } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import Fastify from 'fastify'
import { answerClientError } from '../client-errors.ts'
import { type HostEntrance, OTHER_HOST } from '../host-entrance.ts'
import { dialectOf, toRefusal } from '../refusal.ts'
import { refuse } from '../respond.ts'
import { UpgradableRequest } from '../websockets/upgrades.ts'

/** What a slow client gets, in milliseconds. */
export interface ServerTimeouts {
  /** Until all headers are there. */
  readonly headersMs: number
  /** Until the whole request is there: minutes, for a package of 50 MB over a slow line. */
  readonly requestMs: number
  /** How often the two are looked at. */
  readonly checkMs: number
  /** How long an idle connection is kept; longer than what load balancers keep theirs, so that they close first. */
  readonly keepAliveMs: number
}

export const TIMEOUTS: ServerTimeouts = { headersMs: 15_000, requestMs: 300_000, checkMs: 5_000, keepAliveMs: 75_000 }

export type HttpServer = ReturnType<typeof createHttpServer>

/**
 * The router and its server, without a route. It listens to nothing.
 *
 * @param hosts - Asked with each request whether it is for another host than the server's own
 */
export function createHttpServer(timeouts: ServerTimeouts, hosts: () => Pick<HostEntrance, 'claims'>) {
  return Fastify({
    // See log.ts: requests are not logged, and an attached logger costs on every call.
    logger: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    http: {
      headersTimeout: timeouts.headersMs,
      connectionsCheckingInterval: timeouts.checkMs,
      IncomingMessage: UpgradableRequest
    },
    // Room for percent-encoded ARNs; too long ones get their message from parseFunctionRef.
    routerOptions: { maxParamLength: 2_048, querystringParser: () => ({}) },
    clientErrorHandler: answerClientError,
    // Another host goes before every path: its /v1 is the function's.
    rewriteUrl: (req) => (hosts().claims(req) ? OTHER_HOST : req.url!),
    frameworkErrors(err, request, reply) {
      reply.hijack()
      const thrown = new HearthError('INVALID_REQUEST', err.message, { cause: err })
      refuse(request.raw, reply.raw, toRefusal(thrown, dialectOf(request.raw.url ?? ''), request.id))
    }
  })
}
