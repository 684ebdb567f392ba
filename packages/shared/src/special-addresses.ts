import { BlockList, isIP } from 'node:net'

type Networks = readonly (readonly [address: string, prefix: number, family: 'ipv4' | 'ipv6'])[]

/** Everything that is not a public address. Source: IANA special-purpose address registries. */
const PRIVATE: Networks = [
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
/** Cloud metadata lives there. */
const LINK_LOCAL: Networks = [
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::', 32, 'ipv6']
]

const privateAddresses = blockLists(PRIVATE)
const linkLocalAddresses = blockLists(LINK_LOCAL)

/** Whether an address is none of the public internet's: this machine, its networks, or nobody's. */
export function isPrivateAddress(address: string): boolean {
  return isIn(privateAddresses, address)
}

export function isLinkLocalAddress(address: string): boolean {
  return isIn(linkLocalAddresses, address)
}

/**
 * What says whether an address is in one of some networks.
 *
 * @param networks - Such as `10.0.0.0/8` or `fd00::/8`
 */
export function networkMatcher(networks: readonly string[]): (address: string) => boolean {
  const lists = blockLists(
    networks.map((text) => {
      const [address = '', prefix] = text.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      return [address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family] as const
    })
  )
  return (address) => isIn(lists, address)
}

/** Whether a text is a network such as `10.0.0.0/8`, or an address. */
export function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  return version !== 0 && Number(prefix ?? 0) <= (version === 6 ? 128 : 32)
}

/** A list for each family: Node looks an IPv4 address up among IPv6 networks too, as one that is mapped. */
function blockLists(networks: Networks): Readonly<Record<'ipv4' | 'ipv6', BlockList>> {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const [address, prefix, family] of networks) lists[family].addSubnet(address, prefix, family)
  return lists
}

function isIn(lists: ReturnType<typeof blockLists>, address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const family = mapped === undefined && isIP(address) === 6 ? 'ipv6' : 'ipv4'
  return lists[family].check(mapped ?? address, family)
}
