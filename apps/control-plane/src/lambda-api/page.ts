import type { ListQuery } from '@hearth/shared'
import { ANY_KEY, readPage } from '../http/cursor.ts'
import { checkModel } from './constraints.ts'
import { ListRequest } from './model.ts'
import type { OperationCall } from './operation.ts'

/** However much is asked for. Source: Lambda API reference, List operations. */
export const PAGE = 50

/** What lists take for their pages. */
export interface MarkerRequest {
  /** An empty text is as none. */
  readonly Marker?: string | undefined
  readonly MaxItems?: number | undefined
}

/** A page with AWS's `NextMarker`. */
interface MarkerPage<Item> {
  readonly items: readonly Item[]
  readonly next: { readonly NextMarker?: string }
}

/** A list's query, its number read as one. */
export function pageQueryOf(query: OperationCall['query']): Record<string, unknown> {
  const maxItems = query['MaxItems']
  return { ...query, ...(maxItems === undefined ? {} : { MaxItems: Number(maxItems) }) }
}

/** {@link readPage} with AWS's `Marker`. @param query - What the list is asked for, beside its page */
export function markerPage<Item>(
  { Marker, MaxItems = PAGE }: MarkerRequest,
  query: ListQuery,
  key: RegExp,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): MarkerPage<Item> {
  const cursor = Marker === '' ? undefined : Marker
  const { items, next } = readPage(
    { query, cursor, limit: Math.min(MaxItems, PAGE), key, member: 'Marker' },
    read,
    keyOf
  )
  return { items, next: next === undefined ? {} : { NextMarker: next } }
}

/** {@link markerPage} of a list that takes nothing else. */
export function listPage<Item>(
  call: OperationCall,
  query: ListQuery,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): MarkerPage<Item> {
  return markerPage(checkModel(ListRequest, pageQueryOf(call.query)), query, ANY_KEY, read, keyOf)
}
