import { FUNCTION_NAME, HearthError } from '@hearth/shared'

/** Where the next page begins. Opaque to clients: it may look otherwise tomorrow. @param last - Key of the last item. */
export function toCursor(last: string): string {
  return Buffer.from(`1:${last}`).toString('base64url')
}

/**
 * @param key - What keys of the list look like.
 * @throws HearthError INVALID_REQUEST for a text that no page gave out
 */
export function fromCursor(cursor: string, member: string, key: RegExp = FUNCTION_NAME): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const last = text.startsWith('1:') ? text.slice(2) : ''
  if (!key.test(last) || toCursor(last) !== cursor) {
    throw new HearthError('INVALID_REQUEST', `${member}: not one that this server gave out`, {
      errors: [{ path: `query.${member}`, message: 'not one that this server gave out' }]
    })
  }
  return last
}
