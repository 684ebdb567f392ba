import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { HearthError } from '@hearth/shared'

/**
 * Of routes that only the control plane of this server may use.
 *
 * @param proof - What it proves itself with; undefined while it is not known: then nobody may
 * @throws HearthError ACCESS_DENIED
 */
export function requireControlPlane(req: IncomingMessage, proof: string | undefined): void {
  const expected = Buffer.from(`Bearer ${proof}`)
  const given = Buffer.from(req.headers.authorization ?? '')
  if (proof === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new HearthError('ACCESS_DENIED', 'Only the control plane of this server may ask this.')
  }
}
