import type { FastifyRequest } from 'fastify'

/** Scheme and authority under which the caller reached this server; the gateway hands the original Host on. */
export function originOf(request: FastifyRequest): string {
  const { host = '' } = request.headers
  // It ends up in texts that people paste into a shell.
  const authority = /^[a-zA-Z0-9.:[\]_-]{1,255}$/.test(host) ? host : 'localhost'
  return `${request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${authority}`
}
