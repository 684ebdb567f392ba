import type { OperationCall } from './operation.ts'

/** However much is asked for. Source: Lambda API reference, ListFunctions. */
const PAGE = 50

/** A list's query, its number read as one. */
export function pageQueryOf(query: OperationCall['query']): Record<string, unknown> {
  const maxItems = query['MaxItems']
  return { ...query, ...(maxItems === undefined ? {} : { MaxItems: Number(maxItems) }) }
}

/**
 * One page, by asking for one item more than it has.
 *
 * @returns the items, and the last of them when there are more after it
 */
export function pageOf<T>(
  maxItems: number | undefined,
  read: (limit: number) => readonly T[]
): { readonly items: readonly T[]; readonly last: T | undefined } {
  const limit = Math.min(maxItems ?? PAGE, PAGE)
  const found = read(limit + 1)
  const items = found.slice(0, limit)
  return { items, last: found.length > limit ? items.at(-1) : undefined }
}
