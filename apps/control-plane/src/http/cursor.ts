import { FUNCTION_NAME, HearthError } from '@hearth/shared'

/** Where the next page begins. Opaque to clients: it may look otherwise tomorrow. */
export function toCursor(lastName: string): string {
  return Buffer.from(`1:${lastName}`).toString('base64url')
}

/** @param pattern - Of what pages are in order of. @throws HearthError INVALID_REQUEST for a text that no page gave out */
export function fromCursor(cursor: string, member: string, pattern: RegExp = FUNCTION_NAME): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const name = text.startsWith('1:') ? text.slice(2) : ''
  if (!pattern.test(name) || toCursor(name) !== cursor) {
    throw new HearthError('INVALID_REQUEST', `${member}: not one that this server gave out`, {
      errors: [{ path: `query.${member}`, message: 'not one that this server gave out' }]
    })
  }
  return name
}
