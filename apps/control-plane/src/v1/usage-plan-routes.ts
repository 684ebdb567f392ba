import { type ApiKey, type ArnScope, apiGatewayArn, type UsagePlan } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { pageOf } from '../http/cursor.ts'
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

/** What both kinds have alike: they are made under a name, and have an id of AWS's kind. */
interface NamedKind<One extends { readonly id: string; readonly name: string }> {
  /** Below `/v1`. */
  readonly path: string
  /** In ARNs of API Gateway. */
  readonly resource: 'apikeys' | 'usageplans'
  /** In the log. */
  readonly word: { readonly member: string; readonly text: string }
  readonly operations: Readonly<
    Record<'list' | 'get' | 'delete', { readonly operationId: string; readonly summary: string }>
  >
  readonly view: z.ZodType<object>
  readonly listView: z.ZodType<{ items: object[]; nextCursor: string | null }>
  readonly toView: (one: One) => object
  readonly list: (after: string, limit: number) => readonly One[]
  readonly find: (name: string) => One | undefined
  /** @throws HearthError RESOURCE_NOT_FOUND */
  readonly get: (name: string) => One
  readonly remove: (name: string) => void
}

/** API keys, and the usage plans that say what they open. Mounted under `/v1`. */
export const usagePlanRoutes: FastifyPluginAsyncZod<UsagePlanRoutesOptions> = async (app, { usagePlans, scope }) => {
  const ask = (request: FastifyRequest, verb: string, resource: string, id?: string): void => {
    const path = id === undefined ? `/${resource}` : `/${resource}/${id}`
    request.requireAccess({ action: `apigateway:${verb}`, resource: apiGatewayArn(scope, path) })
  }
  /** One that is to be made has no id yet. */
  const askToPut = (request: FastifyRequest, resource: string, before: { readonly id: string } | undefined): void => {
    if (before === undefined) ask(request, 'POST', resource)
    else ask(request, 'PATCH', resource, before.id)
  }

  function mountNamed<One extends { readonly id: string; readonly name: string }>(kind: NamedKind<One>): void {
    const { path, resource, word, operations } = kind
    /** Who may not is told so whether or not there is such a thing. */
    const askOne = (request: FastifyRequest, verb: string, name: string): void => {
      ask(request, verb, resource, kind.find(name)?.id ?? name)
    }
    app.get(
      path,
      { schema: { ...operations.list, tags, querystring: PlanListQuery, response: { 200: kind.listView } } },
      async (request) => {
        ask(request, 'GET', resource)
        const { limit = PAGE, cursor } = request.query
        return pageOf(
          { query: [path], cursor, limit, key: PLAN_NAME },
          (after, most) => kind.list(after, most),
          ({ name }) => name,
          kind.toView
        )
      }
    )
    app.get(
      `${path}/:name`,
      { schema: { ...operations.get, tags, params: PlanParams, response: { 200: kind.view } } },
      async (request) => {
        const { name } = request.params
        askOne(request, 'GET', name)
        return kind.toView(kind.get(name))
      }
    )
    app.delete(
      `${path}/:name`,
      {
        schema: {
          ...operations.delete,
          tags,
          params: PlanParams,
          response: { 204: z.undefined().describe('Deleted') }
        }
      },
      async (request, reply) => {
        const { name } = request.params
        askOne(request, 'DELETE', name)
        kind.remove(name)
        request.log.info({ [word.member]: name }, `${word.text} deleted`)
        return reply.code(204).send()
      }
    )
  }

  mountNamed<ApiKey>({
    path: '/api-keys',
    resource: 'apikeys',
    word: { member: 'apiKey', text: 'API key' },
    operations: {
      list: { operationId: 'listApiKeys', summary: 'List API keys by name, without their values' },
      get: { operationId: 'getApiKey', summary: 'Get an API key, without its value' },
      delete: { operationId: 'deleteApiKey', summary: 'Delete an API key, which leaves its plans' }
    },
    view: ApiKeyView,
    listView: ApiKeyList,
    toView: (key) => keyView(key),
    list: (after, limit) => usagePlans.listKeys(after, limit),
    find: (name) => usagePlans.findKey(name),
    get: (name) => usagePlans.getKey(name),
    remove: (name) => {
      usagePlans.deleteKey(name)
    }
  })
  mountNamed<UsagePlan>({
    path: '/usage-plans',
    resource: 'usageplans',
    word: { member: 'usagePlan', text: 'usage plan' },
    operations: {
      list: { operationId: 'listUsagePlans', summary: 'List usage plans by name' },
      get: { operationId: 'getUsagePlan', summary: 'Get a usage plan' },
      delete: { operationId: 'deleteUsagePlan', summary: 'Delete a usage plan; its keys stay' }
    },
    view: PlanView,
    listView: PlanList,
    toView: planView,
    list: (after, limit) => usagePlans.listPlans(after, limit),
    find: (name) => usagePlans.findPlan(name),
    get: (name) => usagePlans.getPlan(name),
    remove: (name) => {
      usagePlans.deletePlan(name)
    }
  })

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
      askToPut(request, 'apikeys', usagePlans.findKey(name))
      const settings = { value, isEnabled: enabled, description: description ?? undefined, tags: wanted }
      const { key, created, made } = usagePlans.putKey(name, settings)
      request.log.info({ apiKey: key.id, created }, 'API key written')
      void reply.code(created ? 201 : 200)
      return keyView(key, made)
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
      askToPut(request, 'usageplans', usagePlans.findPlan(name))
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
