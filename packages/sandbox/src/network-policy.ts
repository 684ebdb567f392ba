import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { networkRules } from './network.ts'
import type { SandboxHostOptions } from './types.ts'

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward'

export interface NetworkPolicyRules {
  /** Why sandboxes cannot have network, if they cannot. */
  readonly error: string | undefined
  readonly remedy: string | undefined
  /**
   * Puts the policy in force and lets this machine forward packets. Not before a function with network is there: it
   * makes a router of the machine, and its connection tracking costs every packet on it, loopback too.
   * @throws Error when the kernel refuses
   */
  enforce(): Promise<void>
  close(): Promise<void>
}

/** Has the kernel check the policy `internet`, and stands by to enforce it. */
export async function openNetworkPolicy(
  serverId: string,
  privileged: boolean,
  log: SandboxHostOptions['log']
): Promise<NetworkPolicyRules> {
  const unavailable = (error: string, remedy: string) => ({
    error,
    remedy,
    enforce: () => Promise.reject(new Error(error)),
    close: async () => {}
  })
  if (!privileged) return unavailable('needs network interfaces, which only root can make', 'run as root')
  try {
    // What a server of this id left when it was killed goes now: it may not be needed again.
    await nft(['-f', '-'], `table inet hearth_${serverId} {}\ndelete table inet hearth_${serverId}\n`)
    await nft(['--check', '-f', '-'], networkRules(serverId))
  } catch (error) {
    return unavailable(`nft: ${(error as Error).message}`, 'apt-get install nftables; run with CAP_NET_ADMIN')
  }
  let turnedOn = false
  const close = async () => {
    if (enforcing === undefined) return
    try {
      await nft(['-f', '-'], `delete table inet hearth_${serverId}\n`)
      // Another server may have come to rely on it since.
      if (turnedOn && !/ hearth_/.test(await nft(['list', 'tables']))) await writeFile(IP_FORWARD, '0')
    } catch (error) {
      log('warn', 'the network policy could not be removed', { error: String(error) })
    }
  }
  let enforcing: Promise<void> | undefined
  const load = async () => {
    await nft(['-f', '-'], networkRules(serverId))
    if ((await readFile(IP_FORWARD, 'utf8')).trim() === '0') {
      await writeFile(IP_FORWARD, '1').catch((error: Error) => {
        throw new Error(`functions with network need sysctl net.ipv4.ip_forward=1: ${error.message}`)
      })
      turnedOn = true
      log('info', 'net.ipv4.ip_forward was turned on for functions with network')
    }
  }
  const enforce = () => {
    enforcing ??= load().catch((error: unknown) => {
      enforcing = undefined
      throw error
    })
    return enforcing
  }
  return { error: undefined, remedy: undefined, enforce, close }
}

function nft(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', args, { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(0, 500)
    })
    child.on('error', reject)
    child.stdin.on('error', () => {}) // its exit tells
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(errors.trim() || `status ${code}`))))
    child.stdin.end(input)
  })
}
