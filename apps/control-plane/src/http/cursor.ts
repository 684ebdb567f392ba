import { type CursorRequest, fromCursor, toCursor } from '@hearth/shared'

/** A page that a client asks for. */
export interface PageRequest extends CursorRequest {
  /** Items, at most. */
  readonly limit: number
}

/** Of the parameter, in the API's description. */
export const CURSOR_DESCRIPTION = '`nextCursor` of the page before. Of another list, or with other filters: 400'

/** A key of any form. */
export const ANY_KEY = /^[\s\S]{1,4096}$/

/**
 * One page of a list.
 *
 * @param read - Up to so many items that come after a key: `''` is before all of them
 * @returns the items, and the cursor of the next page when there is one
 * @throws HearthError INVALID_REQUEST, or the refusal, for a cursor that no page of this query gave out
 */
export function readPage<Item>(
  request: PageRequest,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  const { query, limit } = request
  const found = read(fromCursor(request), limit + 1)
  const items = found.slice(0, limit)
  return { items, next: found.length > limit ? toCursor(query, keyOf(items.at(-1)!)) : undefined }
}

/** {@link readPage}, as `/v1` answers it. */
export function pageOf<Item, View>(
  request: PageRequest,
  read: (after: string, limit: number) => readonly Item[],
  keyOf: (item: Item) => string,
  view: (item: Item) => View
): { items: View[]; nextCursor: string | null } {
  const { items, next } = readPage(request, read, keyOf)
  return { items: items.map((item) => view(item)), nextCursor: next ?? null }
}

/** How {@link readPage} reads a list that is there as a whole, in any order. */
export function partOf<Item>(
  all: readonly Item[],
  keyOf: (item: Item) => string
): (after: string, limit: number) => readonly Item[] {
  return (after, limit) => {
    const start = after === '' ? 0 : all.findIndex((item) => keyOf(item) === after) + 1
    return all.slice(start, start + limit)
  }
}

/** Adds a `Link` header to the page that follows, if one does. @param path - Of the list */
export function linkNext<Page extends { readonly nextCursor: string | null }>(
  reply: { header(name: string, value: string): unknown },
  path: string,
  limit: number,
  page: Page
): Page {
  const { nextCursor } = page
  if (nextCursor !== null) void reply.header('link', `<${path}?limit=${limit}&cursor=${nextCursor}>; rel="next"`)
  return page
}
