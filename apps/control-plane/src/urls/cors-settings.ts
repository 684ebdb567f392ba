import { type CorsConfig, HearthError } from '@hearth/shared'

/** Source: Lambda API reference, type Cors. */
const METHODS = new Set(['GET', 'PUT', 'HEAD', 'POST', 'PATCH', 'DELETE', '*'])
/** A header's name. Source: RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What browsers send as Origin: scheme and authority, or `null`. */
const ORIGIN = /^(\*|null|[a-z][a-z0-9+.-]*:\/\/[a-zA-Z0-9.:[\]_*-]+)$/

/**
 * What the model's lengths leave open. The values become headers of answers, so what no header can hold is refused.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function checkCors(cors: CorsConfig | undefined): void {
  const { allowOrigins = [], allowMethods = [], allowHeaders = [], exposeHeaders = [] } = cors ?? {}
  refuse('AllowOrigins', allowOrigins, (value) => ORIGIN.test(value), 'an origin such as https://example.com, or *')
  refuse('AllowMethods', allowMethods, (value) => METHODS.has(value), `one of ${[...METHODS].join(', ')}`)
  refuse('AllowHeaders', allowHeaders, (value) => TOKEN.test(value), 'the name of a header, or *')
  refuse('ExposeHeaders', exposeHeaders, (value) => TOKEN.test(value), 'the name of a header, or *')
}

function refuse(member: string, values: readonly string[], fits: (value: string) => boolean, wanted: string): void {
  const wrong = values.find((value) => !fits(value))
  if (wrong === undefined) return
  const message = `${JSON.stringify(wrong)} is not ${wanted}`
  const path = `cors.${member[0]!.toLowerCase()}${member.slice(1)}`
  throw new HearthError('INVALID_REQUEST', `Cors.${member}: ${message}.`, { errors: [{ path, message }] })
}
