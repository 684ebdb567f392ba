import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

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

/** Everything that is not a public address. Source: IANA special-purpose address registries. */
const PRIVATE: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 3, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['4000::', 2, 'ipv6'],
  ['8000::', 1, 'ipv6']
]
/** Cloud metadata lives there: not for a build, whoever says so. */
const LINK_LOCAL: typeof PRIVATE = [
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::', 32, 'ipv6']
]

const privateAddresses = blockLists(PRIVATE)
const linkLocalAddresses = blockLists(LINK_LOCAL)

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
        if (isIn(linkLocalAddresses, address)) throw new RefusedError('it has a link-local address')
        if (!mayBePrivate && isIn(privateAddresses, address)) {
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

/** A list for each family: Node looks an IPv4 address up among IPv6 networks too, as one that is mapped. */
function blockLists(networks: typeof PRIVATE): Readonly<Record<'ipv4' | 'ipv6', BlockList>> {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const [address, prefix, family] of networks) lists[family].addSubnet(address, prefix, family)
  return lists
}

function isIn(lists: ReturnType<typeof blockLists>, address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const family = mapped === undefined && isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return lists[family].check(mapped ?? address, family)
}
