import { HearthError, type ListQuery } from '@hearth/shared'
import { z } from 'zod'
import { ANY_KEY, partOf, readPage } from '../http/cursor.ts'

export const PageInput = {
  MaxResults: z.int().min(1).max(100).default(100),
  NextToken: z.string().min(1).max(4_096).optional()
}

export const Filters = z
  .array(
    z.object({
      Key: z.enum(['description', 'name', 'tag-key', 'tag-value', 'primary-region', 'owning-service', 'all']),
      Values: z.array(z.string().min(1).max(512)).min(1).max(10)
    })
  )
  .max(10)

/**
 * A part of a list that is there as a whole: what comes after the item that the token names.
 *
 * @param query - What the list is asked for, beside its page
 * @throws HearthError INVALID_SECRET for a token that no page of this query gave out
 */
export function pageOf<Item>(
  query: ListQuery,
  { MaxResults: limit, NextToken: cursor }: { readonly MaxResults: number; readonly NextToken?: string | undefined },
  all: readonly Item[],
  keyOf: (item: Item) => string
): { readonly page: readonly Item[]; readonly next: { readonly NextToken?: string } } {
  const { items, next } = readPage({ query, cursor, limit, key: ANY_KEY, refusal }, partOf(all, keyOf), keyOf)
  return { page: items, next: next === undefined ? {} : { NextToken: next } }
}

function refusal(): HearthError {
  return new HearthError('INVALID_SECRET', 'NextToken is not one that this server gave out.', {
    awsCode: 'InvalidNextTokenException'
  })
}
