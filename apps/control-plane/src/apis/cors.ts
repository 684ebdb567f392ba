import type { CorsConfig } from '@hearth/shared'
import { badRequest } from './refusals.ts'

const METHODS = new Set(['GET', 'PUT', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', '*'])
/** A header's name. Source: RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What browsers send as Origin; `http://*` and `https://*` stand for all of a scheme. */
const ORIGIN = /^(\*|null|[a-z][a-z0-9+.-]*:\/\/(\*|[a-zA-Z0-9.:[\]_-]+))$/

/**
 * The values become headers of answers, so what no header can hold is refused.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function checkApiCors(cors: CorsConfig | undefined): void {
  if (cors === undefined) return
  const { allowOrigins = [], allowMethods = [], allowHeaders = [], exposeHeaders = [] } = cors
  refuse(
    'allowOrigins',
    allowOrigins,
    (value) => ORIGIN.test(value),
    'an origin such as https://example.com, https://* or *'
  )
  refuse('allowMethods', allowMethods, (value) => METHODS.has(value), `one of ${[...METHODS].join(', ')}`)
  refuse('allowHeaders', allowHeaders, (value) => TOKEN.test(value), 'the name of a header, or *')
  refuse('exposeHeaders', exposeHeaders, (value) => TOKEN.test(value), 'the name of a header, or *')
  if (cors.allowCredentials === true && allowOrigins.includes('*')) {
    throw badRequest(
      'Invalid corsConfiguration: with allowCredentials, allowOrigins cannot have *; name the origins.',
      'corsConfiguration.allowCredentials'
    )
  }
}

function refuse(member: string, values: readonly string[], fits: (value: string) => boolean, wanted: string): void {
  const wrong = values.find((value) => !fits(value))
  if (wrong === undefined) return
  const path = `corsConfiguration.${member}`
  throw badRequest(`Invalid ${path}: ${JSON.stringify(wrong)} is not ${wanted}.`, path)
}
