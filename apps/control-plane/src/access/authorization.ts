import { timingSafeEqual } from 'node:crypto'
import {
  type ArnScope,
  type Authorizer,
  HearthError,
  type PrincipalSource,
  parsePolicy,
  type RequestFacts,
  type Wish
} from '@hearth/shared'
import type { FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'
import { roleArn } from './names.ts'
import { IN_ROUTE, ROUTE_ACTIONS } from './route-actions.ts'
import { routeResource } from './route-resource.ts'

export interface AuthorizationOptions {
  readonly authorizer: Authorizer
  readonly roles: Pick<PrincipalSource, 'findRole'>
  readonly scope: ArnScope
  /** What the gateway proves itself with: whose word for the client's address is taken. */
  readonly internalToken: string
  readonly metrics: Metrics
}

declare module 'fastify' {
  interface FastifyRequest {
    /** @throws HearthError ACCESS_DENIED when the caller may not */
    requireAccess(wish: Wish): void
    /** @throws HearthError ACCESS_DENIED when the caller may not take the role that is the wish's resource */
    requireTrust(wish: Wish): void
    /** Whether the route's own action was asked for. */
    isAllowed: boolean
  }
}

/**
 * Default deny: a route that says neither who may use it without a key nor what a caller must be allowed cannot be
 * mounted. Comes after authentication, in both places where that finds out who calls.
 */
export const authorization = fp<AuthorizationOptions>(
  async (app, { authorizer, roles, scope, internalToken, metrics }) => {
    const proof = Buffer.from(internalToken)

    const counted = (ask: () => void): void => {
      try {
        ask()
      } catch (thrown) {
        if (thrown instanceof HearthError && thrown.code === 'ACCESS_DENIED') {
          metrics.authFailures.inc({ reason: 'denied' })
        }
        throw thrown
      }
    }
    app.decorateRequest('requireAccess', function (this: FastifyRequest, wish: Wish) {
      counted(() => {
        authorizer.require(this.principal ?? undefined, wish, factsOf(this, proof))
      })
    })
    app.decorateRequest('requireTrust', function (this: FastifyRequest, wish: Wish) {
      const { principal } = this
      if (principal === null) throw new Error('a route that asks for a key has a principal')
      const role = roles.findRole(wish.resource.slice(wish.resource.lastIndexOf('/') + 1))
      const isIt = role !== undefined && wish.resource === roleArn(scope.accountId, role)
      counted(() => {
        const trust = isIt ? parsePolicy(role.trust, 'trust', 'trust policy') : undefined
        authorizer.requireTrust(principal, trust, wish, factsOf(this, proof))
      })
    })

    app.decorateRequest('isAllowed', false)

    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => {
      const id = (route.schema as { operationId?: string } | undefined)?.operationId ?? ''
      const action = ROUTE_ACTIONS[id]
      if (action !== undefined) route.config = { ...route.config, action: action === IN_ROUTE ? 'in-route' : action }
      routes.push(route)
    })
    // Not before: others may still say that a route is open.
    app.addHook('onReady', async () => {
      for (const { config, method, url } of routes) {
        if (config?.access === 'open' || config?.access === 'gateway' || config?.action !== undefined) continue
        throw new Error(`${String(method)} ${url} does not say who may use it`)
      }
    })

    const check = (request: FastifyRequest): void => {
      const { config, url = '' } = request.routeOptions
      const { action } = config
      if (request.principal === null || request.isAllowed) return
      request.isAllowed = true
      // A path that leads nowhere has none.
      if (action === undefined || action === 'in-route') return
      request.requireAccess({ action, resource: routeResource(url, request.params as Record<string, string>, scope) })
    }

    app.addHook('onRequest', async (request) => {
      check(request)
    })
    app.addHook('preValidation', async (request) => {
      check(request)
    })
  },
  { name: 'authorization', dependencies: ['authentication'] }
)

function factsOf(request: FastifyRequest, proof: Buffer): RequestFacts {
  const { headers } = request
  const sent = Buffer.from(String(headers['x-hearth-gateway'] ?? ''))
  const isGateway = sent.length === proof.length && timingSafeEqual(sent, proof)
  const forwarded = headers['x-forwarded-for']
  return {
    requestId: request.id,
    sourceIp: isGateway && typeof forwarded === 'string' ? forwarded : request.ip,
    userAgent: headers['user-agent'],
    secure: false
  }
}
