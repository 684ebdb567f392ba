import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { CgroupDriver } from './cgroup.ts'
import { detectCgroups } from './cgroup-detect.ts'
import { type Launcher, startLauncher } from './launcher.ts'
import { removeLeftovers } from './leftovers.ts'
import { createNetwork, type Network } from './network.ts'
import { openNetworkPolicy } from './network-policy.ts'
import { createSandboxes } from './sandboxes.ts'
import { PROBE_SPEC, probeSandbox, reporter } from './self-test.ts'
import { uidPool } from './server-range.ts'
import { openTmpDisk, type TmpPlace } from './tmp-disk.ts'
import type { Feature, SandboxHost, SandboxHostOptions, SandboxSpec } from './types.ts'
import { SandboxUnavailableError } from './unavailable.ts'
import { buildView, surveyMachine, type View } from './view.ts'

const MAX_RUN_DIR_BYTES = 70
const BWRAP_PATHS = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap']
const CAP_SYS_ADMIN = 21n

/**
 * Makes this machine ready to run sandboxes: cgroups, launcher, network policy, and a self-test that really tries each
 * mechanism. What an earlier server of this id left behind is removed first.
 *
 * @throws SandboxUnavailableError when sandboxes cannot be made, or `strict` needs what this machine cannot enforce
 * @throws Error when a server of this id is running, or for options out of range
 */
export async function openSandboxHost(options: SandboxHostOptions): Promise<SandboxHost> {
  const host = await openTested(options)
  const weak = host.features.filter(({ enforced }) => !enforced)
  const missing = weak.filter(({ required }) => required)
  if (!host.usable || (options.isolation === 'strict' && missing.length > 0)) {
    await host.close()
    throw new SandboxUnavailableError(missing)
  }
  for (const { feature, how, remedy } of weak) options.log('warn', 'isolation is weakened', { feature, how, remedy })
  return host
}

/** What this machine can enforce: the self-test of `openSandboxHost`, without its refusal. */
export async function inspectMachine(options: SandboxHostOptions): Promise<Feature[]> {
  const host = await openTested(options)
  await host.close()
  return [...host.features]
}

interface TestedHost extends SandboxHost {
  /** Whether a sandbox can be started at all. */
  readonly usable: boolean
}

async function openTested(options: SandboxHostOptions): Promise<TestedHost> {
  const { runDir, serverId, log } = options
  if (!/^[a-z0-9]{1,8}$/.test(serverId)) throw new Error(`serverId must be 1-8 of [a-z0-9]: ${serverId}`)
  if (!/^\/[^\t\n\0]+$/.test(runDir) || Buffer.byteLength(runDir) > MAX_RUN_DIR_BYTES) {
    throw new Error(`the run folder must be an absolute path of at most ${MAX_RUN_DIR_BYTES} bytes: ${runDir}`)
  }
  const features: Feature[] = []
  const add = reporter(features)
  const lock = await claim(serverId)
  const privileged = hasCapability(CAP_SYS_ADMIN)
  const bwrap = BWRAP_PATHS.find((path) => existsSync(path))
  const cgroups = detectCgroups(serverId)
  await removeLeftovers(cgroups)
  await mkdir(runDir, { recursive: true, mode: 0o700 })

  const shape = surveyMachine()
  let serial = 0
  const nextId = () => `s${(++serial).toString(36)}`
  const policy = options.networks.includes('internet') ? await openNetworkPolicy(serverId, privileged, log) : undefined
  const network = policy?.error === undefined && policy !== undefined ? createNetwork(serverId, nextId) : undefined
  const uids = privileged ? uidPool(serverId) : undefined
  let tmp: TmpPlace = { onDisk: false, how: 'tmpfs, counted as memory of the function' }
  const tmpOnDisk = () => tmp.onDisk
  const sandboxes = createSandboxes({ bwrap: bwrap ?? '', shape, cgroups, uids, network, tmpOnDisk }, nextId)

  let closing = false
  let current: Promise<{ launcher: Launcher; view: View }> | undefined
  const launch = async () => {
    const launcher = await startLauncher(runDir, !privileged, cgroups.parents, {
      ...sandboxes,
      onClosed(reason) {
        if (closing) return
        log('error', 'the launcher ended and all sandboxes with it', { reason })
        network?.reset()
        current = removeLeftovers(cgroups)
          .finally(() => sandboxes.abandon(reason))
          .then(launch)
        // Whoever starts the next sandbox sees the failure, and makes the next attempt.
        current.catch((error: unknown) => {
          current = undefined
          log('error', 'the launcher cannot be started', { error: String(error) })
        })
      }
    })
    if (options.tmpDisk !== undefined && privileged) tmp = await openTmpDisk(launcher, options.tmpDisk, log)
    return { launcher, view: buildView(launcher, shape, options.dns, cgroups.mechanisms.memory !== undefined) }
  }
  const ready = () => (current ??= launch())
  const start = async (spec: SandboxSpec) => {
    if (closing) throw new Error('the sandbox host is closed')
    const { launcher, view } = await ready()
    if (spec.network === 'internet') await policy?.enforce()
    return sandboxes.start(launcher, view, spec)
  }

  let usable = true
  add('bubblewrap', bwrap ?? 'bwrap is not installed', bwrap !== undefined, true, 'apt-get install bubblewrap')
  try {
    const { launcher } = await ready()
    add('launcher', 'perl in a mount namespace of its own', true, true)
    const [, probed] = await Promise.all([
      network === undefined ? undefined : probeNetwork(network, launcher, add),
      bwrap === undefined ? [] : start(PROBE_SPEC).then((sandbox) => probeSandbox(sandbox, launcher, cgroups, tmp.how))
    ])
    usable = bwrap !== undefined
    features.push(...probed)
  } catch (error) {
    usable = false
    add('namespaces', (error as Error).message, false, true, namespaceRemedy())
    cgroupSummary(cgroups, add)
  }
  add(
    'user-per-sandbox',
    privileged ? 'a uid of its own' : 'all share the uid of the server',
    privileged,
    false,
    'run as root'
  )
  if (policy?.error !== undefined) add('network-internet', policy.error, false, false, policy.remedy)

  return {
    features,
    usable,
    start,
    async close() {
      if (closing) return
      closing = true
      const running = await current?.catch(() => undefined)
      sandboxes.destroyStreams() // an unread stream would keep this process alive
      await running?.launcher.close()
      sandboxes.abandon('the sandbox host was closed')
      await network?.gone()
      await removeLeftovers(cgroups)
      for (const parent of cgroups.parents) await rmdir(parent).catch(() => {})
      await policy?.close()
      await rm(join(runDir, 'control'), { recursive: true, force: true })
      await new Promise<void>((resolve) => lock.close(() => resolve()))
    }
  }
}

async function probeNetwork(network: Network, launcher: Launcher, add: ReturnType<typeof reporter>): Promise<void> {
  try {
    network.release(await network.take(launcher), launcher)
    add('network-internet', 'veth pair per sandbox, nftables policy', true, false)
  } catch (error) {
    add(
      'network-internet',
      (error as Error).message,
      false,
      false,
      'apt-get install iproute2 nftables; run with CAP_NET_ADMIN'
    )
  }
}

function cgroupSummary(cgroups: CgroupDriver, add: ReturnType<typeof reporter>): void {
  const { mechanisms, reason = 'not tried' } = cgroups
  for (const [feature, how] of [
    ['memory-limit', mechanisms.memory],
    ['pids-limit', mechanisms.pids],
    ['cpu-limit', mechanisms.cpu]
  ] as const) {
    add(
      feature,
      how ?? reason,
      how !== undefined,
      true,
      'run as root, or as a systemd service with Delegate=cpu memory pids'
    )
  }
}

function namespaceRemedy(): string {
  const restricted = readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1'
  if (restricted) return 'sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 23.10 and later)'
  if (readSetting('/proc/sys/kernel/unprivileged_userns_clone') === '0')
    return 'sysctl kernel.unprivileged_userns_clone=1'
  if (readSetting('/proc/sys/user/max_user_namespaces') === '0') return 'sysctl user.max_user_namespaces=15000'
  return 'run as root, or in a container with seccomp=unconfined and systempaths=unconfined (docs/security.md)'
}

function readSetting(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function hasCapability(bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return process.geteuid?.() === 0 && ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n
}

/** Two servers of one id would take each other's cgroups for leftovers. The kernel frees the name with the process. */
function claim(serverId: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => reject(new Error(`another server with the id ${serverId} is running on this machine`)))
    server.listen(`\0hearth-sandbox-${serverId}`, () => resolve(server))
    server.unref()
  })
}
