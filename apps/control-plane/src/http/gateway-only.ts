import { timingSafeEqual } from 'node:crypto'
import { HearthError } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'

/** An onRequest hook of routes with access `gateway`: only who has the token may go on. @throws HearthError ACCESS_DENIED */
export function gatewayOnly(internalToken: string): (request: FastifyRequest) => Promise<void> {
  const expected = Buffer.from(`Bearer ${internalToken}`)
  return async (request) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new HearthError('ACCESS_DENIED', 'Only the gateway of this server reports here.')
    }
  }
}
