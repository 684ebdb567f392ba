import { HearthError } from '@hearth/shared'
import { z } from 'zod'
import { fromCursor, toCursor } from '../http/cursor.ts'

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

/** A part of a list that is there as a whole: what comes after the item that the token names. */
export function pageOf<Item>(
  all: readonly Item[],
  { MaxResults, NextToken }: { readonly MaxResults: number; readonly NextToken?: string | undefined },
  keyOf: (item: Item) => string
): { readonly page: readonly Item[]; readonly NextToken: string | undefined } {
  const after = NextToken === undefined ? undefined : lastOf(NextToken)
  const start = after === undefined ? 0 : all.findIndex((item) => keyOf(item) === after) + 1
  const page = all.slice(start, start + MaxResults)
  const last = page.at(-1)
  return { page, NextToken: last === undefined || start + MaxResults >= all.length ? undefined : toCursor(keyOf(last)) }
}

function lastOf(token: string): string {
  try {
    return fromCursor(token, 'NextToken', /^[^\u0000-\u001f]{1,3000}$/u)
  } catch {
    throw new HearthError('INVALID_SECRET', 'NextToken is not one that this server gave out.', {
      awsCode: 'InvalidNextTokenException'
    })
  }
}
