import { isIP } from 'node:net'
import { HearthError, isPrivateAddress, networkMatcher } from '@hearth/shared'
import type { DestinationKind } from './kind.ts'

const MAX_CHARS = 2_048

/**
 * An HTTP server that is sent what became of an event. Names are resolved when it is sent; an address that is written
 * out can be refused at once.
 *
 * @param networks - That may be reached beside public addresses
 */
export function createWebhookKind(networks: readonly string[]): DestinationKind {
  const isAllowed = networkMatcher(networks)
  return {
    matches: (target) => !target.startsWith('arn:'),
    check(target, { purpose }) {
      const url = URL.canParse(target) ? new URL(target) : undefined
      if (url === undefined || !/^https?:$/.test(url.protocol) || target.length > MAX_CHARS) {
        throw refusal(`an http or https URL of at most ${MAX_CHARS} characters is expected`)
      }
      if (url.username !== '' || url.password !== '' || url.hash !== '') {
        throw refusal('the URL may have no user, password or fragment; messages are signed')
      }
      if (purpose === 'DeadLetter') throw refusal('a webhook gets records of outcomes, no dead letters; use onFailure')
      const address = addressIn(url.hostname)
      if (address !== undefined && isPrivateAddress(address) && !isAllowed(address)) {
        throw refusal(
          'the address is not public; the operator of this server may allow its network with HEARTH_WEBHOOK_NETWORKS'
        )
      }
    }
  }
}

/** The address that a URL's host is, in whatever way it was written. `localhost` is one too. */
function addressIn(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare) !== 0) return bare
  return /(^|\.)localhost\.?$/.test(bare) ? '127.0.0.1' : undefined
}

function refusal(message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `webhook: ${message}`, { errors: [{ path: 'webhook.url', message }] })
}
