import type { Api } from '@hearth/shared'
import { badRequest } from './refusals.ts'

const METHODS = new Set(['ANY', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])
/** RFC 3986's pchar. */
const SEGMENT = /^[A-Za-z0-9._~!$&'()*+,;=:@%-]+$/
const PARAMETER = /^\{([A-Za-z0-9._-]+)(\+?)\}$/
const OWN_KEYS = new Set(['$connect', '$disconnect', '$default'])
const MAX_CHARS = 1_024

/**
 * What two routes of an API may not have in common: the key, with all names of parameters being the same.
 *
 * @throws HearthError INVALID_REQUEST for a key that is none
 */
export function routePattern(protocol: Api['protocol'], key: string): string {
  if (key.length > MAX_CHARS) throw badRequest(`The route key may have ${MAX_CHARS} characters.`, 'routeKey')
  return protocol === 'HTTP' ? httpPattern(key) : webSocketPattern(key)
}

function httpPattern(key: string): string {
  if (key === '$default') return key
  const refuse = (why: string) =>
    badRequest(`The provided route key ${key} is not formatted properly: ${why}.`, 'routeKey')
  const [method = '', path = '', ...rest] = key.split(' ')
  if (rest.length > 0 || path === '') throw refuse('a method and a path are expected, such as GET /pets, or $default')
  if (!METHODS.has(method)) throw refuse(`the method is none of ${[...METHODS].join(', ')}`)
  if (!path.startsWith('/')) throw refuse('the path must begin with /')
  const segments = path.slice(1).split('/')
  const names = new Set<string>()
  const patterns = segments.map((segment, at) => {
    const isLast = at === segments.length - 1
    // What ends in a slash has an empty one at the end, as has the root.
    if (segment === '' && isLast) return ''
    if (segment === '') throw refuse('the path has an empty segment')
    const [, name, greedy] = PARAMETER.exec(segment) ?? []
    if (name === undefined) {
      if (/[{}]/.test(segment)) throw refuse(`${segment} is neither text nor a parameter such as {id} or {proxy+}`)
      if (!SEGMENT.test(segment)) throw refuse(`${segment} has characters that a path does not have`)
      return segment
    }
    if (names.has(name)) throw refuse(`there are two parameters ${name}`)
    names.add(name)
    if (greedy === '+' && !isLast) throw refuse(`${segment} takes the rest of the path and must be its end`)
    return `{${greedy ?? ''}}`
  })
  return `${method} /${patterns.join('/')}`
}

function webSocketPattern(key: string): string {
  if (OWN_KEYS.has(key)) return key
  if (key.startsWith('$') || /\p{Cc}/u.test(key) || key.length > 128 || key === '') {
    const words = `${[...OWN_KEYS].join(', ')} or up to 128 characters without a $ at the beginning`
    throw badRequest(
      `The provided route key is not formatted properly for the WEBSOCKET protocol: ${words}.`,
      'routeKey'
    )
  }
  return key
}
