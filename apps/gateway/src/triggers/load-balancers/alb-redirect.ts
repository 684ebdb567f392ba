import { hostName, type Redirect } from '@hearth/shared'

/** What of a request a redirect may repeat. */
export interface RedirectedRequest {
  /** The Host header. */
  readonly host: string
  /** As the client sent it, without its query. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** What the load balancer's own path begins with on this host: `''`, `/lb/name`. */
  readonly prefix: string
}

/** Where a redirect leads, with its port, as a load balancer says it. */
export function redirectTo(redirect: Redirect, request: RedirectedRequest): string {
  const port = /:(\d+)$/.exec(request.host)?.[1] ?? '80'
  const host = hostName(request.host)
  const values: Readonly<Record<string, string>> = {
    protocol: 'http',
    host,
    port,
    path: request.path.replace(/^\//, ''),
    query: request.query
  }
  const fill = (text: string): string => text.replace(/#\{(\w+)\}/g, (all, name: string) => values[name] ?? all)
  const protocol = fill(redirect.protocol).toLowerCase()
  const to = fill(redirect.host)
  const query = fill(redirect.query)
  const prefix = to === host ? request.prefix : ''
  return `${protocol}://${to}:${fill(redirect.port)}${prefix}${fill(redirect.path)}${query === '' ? '' : `?${query}`}`
}
