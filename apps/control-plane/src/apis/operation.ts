import type { ListQuery, Wish } from '@hearth/shared'
import type { z } from 'zod'
import { passRole } from '../events/model.ts'
import { ANY_KEY, readPage } from '../http/cursor.ts'
import type { Apis } from './apis.ts'
import { parseInput } from './model.ts'
import { badRequest } from './refusals.ts'

export interface ApiCall<Input> {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly input: Input
  /** Scheme and authority by which the caller came. */
  readonly origin: string
}

/** One of API Gateway's operations. */
export interface ApiOperation {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
  /** Below `/v2`. What IAM knows the resource by is made of it. */
  readonly path: string
  readonly status: number
  /** For the compatibility list. */
  readonly note?: string
  /** @returns the body; undefined: none */
  run(call: ApiCall<Record<string, unknown>>, apis: Apis, require: (wish: Wish) => void): object | undefined
}

interface Definition<Input extends z.ZodType> {
  readonly name: string
  readonly request: `${ApiOperation['method']} /${string}`
  readonly status?: number
  readonly note?: string
  readonly input?: Input
  run(call: ApiCall<z.output<Input>>, apis: Apis): object | undefined
}

const STATUS = { GET: 200, POST: 201, PATCH: 200, PUT: 200, DELETE: 204 }

export function apiOperation<Input extends z.ZodType = z.ZodUndefined>(definition: Definition<Input>): ApiOperation {
  const { name, request, note, input: schema } = definition
  const [method, path] = request.split(' ') as [ApiOperation['method'], string]
  return {
    name,
    method,
    path,
    status: definition.status ?? STATUS[method],
    ...(note === undefined ? {} : { note }),
    run(call, apis, require) {
      const input = (schema === undefined ? undefined : parseInput(schema, call.input)) as z.output<Input>
      for (const wish of passedRoles(input)) require(wish)
      return definition.run({ ...call, input }, apis)
    }
  }
}

/** Whoever names a role hands its rights on. */
function passedRoles(input: unknown): readonly Wish[] {
  const { credentialsArn, authorizerCredentialsArn } = (input ?? {}) as Readonly<Record<string, string | undefined>>
  const role = credentialsArn ?? authorizerCredentialsArn
  return role === undefined || role === '' ? [] : passRole(role, 'apigateway.amazonaws.com')
}

const PAGE = 100
const MAX_PAGE = 500

/** A page of a list that is in the order of its keys. @param query - Whose items they are, beside the page */
export function pageOf<Item>(
  query: ListQuery,
  { maxResults, nextToken }: Readonly<Record<string, unknown>>,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string,
  view: (item: Item) => object
): object {
  const limit = maxResults === undefined || maxResults === '' ? PAGE : Number(maxResults)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw badRequest(`Invalid value for maxResults: a number from 1 to ${MAX_PAGE} is expected.`, 'maxResults')
  }
  const cursor = typeof nextToken === 'string' && nextToken !== '' ? nextToken : undefined
  const { items, next } = readPage({ query, cursor, limit, key: ANY_KEY, member: 'nextToken' }, read, keyOf)
  return { items: items.map((item) => view(item)), ...(next === undefined ? {} : { nextToken: next }) }
}
