import { createHash } from 'node:crypto'
import { HearthError } from './errors.ts'

/** What a list was asked for, beside its page: the list's name, then all that says what is in it and in which order. */
export type ListQuery = readonly [list: string, ...filters: readonly unknown[]]

/**
 * Where the next page begins. Opaque to clients: it may look otherwise tomorrow.
 *
 * @param query - For it alone the cursor is good
 * @param last - Key of the last item
 */
export function toCursor(query: ListQuery, last: string): string {
  return Buffer.from(`1:${markOf(query)}:${last}`).toString('base64url')
}

/** A place in a list that a client asks for. */
export interface CursorRequest {
  /** For it alone the cursor is good. */
  readonly query: ListQuery
  /** Undefined for the first page. */
  readonly cursor: string | undefined
  /** What keys of the list look like. */
  readonly key: RegExp
  /** What the cursor is called in the request. Default: `cursor` */
  readonly member?: string
  /** What a wrong one is answered with. Default: INVALID_REQUEST */
  readonly refusal?: () => HearthError
}

/**
 * The key of the item that a page begins after: `''` of the first one.
 *
 * @throws HearthError INVALID_REQUEST, or the refusal, for a text that no page of this query gave out
 */
export function fromCursor({ query, cursor, key, member = 'cursor', refusal }: CursorRequest): string {
  if (cursor === undefined) return ''
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const head = `1:${markOf(query)}:`
  const last = text.startsWith(head) ? text.slice(head.length) : ''
  if (!key.test(last) || toCursor(query, last) !== cursor) {
    if (refusal !== undefined) throw refusal()
    const message = 'not one that this server gave out for this query'
    throw new HearthError('INVALID_REQUEST', `${member}: ${message}`, {
      errors: [{ path: `query.${member}`, message }]
    })
  }
  return last
}

function markOf(query: ListQuery): string {
  return createHash('sha256')
    .update(JSON.stringify(query.map((part) => part ?? null)))
    .digest('base64url')
    .slice(0, 8)
}
