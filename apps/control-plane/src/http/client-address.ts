import { timingSafeEqual } from 'node:crypto'
import { GATEWAY_PROOF_HEADER } from '@hearth/shared'
import type { FastifyRequest } from 'fastify'

/** Says where requests come from: the gateway is believed, and nobody else who forwards. */
export interface ClientAddresses {
  /** @returns undefined when it was forwarded by somebody who may say anything, or comes from inside of a function */
  find(request: FastifyRequest): string | undefined
  /** Whom to count a request for: the client, or else who is at the other end. */
  peer(request: FastifyRequest): string
}

/** @param internalToken - What the gateway proves itself with. */
export function createClientAddresses(internalToken: string): ClientAddresses {
  const proof = Buffer.from(internalToken)

  const find = ({ headers, ip }: FastifyRequest): string | undefined => {
    const forwarded = headers['x-forwarded-for']
    if (forwarded === undefined) return ip
    const sent = Buffer.from(String(headers[GATEWAY_PROOF_HEADER] ?? ''))
    if (sent.length !== proof.length || !timingSafeEqual(sent, proof)) return undefined
    // The inside of a function has no address.
    return String(forwarded) || undefined
  }
  return { find, peer: (request) => find(request) ?? request.ip }
}
