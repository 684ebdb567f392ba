import type { IncomingMessage } from 'node:http'
import { insideOf } from './platform/inside.ts'

/**
 * Address of who is at the other end; an IPv4 address as such, also where the socket speaks IPv6. The inside of a function
 * has none that would mean anything out here.
 */
export function peerAddress(req: IncomingMessage): string | undefined {
  if (insideOf(req) !== undefined) return undefined
  const address = req.socket.remoteAddress
  return address?.startsWith('::ffff:') === true ? address.slice(7) : address
}
