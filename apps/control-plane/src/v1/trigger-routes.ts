import { type ArnScope, HearthError } from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { pageOf } from '../http/cursor.ts'
import { originOf } from '../http/origin.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import type { TriggerKind, TriggerShown } from '../triggers/kind.ts'
import { PlaceName, toKey } from '../triggers/place.ts'
import { TriggerName } from '../triggers/schemas.ts'
import { ListQuery } from './function-schemas.ts'
import { AllTriggers, AllTriggersQuery, keyOf, kindsFor, listTriggers } from './trigger-list.ts'

export interface TriggerRoutesOptions {
  readonly kinds: readonly TriggerKind[]
  readonly scope: ArnScope
  /** Runs several steps, all or nothing. */
  readonly exclusively: <T>(work: () => T) => T
}

const tags = ['triggers']
const PAGE = 50
const KEY = /^[.\-_A-Za-z0-9/]{1,330}$/
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
export const triggerRoutes: FastifyPluginAsyncZod<TriggerRoutesOptions> = async (
  app,
  { kinds, scope, exclusively }
) => {
  app.get(
    '',
    {
      schema: {
        operationId: 'listTriggers',
        summary: 'List triggers of all kinds',
        description: 'Whoever asks must be allowed to list each kind that is asked for.',
        tags,
        querystring: AllTriggersQuery,
        response: { 200: AllTriggers }
      }
    },
    async (request) => {
      const asked = kindsFor(kinds, request.query.kind)
      for (const kind of asked) for (const wish of kind.wishes('list', '')) request.requireAccess(wish)
      return listTriggers(asked, request.query, scope)
    }
  )
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
          querystring: ListQuery.extend(placeQuery(one)),
          response: { 200: List }
        }
      },
      async (request) => {
        for (const wish of one.wishes('list', '')) request.requireAccess(wish)
        const { limit = PAGE, cursor } = request.query
        const place = placeIn(one, request.query)
        return pageOf(
          { query: [`triggers/${one.kind}`, place], cursor, limit, key: KEY },
          (after, most) => one.list(after, most, place),
          keyOf,
          (shown) => viewOf(shown, originOf(request))
        )
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
          querystring: z.strictObject(placeQuery(one)),
          body: one.body,
          response: { 200: TriggerView.describe('Changed'), 201: TriggerView.describe('Created') }
        }
      },
      async (request, reply) => {
        const key = toKey(placeOf(one, request.query, request.body), request.params.name)
        for (const wish of one.wishes('put', key, request.body)) request.requireAccess(wish)
        const shown = exclusively(() => one.put(key, request.body))
        const { arn, created } = shown
        request.log.info({ trigger: arn, created }, 'trigger written')
        void reply.code(created ? 201 : 200)
        return viewOf(shown, originOf(request))
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
          querystring: z.strictObject(placeQuery(one)),
          response: { 200: TriggerView }
        }
      },
      async (request) => {
        const key = toKey(placeIn(one, request.query), request.params.name)
        for (const wish of one.wishes('get', key)) request.requireAccess(wish)
        return viewOf(one.get(key), originOf(request))
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
          querystring: z.strictObject(placeQuery(one)),
          body: z.strictObject({ enabled: z.boolean() }),
          response: { 200: TriggerView }
        }
      },
      async (request) => {
        const key = toKey(placeIn(one, request.query), request.params.name)
        const { enabled } = request.body
        for (const wish of one.wishes(enabled ? 'resume' : 'pause', key)) request.requireAccess(wish)
        return viewOf(
          exclusively(() => one.setEnabled(key, enabled)),
          originOf(request)
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
          querystring: z.strictObject(placeQuery(one)),
          response: { 204: z.undefined().describe('Deleted') }
        }
      },
      async (request, reply) => {
        const key = toKey(placeIn(one, request.query), request.params.name)
        for (const wish of one.wishes('delete', key)) request.requireAccess(wish)
        exclusively(() => {
          one.delete(key)
        })
        request.log.info({ trigger: key, kind: one.kind }, 'trigger deleted')
        return reply.code(204).send()
      }
    )
  }
}

/** As it is sent, with where it is reached. */
export function viewOf({ view, locate }: TriggerShown, origin: string): z.output<typeof TriggerView> {
  return { ...view, ...locate?.(origin) } as z.output<typeof TriggerView>
}

type Query = Readonly<Record<string, unknown>>

function placeQuery({ place }: TriggerKind) {
  const described = PlaceName.optional().meta({ description: 'Default: `default`; of lists: all' })
  return (place === undefined ? {} : { [place]: described }) as Record<never, typeof described>
}

function placeIn({ place }: TriggerKind, query: Query): string | undefined {
  return place === undefined ? undefined : (query[place] as string | undefined)
}

/** @throws HearthError INVALID_REQUEST when query and body say two */
function placeOf(kind: TriggerKind, query: Query, body: unknown): string | undefined {
  const inQuery = placeIn(kind, query)
  const inBody = placeIn(kind, body as Query)
  if (inQuery === undefined || inBody === undefined || inQuery === inBody) return inQuery ?? inBody
  const message = 'is another one in the query'
  const path = `body.${kind.place!}`
  throw new HearthError('INVALID_REQUEST', `${path}: ${message}`, { errors: [{ path, message }] })
}
