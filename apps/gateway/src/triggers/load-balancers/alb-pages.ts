import { HearthError } from '@hearth/shared'

const TITLES: Readonly<Record<number, string>> = {
  301: '301 Moved Permanently',
  302: '302 Found',
  400: '400 Bad Request',
  413: '413 Request Entity Too Large',
  500: '500 Internal Server Error',
  502: '502 Bad Gateway',
  503: '503 Service Temporarily Unavailable'
}

/** A load balancer's own page about a status. */
export function albPage(status: number): string {
  const title = TITLES[status] ?? String(status)
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`
}

/** Headers that every answer of the load balancer itself has. Flat. */
export function albHeaders(requestId: string): string[] {
  return ['server', 'awselb/2.0', 'content-type', 'text/html', 'x-amzn-requestid', requestId]
}

/** What a failure of ours is to the client: who is behind the load balancer it is not told. */
export function albStatusOf(thrown: unknown): number {
  if (!(thrown instanceof HearthError)) return 500
  switch (thrown.code) {
    case 'PAYLOAD_TOO_LARGE':
      return 413
    case 'INVALID_REQUEST':
      return 400
    case 'SHUTTING_DOWN':
    case 'CONTROL_PLANE_UNAVAILABLE':
    case 'TRIGGER_UNAVAILABLE':
      return 503
    default:
      return 502
  }
}
