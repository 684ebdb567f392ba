import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Launcher } from './launcher.ts'
import { hashServerId } from './server-range.ts'

/** A network namespace with a veth pair to this machine. */
export interface NetworkLease {
  readonly id: string
  readonly link: string
  readonly slot: number
}

/** Network namespaces for sandboxes of policy `internet`. */
export interface Network {
  /** @throws Error when one cannot be made */
  take(launcher: Launcher): Promise<NetworkLease>
  release(lease: NetworkLease, launcher: Launcher): void
  /** Forgets what was made ahead: its launcher is gone. */
  reset(): void
  /** Resolves when no interface is left on this machine after the launcher has ended, or after 2 s. */
  gone(): Promise<void>
  /** Makes some ahead of need. */
  fill(launcher: Launcher): void
}

/** 100.64.0.0/10 in networks of four addresses: 4,096 for each of 256 ranges of servers. */
const RANGES = 256
const SLOTS = 4096
const SPARES = 2
/** The kernel takes a namespace apart some time after its last user has gone. */
const GONE_MS = 2_000

/** Names of this server's interfaces and nft table. `hv<server>-` must stay within 15 bytes with a slot number. */
export const linkPrefix = (serverId: string) => `h${hashServerId(serverId).toString(36).padStart(7, '0')}`

function address(range: number, slot: number, host: number): string {
  const n = (range * SLOTS + slot) * 4 + host
  return `100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}

/** @param nextId - names that never repeat */
export function createNetwork(serverId: string, nextId: () => string): Network {
  const range = hashServerId(serverId) % RANGES
  const prefix = linkPrefix(serverId)
  const used = new Set<number>()
  let spares: Promise<NetworkLease>[] = []
  let next = 0

  const make = async (launcher: Launcher): Promise<NetworkLease> => {
    if (used.size >= SLOTS) throw new Error('all addresses for sandboxes with network are in use')
    while (used.has(next)) next = (next + 1) % SLOTS
    const slot = next
    next = (next + 1) % SLOTS
    used.add(slot)
    const lease = { id: nextId(), link: `${prefix}${slot.toString(36)}`, slot }
    const machine = address(range, slot, 1)
    const inside = [
      `link add name eth0 type veth peer name ${lease.link} netns ${process.pid}`,
      'link set lo up',
      `addr add ${address(range, slot, 2)}/30 dev eth0`,
      'link set eth0 up',
      `route add default via ${machine}`
    ]
    const outside = [`addr add ${machine}/30 dev ${lease.link}`, `link set ${lease.link} up`]
    try {
      await launcher.ask('N', lease.id, script(inside), script(outside))
    } catch (error) {
      used.delete(slot)
      throw error
    }
    return lease
  }

  const fill = (launcher: Launcher) => {
    while (spares.length < SPARES) {
      const spare = make(launcher)
      spare.catch(() => {}) // whoever takes it sees the error
      spares.push(spare)
    }
  }
  return {
    fill,
    async take(launcher) {
      const spare = spares.shift()
      const lease = await (spare?.catch(() => make(launcher)) ?? make(launcher))
      fill(launcher)
      return lease
    },
    release({ id, link, slot }, launcher) {
      used.delete(slot)
      launcher.send('U', id, script([`link del ${link}`]))
    },
    reset() {
      spares = []
      used.clear()
    },
    async gone() {
      const deadline = Date.now() + GONE_MS
      const isLeft = () => Object.keys(networkInterfaces()).some((name) => name.startsWith(prefix))
      while (isLeft() && Date.now() < deadline) await delay(5)
    }
  }
}

const script = (lines: readonly string[]) => Buffer.from(`${lines.join('\n')}\n`).toString('hex')

const BLOCKED =
  '0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.168.0.0/16, 198.18.0.0/15, 224.0.0.0/4, 240.0.0.0/4'
/** Connections that one sandbox may have open. */
const CONNECTIONS = 256

/**
 * The policy `internet` as one nft table: public IPv4 addresses only; not this machine, its private networks, cloud
 * metadata or another sandbox; no mail (port 25); no IPv6.
 */
export function networkRules(serverId: string): string {
  const table = `inet hearth_${serverId}`
  const sandboxes = `"${linkPrefix(serverId)}*"`
  const range = hashServerId(serverId) % RANGES
  return `
table ${table} {}
delete table ${table}
table ${table} {
  set blocked { type ipv4_addr; flags interval; elements = { ${BLOCKED} }; }
  set connections { type ipv4_addr; flags dynamic; size 65535; }
  chain input {
    type filter hook input priority -10; policy accept;
    iifname ${sandboxes} ct state established,related accept
    iifname ${sandboxes} drop
  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname ${sandboxes} meta nfproto ipv6 drop
    iifname ${sandboxes} ip daddr @blocked drop
    iifname ${sandboxes} fib daddr type { local, broadcast, multicast } drop
    iifname ${sandboxes} tcp dport 25 reject with tcp reset
    iifname ${sandboxes} ct state new add @connections { ip saddr ct count over ${CONNECTIONS} } drop
    oifname ${sandboxes} ct state established,related accept
    oifname ${sandboxes} drop
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${address(range, 0, 0)}/${32 - Math.log2(SLOTS * 4)} oifname != ${sandboxes} masquerade
  }
}
`
}
