import { type ArnScope, fromCursor, HearthError, type ListQuery, parseFunctionRef, toCursor } from '@hearth/shared'
import { z } from 'zod'
import type { TriggerKind, TriggerShown } from '../triggers/kind.ts'
import { ListQuery as PageQuery } from './function-schemas.ts'

export const AllTriggersQuery = PageQuery.extend({
  kind: z.string().max(64).optional().meta({ description: 'Of this kind alone' }),
  function: z.string().min(1).max(200).optional().meta({
    description: 'That start this function: name (whatever the qualifier), name:qualifier or ARN'
  })
})

const TriggerSummary = z.object({
  kind: z.string(),
  name: z.string(),
  bus: z.string().optional(),
  group: z.string().optional(),
  arn: z.string(),
  functions: z.array(z.string()).meta({ description: 'ARNs of the functions that it starts' }),
  enabled: z.boolean(),
  path: z.string().meta({ description: 'Where all of it is' }),
  status: z.string().meta({ description: 'Where it is said what it did' })
})
export const AllTriggers = z.object({ items: z.array(TriggerSummary), nextCursor: z.string().nullable() })

const CURSOR = /^[a-z-]{1,64}\/[.\-_A-Za-z0-9/]{1,330}$/
const PAGE = 50

/** Where a page of a kind ends. */
export function keyOf({ key, view }: TriggerShown): string {
  return key ?? String(view['name'])
}

/** Kinds that a request for triggers is about. @throws HearthError INVALID_REQUEST */
export function kindsFor(kinds: readonly TriggerKind[], kind: string | undefined): readonly TriggerKind[] {
  if (kind === undefined) return kinds
  const found = kinds.filter((one) => one.kind === kind)
  if (found.length > 0) return found
  const message = `must be one of ${kinds.map((one) => one.kind).join(', ')}`
  throw new HearthError('INVALID_REQUEST', `query.kind: ${message}`, { errors: [{ path: 'query.kind', message }] })
}

/** One page over several kinds, kind after kind. @throws HearthError INVALID_REQUEST */
export function listTriggers(
  kinds: readonly TriggerKind[],
  query: z.output<typeof AllTriggersQuery>,
  scope: ArnScope
): z.output<typeof AllTriggers> {
  const { limit = PAGE, cursor } = query
  const asked: ListQuery = ['triggers', query.kind, query.function]
  const [fromKind, after] =
    cursor === undefined ? [undefined, ''] : split(fromCursor({ query: asked, cursor, key: CURSOR }))
  const isWanted = query.function === undefined ? () => true : startsFunction(query.function, scope)
  const first = fromKind === undefined ? 0 : kinds.findIndex(({ kind }) => kind === fromKind)
  const found: { readonly kind: TriggerKind; readonly shown: TriggerShown }[] = []
  for (const kind of first === -1 ? [] : kinds.slice(first)) {
    for (const shown of allOf(kind, kind.kind === fromKind ? after : '', limit + 1)) {
      if (isWanted(shown)) found.push({ kind, shown })
      if (found.length > limit) break
    }
    if (found.length > limit) break
  }
  const last = found.length > limit ? found[limit - 1] : undefined
  return {
    items: found.slice(0, limit).map(({ kind, shown }) => summaryOf(kind, shown)),
    nextCursor: last === undefined ? null : toCursor(asked, `${last.kind.kind}/${keyOf(last.shown)}`)
  }
}

function* allOf(kind: TriggerKind, after: string, atOnce: number): Generator<TriggerShown> {
  for (let last = after; ; ) {
    const page = kind.list(last, atOnce)
    yield* page
    if (page.length < atOnce) return
    last = keyOf(page.at(-1)!)
  }
}

function split(text: string): [kind: string, key: string] {
  const at = text.indexOf('/')
  return [text.slice(0, at), text.slice(at + 1)]
}

function startsFunction(reference: string, scope: ArnScope): (shown: TriggerShown) => boolean {
  const { name, qualifier } = parseFunctionRef(scope, reference)
  return ({ view }) =>
    (view['functions'] as readonly string[]).some((arn) => {
      const found = parseFunctionRef(scope, arn)
      return found.name === name && (qualifier === undefined || found.qualifier === qualifier)
    })
}

function summaryOf({ kind, place }: TriggerKind, { arn, view }: TriggerShown): z.output<typeof TriggerSummary> {
  const name = String(view['name'])
  const where = place === undefined ? {} : { [place]: String(view[place]) }
  const path = `/v1/triggers/${kind}/${encodeURIComponent(name)}`
  const query = place === undefined || where[place] === 'default' ? '' : `?${new URLSearchParams(where).toString()}`
  return {
    kind,
    name,
    ...where,
    arn,
    functions: [...(view['functions'] as readonly string[])],
    enabled: view['enabled'] === true,
    path: path + query,
    status: `${path}/status${query}`
  }
}
