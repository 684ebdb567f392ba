import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fromCursor, toCursor } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import type { TriggerKind, TriggerShown } from '../triggers/kind.ts'
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
const View = z.looseObject({
  kind: z.string(),
  name: z.string(),
  arn: z.string(),
  functions: z.array(z.string()).meta({ description: 'ARNs of the functions that it starts' }),
  enabled: z.boolean()
})
const List = z.object({ items: z.array(View), nextCursor: z.string().nullable() })

/** What starts functions by itself. Each kind has its paths below `/v1/triggers`. */
export const triggerRoutes: FastifyPluginAsyncZod<TriggerRoutesOptions> = async (app, { kinds, exclusively }) => {
  for (const kind of kinds) mount(kind)

  function mount(one: TriggerKind): void {
    const Kind = one.kind[0]!.toUpperCase() + one.kind.slice(1)
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
          items: page.map((shown) => viewOf(shown, request)),
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
          response: { 200: View.describe('Changed'), 201: View.describe('Created') }
        }
      },
      async (request, reply) => {
        const { name } = request.params
        for (const wish of one.wishes('put', name, request.body)) request.requireAccess(wish)
        const shown = exclusively(() => one.put(name, request.body))
        const { arn, created } = shown
        request.log.info({ trigger: arn, created }, 'trigger written')
        void reply.code(created ? 201 : 200)
        return viewOf(shown, request)
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
          response: { 200: View }
        }
      },
      async (request) => {
        for (const wish of one.wishes('get', request.params.name)) request.requireAccess(wish)
        return viewOf(one.get(request.params.name), request)
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
          response: { 200: View }
        }
      },
      async (request) => {
        const { name } = request.params
        const { enabled } = request.body
        request.requireAccess({ action: one.pauseAction(enabled), resource: one.wishes('get', name)[0]!.resource })
        return viewOf(
          exclusively(() => one.setEnabled(name, enabled)),
          request
        )
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

function viewOf({ view, locate }: TriggerShown, request: FastifyRequest): z.output<typeof View> {
  return { ...view, ...locate?.(originOf(request)) } as z.output<typeof View>
}
