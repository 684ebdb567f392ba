import { FUNCTION_NAME, HearthError } from '@hearth/shared'

/** Where the next page begins. Opaque to clients: it may look otherwise tomorrow. @param last - Key of the last item. */
export function toCursor(last: string): string {
  return Buffer.from(`1:${last}`).toString('base64url')
}

/**
 * The key of the item that a page begins after.
 *
 * @param cursor - Undefined for the first page, which begins after `''`
 * @param key - What keys of the list look like.
 * @throws HearthError INVALID_REQUEST for a text that no page gave out
 */
export function fromCursor(cursor: string | undefined, member: string, key: RegExp = FUNCTION_NAME): string {
  if (cursor === undefined) return ''
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const last = text.startsWith('1:') ? text.slice(2) : ''
  if (!key.test(last) || toCursor(last) !== cursor) {
    throw new HearthError('INVALID_REQUEST', `${member}: not one that this server gave out`, {
      errors: [{ path: `query.${member}`, message: 'not one that this server gave out' }]
    })
  }
  return last
}

/** A page of a list as `/v1` answers it. @param found - From its beginning; one more than `limit` if there are more */
export function pageOf<Item, View>(
  found: readonly Item[],
  limit: number,
  view: (item: Item) => View,
  keyOf: (item: Item) => string
): { items: View[]; nextCursor: string | null } {
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1) : undefined
  return { items: page.map((item) => view(item)), nextCursor: last === undefined ? null : toCursor(keyOf(last)) }
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
