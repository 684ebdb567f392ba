import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { HearthError } from '@hearth/shared'
import { insideOf } from './platform/inside.ts'

const LOOPBACK = /^(::ffff:)?127\.|^::1$/

/**
 * Of routes that only the control plane of this server may use.
 *
 * @param proof - What it proves itself with; undefined while it is not known: then nobody may
 * @throws HearthError ACCESS_DENIED
 */
export function requireControlPlane(req: IncomingMessage, proof: string | undefined): void {
  const { remoteAddress = '', localAddress } = req.socket
  const isFromHere = insideOf(req) === undefined && (LOOPBACK.test(remoteAddress) || remoteAddress === localAddress)
  // A proxy on this machine speaks for others.
  const isForOthers = ['forwarded', 'x-forwarded-for', 'via'].some((name) => req.headers[name] !== undefined)
  const given = Buffer.from(req.headers.authorization ?? '')
  const expected = Buffer.from(`Bearer ${proof ?? ''}`)
  const isProved = proof !== undefined && given.length === expected.length && timingSafeEqual(given, expected)
  if (isFromHere && !isForOthers && isProved) return
  throw new HearthError('ACCESS_DENIED', 'Only the control plane of this server may come here.')
}
