import { timingSafeEqual } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'

/**
 * For onRequest of routes with `access: 'gateway'`. Before the body: a stranger is not asked to send it.
 *
 * @param internalToken - What the gateway proves itself with.
 */
export function gatewayOnly(internalToken: string): (request: FastifyRequest) => Promise<void> {
  const expected = Buffer.from(`Bearer ${internalToken}`)
  return async (request) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new HearthError('ACCESS_DENIED', 'Only the gateway of this server reports here.')
    }
  }
}
