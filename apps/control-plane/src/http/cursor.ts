import { createHash } from 'node:crypto'
import { FUNCTION_NAME, HearthError } from '@hearth/shared'

/** What a list was asked for, beside its page: the list's name first, then its filters. */
export type ListQuery = readonly unknown[]

/**
 * Where the next page begins. Opaque to clients: it may look otherwise tomorrow.
 *
 * @param last - Key of the last item
 * @param query - For it alone the cursor is good
 */
export function toCursor(last: string, query?: ListQuery): string {
  return Buffer.from(`1:${query === undefined ? '' : `${markOf(query)}:`}${last}`).toString('base64url')
}

/**
 * The key of the item that a page begins after.
 *
 * @param cursor - Undefined for the first page, which begins after `''`
 * @param key - What keys of the list look like.
 * @throws HearthError INVALID_REQUEST for a text that no page gave out, of this query if it is named
 */
export function fromCursor(
  cursor: string | undefined,
  member: string,
  key: RegExp = FUNCTION_NAME,
  query?: ListQuery
): string {
  if (cursor === undefined) return ''
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const head = query === undefined ? '1:' : `1:${markOf(query)}:`
  const last = text.startsWith(head) ? text.slice(head.length) : ''
  if (!key.test(last) || toCursor(last, query) !== cursor) {
    const message = `not one that this server gave out${query === undefined ? '' : ' for this query'}`
    throw new HearthError('INVALID_REQUEST', `${member}: ${message}`, {
      errors: [{ path: `query.${member}`, message }]
    })
  }
  return last
}

/** A page of a list as `/v1` answers it. @param found - From its beginning; one more than `limit` if there are more */
export function pageOf<Item, View>(
  found: readonly Item[],
  limit: number,
  view: (item: Item) => View,
  keyOf: (item: Item) => string,
  query?: ListQuery
): { items: View[]; nextCursor: string | null } {
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1) : undefined
  return { items: page.map((item) => view(item)), nextCursor: last === undefined ? null : toCursor(keyOf(last), query) }
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

function markOf(query: ListQuery): string {
  return createHash('sha256')
    .update(JSON.stringify(query.map((part) => part ?? null)))
    .digest('base64url')
    .slice(0, 8)
}
