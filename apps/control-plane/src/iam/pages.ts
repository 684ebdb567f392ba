import { ANY_KEY, partOf, readPage } from '../http/cursor.ts'
import type { XmlValue } from '../query/xml.ts'

interface PageInput {
  readonly Marker?: string | undefined
  readonly MaxItems: number
}

interface Page<Item> {
  readonly items: readonly Item[]
  /** Members of the answer that say whether it goes on. */
  readonly next: Readonly<Record<string, XmlValue>>
}

/** A page of a list in the order of its keys. @param input - With the list's filters */
export function pageOf<Item>(
  operation: string,
  input: PageInput,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): Page<Item> {
  const { Marker: cursor, MaxItems: limit, ...filters } = input
  const request = { query: [operation, filters], cursor, limit, key: ANY_KEY, member: 'Marker' } as const
  const { items, next } = readPage(request, read, keyOf)
  return { items, next: { IsTruncated: next !== undefined, Marker: next } }
}

/** {@link pageOf} a list that is short enough to be there as a whole, in any order. */
export function pageOfAll<Item>(
  operation: string,
  input: PageInput,
  all: readonly Item[],
  keyOf: (item: Item) => string
): Page<Item> {
  return pageOf(operation, input, partOf(all, keyOf), keyOf)
}
