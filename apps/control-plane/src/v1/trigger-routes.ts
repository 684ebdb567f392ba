import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import type { TriggerKind } from '../triggers/kind.ts'
import { TriggerName } from '../triggers/schemas.ts'
import { ListQuery } from './function-schemas.ts'

export interface TriggerRoutesOptions {
  readonly kinds: readonly TriggerKind[]
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

const tags = ['triggers']
const PAGE = 50
const NAME = /^[.\-_A-Za-z0-9]{1,64}$/
const Params = z.object({ name: TriggerName })
export const TriggerView = z.looseObject({
  kind: z.string(),
  name: z.string(),
  arn: z.string(),
  functions: z.array(z.string()).meta({ description: 'ARNs of the functions that it starts' }),
  enabled: z.boolean()
})
const List = z.object({ items: z.array(TriggerView), nextCursor: z.string().nullable() })

/** What starts functions by itself. Each kind has its paths below `/v1/triggers`. */
export const triggerRoutes: FastifyPluginAsyncZod<TriggerRoutesOptions> = async (app, { kinds, exclusively }) => {
  for (const kind of kinds) mount(kind)

  function mount(one: TriggerKind): void {
    // `LoadBalancer` of `load-balancer`.
    const Kind = one.kind.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
    app.get(
      `/${one.kind}`,
      {
        schema: {
          operationId: `list${Kind}Triggers`,
          summary: `List triggers by ${one.summary}`,
          tags,
          querystring: ListQuery,
          response: { 200: List }
        }
      },
      async (request) => {
        for (const wish of one.wishes('list', '')) request.requireAccess(wish)
        const { limit = PAGE, cursor } = request.query
        const found = one.list(cursor === undefined ? '' : fromCursor(cursor, 'cursor', NAME), limit + 1)
        const page = found.slice(0, limit)
        const last = found.length > limit ? page.at(-1) : undefined
        return {
          items: page.map(({ view }) => withUrl(view, originOf(request))),
          nextCursor: last === undefined ? null : toCursor(String(last.view['name']))
        }
      }
    )
    app.put(
      `/${one.kind}/:name`,
      {
        preValidation: async (request) => {
          request.body = parseJsonObject(bytesOf(request))
        },
        schema: {
          operationId: `put${Kind}Trigger`,
          summary: `Start a function by ${one.summary}, or change how`,
          description:
            "What is not said becomes as it is for a new one. The function's policy is made to let the trigger in.",
          tags,
          params: Params,
          body: one.body,
          response: { 200: TriggerView.describe('Changed'), 201: TriggerView.describe('Created') }
        }
      },
      async (request, reply) => {
        const { name } = request.params
        for (const wish of one.wishes('put', name, request.body)) request.requireAccess(wish)
        const { view, arn, created } = exclusively(() => one.put(name, request.body))
        request.log.info({ trigger: arn, created }, 'trigger written')
        void reply.code(created ? 201 : 200)
        return withUrl(view, originOf(request))
      }
    )
    app.get(
      `/${one.kind}/:name`,
      {
        schema: {
          operationId: `get${Kind}Trigger`,
          summary: `Get a trigger by ${one.summary}`,
          tags,
          params: Params,
          response: { 200: TriggerView }
        }
      },
      async (request) => {
        for (const wish of one.wishes('get', request.params.name)) request.requireAccess(wish)
        return withUrl(one.get(request.params.name).view, originOf(request))
      }
    )
    app.patch(
      `/${one.kind}/:name`,
      {
        preValidation: async (request) => {
          request.body = parseJsonObject(bytesOf(request)) as never
        },
        schema: {
          operationId: `change${Kind}Trigger`,
          summary: 'Pause a trigger, or let it go on',
          description: 'What came due while it was paused is not made up for.',
          tags,
          params: Params,
          body: z.strictObject({ enabled: z.boolean() }),
          response: { 200: TriggerView }
        }
      },
      async (request) => {
        const { name } = request.params
        const { enabled } = request.body
        for (const wish of one.wishes(enabled ? 'resume' : 'pause', name)) request.requireAccess(wish)
        return withUrl(exclusively(() => one.setEnabled(name, enabled)).view, originOf(request))
      }
    )
    app.delete(
      `/${one.kind}/:name`,
      {
        schema: {
          operationId: `delete${Kind}Trigger`,
          summary: `Delete a trigger by ${one.summary}`,
          tags,
          params: Params,
          response: { 204: z.undefined().describe('Deleted') }
        }
      },
      async (request, reply) => {
        const { name } = request.params
        for (const wish of one.wishes('delete', name)) request.requireAccess(wish)
        exclusively(() => {
          one.delete(name)
        })
        request.log.info({ trigger: name, kind: one.kind }, 'trigger deleted')
        return reply.code(204).send()
      }
    )
  }
}

/** A view as it is sent: what has a path on this server is shown with its URL too. */
export function withUrl(view: Readonly<Record<string, unknown>>, origin: string): z.output<typeof TriggerView> {
  const { path } = view
  return (typeof path === 'string' ? { ...view, url: origin + path } : view) as z.output<typeof TriggerView>
}
