import { isIP } from 'node:net'

/** Sixteen bits each: two groups of IPv4, eight of IPv6. */
type Groups = readonly number[]

/**
 * A test for addresses in a CIDR block; a bare address is a block of one. Own arithmetic: a BlockList costs microseconds
 * per check, and takes IPv4 addresses for members of IPv6 blocks.
 *
 * @returns undefined when the text is no block
 */
export function parseIpRange(text: string): ((address: string) => boolean) | undefined {
  const slash = text.indexOf('/')
  const base = groupsOf(slash === -1 ? text : text.slice(0, slash))
  if (base === undefined) return undefined
  const width = base.length * 16
  const prefix = slash === -1 ? String(width) : text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > width) return undefined
  const masks = base.map((_, i) => {
    const bits = Math.min(16, Math.max(0, Number(prefix) - i * 16))
    return (0xffff << (16 - bits)) & 0xffff
  })
  // A decision asks for one address many times, and so does the client that it belongs to.
  let last = ''
  let isIn = false
  return (address) => {
    if (address !== last) {
      const groups = groupsOf(address)
      isIn = groups?.length === base.length && groups.every((group, i) => ((group ^ base[i]!) & masks[i]!) === 0)
      last = address
    }
    return isIn
  }
}

/** An IPv4 address that is written as one of IPv6 is IPv4. */
function groupsOf(address: string): Groups | undefined {
  const family = isIP(address)
  if (family === 4) return ipv4Groups(address)
  if (family !== 6 || address.includes('%')) return undefined
  const dotted = address.lastIndexOf('.') === -1 ? -1 : address.lastIndexOf(':') + 1
  const tail = dotted === -1 ? [] : ipv4Groups(address.slice(dotted))
  const hex = dotted === -1 ? address : address.slice(0, dotted)
  const [front = '', back] = hex.split('::')
  const before = hexGroups(front)
  const after = [...(back === undefined ? [] : hexGroups(back)), ...tail]
  const gap = back === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<number>(gap).fill(0), ...after]
  const isMapped = groups[5] === 0xffff && groups.every((group, i) => i >= 5 || group === 0)
  return isMapped ? groups.slice(6) : groups
}

function ipv4Groups(address: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}

function hexGroups(text: string): number[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .map((group) => Number.parseInt(group, 16))
}
