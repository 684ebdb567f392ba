import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isLinkLocalAddress, isPrivateAddress } from '@hearth/shared'

/** Who a build may talk to. */
export interface AllowedHosts {
  /**
   * The address to connect to.
   *
   * @throws RefusedError when the host is not allowed, or is allowed and has a private address that nobody allowed
   */
  resolve(host: string, port: number): Promise<string>
}

export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

interface Rule {
  readonly host: string
  readonly isSuffix: boolean
  readonly port: number | undefined
  readonly mayBePrivate: boolean
}

const WEB_PORTS = [80, 443]

const PUBLIC_REGISTRIES = [
  'registry.npmjs.org',
  'pypi.org',
  'files.pythonhosted.org',
  'rubygems.org',
  'index.rubygems.org'
]

const addressesOf = async (name: string): Promise<readonly string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/**
 * @param hosts - As the operator wrote them: `name`, `name:port`, `*.domain`. A name that stands here in full may have a
 *   private address. Undefined: the public registries, which may not
 * @param registries - `name:port` of those that the operator chose, beside the hosts
 */
export function allowedHosts(
  hosts: readonly string[] | undefined,
  registries: readonly string[] = [],
  resolveName = addressesOf
): AllowedHosts {
  const rules = [
    ...(hosts ?? PUBLIC_REGISTRIES).map((text) => parseRule(text, hosts !== undefined)),
    ...registries.map((text) => parseRule(text, true))
  ]
  return {
    async resolve(rawHost, port) {
      const host = rawHost
        .toLowerCase()
        .replace(/^\[(.*)\]$/, '$1')
        .replace(/\.$/, '')
      const fitting = rules.filter((rule) => matches(rule, host, port))
      if (fitting.length === 0)
        throw new RefusedError('this server lets builds reach other hosts only (HEARTH_BUILD_HOSTS)')
      const mayBePrivate = fitting.some((rule) => rule.mayBePrivate)
      const addresses = isIP(host) === 0 ? await resolveName(host) : [host]
      // One bad address is enough: a name that has both is a trick.
      for (const address of addresses) {
        // Whoever says so: cloud metadata lives there.
        if (isLinkLocalAddress(address)) throw new RefusedError('it has a link-local address')
        if (!mayBePrivate && isPrivateAddress(address)) {
          throw new RefusedError('it has a private address (written out in HEARTH_BUILD_HOSTS it may)')
        }
      }
      const [first] = addresses
      if (first === undefined) throw new RefusedError('it has no address')
      return first
    }
  }
}

/** The allow-list entry of a registry that the operator chose. */
export function hostOfUrl(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port === '' ? (protocol === 'http:' ? 80 : 443) : port}`
}

function parseRule(text: string, isOperators: boolean): Rule {
  const [, name = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
  const isSuffix = name.startsWith('*.')
  return {
    host: (isSuffix ? name.slice(1) : name).toLowerCase().replace(/^\[(.*)\]$/, '$1'),
    isSuffix,
    port: port === undefined ? undefined : Number(port),
    mayBePrivate: isOperators && !isSuffix
  }
}

function matches(rule: Rule, host: string, port: number): boolean {
  if (rule.port === undefined ? !WEB_PORTS.includes(port) : rule.port !== port) return false
  return rule.isSuffix ? host.endsWith(rule.host) && isIP(host) === 0 : host === rule.host
}
