import type { IncomingMessage } from 'node:http'

/** Address of who is at the other end; an IPv4 address as such, also where the socket speaks IPv6. */
export function peerAddress(req: IncomingMessage): string | undefined {
  const address = req.socket.remoteAddress
  return address?.startsWith('::ffff:') === true ? address.slice(7) : address
}
