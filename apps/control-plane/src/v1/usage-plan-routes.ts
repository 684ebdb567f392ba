import { type ApiKey, type ArnScope, apiGatewayArn, type UsagePlan } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromCursor, toCursor } from '../http/cursor.ts'
import type { UsagePlans } from '../usage-plans/usage-plans.ts'
import { parseBody } from './json-body.ts'
import {
  ApiKeyList,
  ApiKeyView,
  KeyBody,
  PLAN_NAME,
  PlanBody,
  PlanList,
  PlanListQuery,
  PlanParams,
  PlanView
} from './usage-plan-schemas.ts'

export interface UsagePlanRoutesOptions {
  readonly usagePlans: UsagePlans
  readonly scope: ArnScope
}

const tags = ['usage plans']
const PAGE = 50

/** API keys, and the usage plans that say what they open. Mounted under `/v1`. */
export const usagePlanRoutes: FastifyPluginAsyncZod<UsagePlanRoutesOptions> = async (app, { usagePlans, scope }) => {
  /** One that is to be made has no id yet. */
  const ask = (request: FastifyRequest, verb: string, kind: 'apikeys' | 'usageplans', id: string | undefined): void => {
    const path = id === undefined ? `/${kind}` : `/${kind}/${id}`
    request.requireAccess({ action: `apigateway:${verb}`, resource: apiGatewayArn(scope, path) })
  }
  /** Who may not is told so whether or not there is such a thing. */
  const askOne = (request: FastifyRequest, verb: string, kind: 'apikeys' | 'usageplans', name: string): void => {
    const found = kind === 'apikeys' ? usagePlans.findKey(name) : usagePlans.findPlan(name)
    ask(request, verb, kind, found?.id ?? name)
  }

  app.get(
    '/api-keys',
    {
      schema: {
        operationId: 'listApiKeys',
        summary: 'List API keys by name, without their values',
        tags,
        querystring: PlanListQuery,
        response: { 200: ApiKeyList }
      }
    },
    async (request) => {
      ask(request, 'GET', 'apikeys', undefined)
      const { limit = PAGE, cursor } = request.query
      const found = usagePlans.listKeys(cursor === undefined ? '' : fromCursor(cursor, 'cursor', PLAN_NAME), limit + 1)
      const page = found.slice(0, limit)
      const last = found.length > limit ? page.at(-1) : undefined
      return { items: page.map((key) => keyView(key)), nextCursor: last === undefined ? null : toCursor(last.name) }
    }
  )

  app.put(
    '/api-keys/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putApiKey',
        summary: 'Make an API key, or change it',
        description: 'What is not said becomes as it is for a new one; its value stays.',
        tags,
        params: PlanParams,
        body: KeyBody,
        response: { 200: ApiKeyView.describe('Changed'), 201: ApiKeyView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { value, enabled = true, description, tags: wanted = {} } = request.body
      const before = usagePlans.findKey(name)
      if (before === undefined) ask(request, 'POST', 'apikeys', undefined)
      else ask(request, 'PATCH', 'apikeys', before.id)
      const settings = { value, isEnabled: enabled, description: description ?? undefined, tags: wanted }
      const { key, created, made } = usagePlans.putKey(name, settings)
      request.log.info({ apiKey: key.id, created }, 'API key written')
      void reply.code(created ? 201 : 200)
      return keyView(key, made)
    }
  )

  app.get(
    '/api-keys/:name',
    {
      schema: {
        operationId: 'getApiKey',
        summary: 'Get an API key, without its value',
        tags,
        params: PlanParams,
        response: { 200: ApiKeyView }
      }
    },
    async (request) => {
      askOne(request, 'GET', 'apikeys', request.params.name)
      return keyView(usagePlans.getKey(request.params.name))
    }
  )

  app.delete(
    '/api-keys/:name',
    {
      schema: {
        operationId: 'deleteApiKey',
        summary: 'Delete an API key, which leaves its plans',
        tags,
        params: PlanParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      askOne(request, 'DELETE', 'apikeys', request.params.name)
      usagePlans.deleteKey(request.params.name)
      request.log.info({ apiKey: request.params.name }, 'API key deleted')
      return reply.code(204).send()
    }
  )

  app.get(
    '/usage-plans',
    {
      schema: {
        operationId: 'listUsagePlans',
        summary: 'List usage plans by name',
        tags,
        querystring: PlanListQuery,
        response: { 200: PlanList }
      }
    },
    async (request) => {
      ask(request, 'GET', 'usageplans', undefined)
      const { limit = PAGE, cursor } = request.query
      const found = usagePlans.listPlans(cursor === undefined ? '' : fromCursor(cursor, 'cursor', PLAN_NAME), limit + 1)
      const page = found.slice(0, limit)
      const last = found.length > limit ? page.at(-1) : undefined
      return { items: page.map(planView), nextCursor: last === undefined ? null : toCursor(last.name) }
    }
  )

  app.put(
    '/usage-plans/:name',
    {
      preValidation: parseBody,
      schema: {
        operationId: 'putUsagePlan',
        summary: 'Make a usage plan, or say anew what it is',
        description: 'All of it or nothing. A key may belong to one plan of a stage.',
        tags,
        params: PlanParams,
        body: PlanBody,
        response: { 200: PlanView.describe('Changed'), 201: PlanView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { throttle, quota, description, stages, keys, tags: wanted = {} } = request.body
      const before = usagePlans.findPlan(name)
      if (before === undefined) ask(request, 'POST', 'usageplans', undefined)
      else ask(request, 'PATCH', 'usageplans', before.id)
      const { plan, created } = usagePlans.putPlan(name, {
        throttle: throttle ?? undefined,
        quota: quota ?? undefined,
        description: description ?? undefined,
        stages: stages.map(({ api, stage }) => ({ api, stage })),
        keys,
        tags: wanted
      })
      request.log.info({ usagePlan: plan.id, created }, 'usage plan written')
      void reply.code(created ? 201 : 200)
      return planView(plan)
    }
  )

  app.get(
    '/usage-plans/:name',
    {
      schema: {
        operationId: 'getUsagePlan',
        summary: 'Get a usage plan',
        tags,
        params: PlanParams,
        response: { 200: PlanView }
      }
    },
    async (request) => {
      askOne(request, 'GET', 'usageplans', request.params.name)
      return planView(usagePlans.getPlan(request.params.name))
    }
  )

  app.delete(
    '/usage-plans/:name',
    {
      schema: {
        operationId: 'deleteUsagePlan',
        summary: 'Delete a usage plan; its keys stay',
        tags,
        params: PlanParams,
        response: { 204: z.undefined().describe('Deleted') }
      }
    },
    async (request, reply) => {
      askOne(request, 'DELETE', 'usageplans', request.params.name)
      usagePlans.deletePlan(request.params.name)
      request.log.info({ usagePlan: request.params.name }, 'usage plan deleted')
      return reply.code(204).send()
    }
  )

  function keyView(key: ApiKey, made?: string) {
    return {
      id: key.id,
      name: key.name,
      enabled: key.isEnabled,
      description: key.description ?? '',
      plans: usagePlans.plansOf(key).map(({ name }) => name),
      tags: { ...key.tags },
      createdAt: new Date(key.createdAt).toISOString(),
      lastModified: new Date(key.modifiedAt).toISOString(),
      ...(made === undefined ? {} : { value: made })
    }
  }

  function planView(plan: UsagePlan) {
    return {
      id: plan.id,
      name: plan.name,
      description: plan.description ?? '',
      throttle: plan.throttle ?? null,
      quota: plan.quota ?? null,
      stages: plan.stages.map(({ apiId, stage }) => ({ apiId, stage })),
      keys: usagePlans.keysOf(plan).map(({ name }) => name),
      tags: { ...plan.tags },
      createdAt: new Date(plan.createdAt).toISOString(),
      lastModified: new Date(plan.modifiedAt).toISOString()
    }
  }
}
