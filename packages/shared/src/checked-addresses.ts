import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPrivateAddress, networkMatcher } from './special-addresses.ts'

/** Where requests may go whose address somebody other than the operator has chosen. */
export interface CheckedAddresses {
  /** For `http.request`: the address that was checked is the one that is connected to. */
  readonly lookup: LookupFunction
  /** Whether a host is written out as an address that is refused: such a one is not looked up. @param host - As in a URL */
  isRefusedHost(host: string): boolean
  /** As {@link lookup}, for what must not leave the networks that the operator has named. */
  readonly lookupInside: LookupFunction
  /** As {@link isRefusedHost}, with {@link lookupInside}'s rule. */
  isOutsideHost(host: string): boolean
}

/**
 * Public addresses, and networks that the operator has named.
 *
 * @param refused - Makes what a lookup fails with
 */
export function createCheckedAddresses(networks: readonly string[], refused: () => Error): CheckedAddresses {
  const isNamed = networkMatcher(networks)
  const isRefused = (address: string): boolean => isPrivateAddress(address) && !isNamed(address)
  const isOutside = (address: string): boolean => !isNamed(address)
  return {
    lookup: checkedLookup(isRefused, refused),
    lookupInside: checkedLookup(isOutside, refused),
    isRefusedHost: (host) => isAddressThat(isRefused, host),
    isOutsideHost: (host) => isAddressThat(isOutside, host)
  }
}

function checkedLookup(isRefused: (address: string) => boolean, refused: () => Error): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (err, addresses) => {
      if (err !== null) {
        done(err, '')
        return
      }
      // One bad address is enough: a name that has both is a trick.
      if (addresses.length === 0 || addresses.some(({ address }) => isRefused(address))) {
        done(refused(), '')
        return
      }
      if (options.all === true) done(null, addresses)
      else done(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

function isAddressThat(isRefused: (address: string) => boolean, host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1')
  return isIP(address) !== 0 && isRefused(address)
}
