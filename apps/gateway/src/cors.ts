import type { IncomingMessage } from 'node:http'
import type { CorsConfig } from '@hearth/shared'

/** What a function's answer may not say where its URL has a configuration of its own. */
const OWN = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age'
])

/**
 * The CORS configuration of a function's URL: answers to preflights, and headers of all other answers. An origin that
 * is not allowed gets none, and its browser keeps the answer to itself.
 *
 * @see reference: Lambda control API §11; Fetch standard, CORS protocol
 */
export class Cors {
  readonly #config: CorsConfig
  readonly #origins: ReadonlySet<string>

  constructor(config: CorsConfig) {
    this.#config = config
    this.#origins = new Set(config.allowOrigins?.map((origin) => origin.toLowerCase()))
  }

  isPreflight({ method, headers }: IncomingMessage): boolean {
    return (
      method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
    )
  }

  /** Flat: name, value, … */
  preflightHeaders(req: IncomingMessage): string[] {
    const { allowMethods = [], allowHeaders = [], maxAge } = this.#config
    const headers = this.#originHeaders(req)
    if (headers[0] !== 'access-control-allow-origin') return headers
    if (allowMethods.length > 0) headers.push('access-control-allow-methods', allowMethods.join(','))
    if (allowHeaders.length > 0) headers.push('access-control-allow-headers', allowHeaders.join(','))
    if (maxAge !== undefined) headers.push('access-control-max-age', String(maxAge))
    return headers
  }

  /** The headers of an answer, with the function's own words on CORS replaced by the configuration's. Flat. */
  apply(req: IncomingMessage, headers: readonly string[]): string[] {
    const kept: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      if (!OWN.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!)
    }
    const own = this.#originHeaders(req)
    const { exposeHeaders = [] } = this.#config
    if (own[0] === 'access-control-allow-origin' && exposeHeaders.length > 0) {
      own.push('access-control-expose-headers', exposeHeaders.join(','))
    }
    return [...kept, ...own]
  }

  /** `https://*`: every origin of that scheme. */
  #allows(origin: string): boolean {
    const origins = this.#origins
    return (
      origins.has(origin) || (/^https?:/.test(origin) && origins.has(`${origin.slice(0, origin.indexOf(':'))}://*`))
    )
  }

  #originHeaders({ headers: { origin } }: IncomingMessage): string[] {
    const isPublic = this.#origins.has('*')
    // A cache must not give one origin what was made for another.
    const vary = isPublic ? [] : ['vary', 'Origin']
    if (origin === undefined || !(isPublic || this.#allows(origin.toLowerCase()))) return vary
    const headers = ['access-control-allow-origin', isPublic ? '*' : origin]
    if (this.#config.allowCredentials === true) headers.push('access-control-allow-credentials', 'true')
    return [...headers, ...vary]
  }
}
