import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { HearthError, hostName } from '@hearth/shared'

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * A domain as it stands in Host headers: lower case, punycode, no port, no final dot.
 *
 * @param urlDomain - Names at and below it are the server's own
 * @throws HearthError INVALID_REQUEST for what is no host name, and for names that the server itself is reached by
 */
export function readDomainName(text: string, urlDomain: string): string {
  // Where a URL's host would end.
  if (/[\s/?#@\\%]/.test(text)) throw refuse(`${JSON.stringify(text)} is not a host name.`)
  const host = hostName(domainToASCII(text.replace(/:\d*$/, '').replace(/\.$/, '')))
  const labels = host.split('.')
  if (
    host.length > 253 ||
    labels.some((label) => !LABEL.test(label)) ||
    isIP(host) !== 0 ||
    /^\d+$/.test(labels.at(-1)!)
  ) {
    throw refuse(`${JSON.stringify(text)} is not a host name; an address is the server's own.`)
  }
  if (host === 'localhost' || host === urlDomain || host.endsWith(`.${urlDomain}`)) {
    throw refuse(`${host} is a name of the server itself.`)
  }
  return host
}

function refuse(message: string): HearthError {
  return new HearthError('INVALID_REQUEST', message, { errors: [{ path: 'params.host', message }] })
}
