import { type ArnScope, type Authorizer, HearthError, parsePolicy, type RequestFacts, type Wish } from '@hearth/shared'
import type { FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { ClientAddresses } from '../http/client-address.ts'
import type { Metrics } from '../metrics.ts'
import type { Access } from './access.ts'
import { passRole } from './pass-role.ts'
import { IN_ROUTE, ROUTE_ACTIONS } from './route-actions.ts'
import { routeResource } from './route-resource.ts'

export interface AuthorizationOptions {
  readonly authorizer: Authorizer
  readonly access: Access
  readonly scope: ArnScope
  readonly addresses: ClientAddresses
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
  async (app, { authorizer, access, scope, addresses, metrics }) => {
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
      const ask = (one: Wish): void => {
        counted(() => {
          authorizer.require(this.principal ?? undefined, one, factsOf(this, addresses))
        })
      }
      const { again } = this
      if (again === null) {
        ask(wish)
        if (this.keyed !== null) this.asked.push({ action: wish.action, resource: wish.resource })
        return
      }
      // What it asks for now may be something else, as what it made is there.
      for (const { action, resource } of again.asked) {
        ask({ ...wish, action, resource, keys: action === 'iam:PassRole' ? passRole(resource).keys : wish.keys })
      }
      throw again
    })
    app.decorateRequest('requireTrust', function (this: FastifyRequest, wish: Wish) {
      const { principal } = this
      if (principal === null) throw new Error('a route that asks for a key has a principal')
      const role = access.roles.find(wish.resource.slice(wish.resource.lastIndexOf('/') + 1))
      const isIt = role !== undefined && wish.resource === access.roles.arnOf(role)
      counted(() => {
        const trust = isIt ? parsePolicy(role.trust, 'trust', 'trust policy') : undefined
        authorizer.requireTrust(principal, trust, wish, factsOf(this, addresses))
      })
      if (this.again !== null) throw this.again
      if (this.keyed !== null) this.asked.push({ action: wish.action, resource: wish.resource })
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
      const params = request.params as Record<string, string>
      request.requireAccess({ action, resource: routeResource(url, params, scope, access) })
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

function factsOf(request: FastifyRequest, addresses: ClientAddresses): RequestFacts {
  return {
    requestId: request.id,
    sourceIp: addresses.find(request),
    userAgent: request.headers['user-agent'],
    secure: false
  }
}
