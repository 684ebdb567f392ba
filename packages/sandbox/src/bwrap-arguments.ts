import type { SandboxSpec } from './types.ts'

const MIB = 1024 * 1024
const SHM_BYTES = 64 * MIB

/** What is the same for every sandbox of a host. */
export interface SandboxShape {
  /** Names in /proc that tell about the machine or other sandboxes, among those that this kernel has. */
  readonly maskedFiles: readonly string[]
  readonly maskedFolders: readonly string[]
  /** Files of /etc that are taken from the machine. */
  readonly machineEtc: readonly string[]
  /** Folders at the top (bin, lib, …) that are real folders on this machine and not links into /usr. */
  readonly topFolders: readonly string[]
}

/**
 * The options of bubblewrap for one sandbox, without the command. Sources are paths in the launcher's view; the
 * launcher shows the n-th mount of `spec` at /mounts/n.
 *
 * @param joinsNetwork - true when the launcher enters a network namespace for this sandbox beforehand
 * @param tmpOnDisk - true when the launcher mounts a file system for /tmp beforehand
 */
export function bwrapArguments(
  spec: SandboxSpec,
  shape: SandboxShape,
  joinsNetwork: boolean,
  tmpOnDisk: boolean
): string[] {
  const args = ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup']
  if (!joinsNetwork) args.push('--unshare-net')
  args.push('--disable-userns', '--uid', '993', '--gid', '990', '--hostname', 'hearth')
  args.push('--die-with-parent', '--new-session', '--clearenv')
  args.push('--ro-bind', '/skeleton', '/', '--ro-bind', '/usr', '/usr')
  for (const name of shape.topFolders) args.push('--ro-bind', `/${name}`, `/${name}`)
  for (const name of shape.machineEtc) args.push('--ro-bind', `/etc/${name}`, `/etc/${name}`)
  if (joinsNetwork) args.push('--ro-bind', '/resolv.conf', '/etc/resolv.conf')
  args.push('--proc', '/proc', '--dev', '/dev')
  // bubblewrap's /dev is a tmpfs without a size: closed, but for a bounded /dev/shm.
  args.push('--perms', '1777', '--size', String(SHM_BYTES), '--tmpfs', '/dev/shm', '--remount-ro', '/dev')
  if (tmpOnDisk) args.push('--bind', '/mounts/tmp', '/tmp')
  else args.push('--perms', '1777', '--size', String(spec.tmpMiB * MIB), '--tmpfs', '/tmp')
  for (const name of shape.maskedFiles) args.push('--ro-bind', '/dev/null', `/proc/${name}`)
  for (const name of shape.maskedFolders) args.push('--tmpfs', `/proc/${name}`, '--remount-ro', `/proc/${name}`)
  args.push('--ro-bind', `/meminfo/${spec.memoryMiB}`, '/proc/meminfo')
  spec.mounts.forEach(({ target }, n) => {
    args.push('--ro-bind', `/mounts/${n}`, target)
  })
  for (const [name, value] of Object.entries(spec.env)) args.push('--setenv', name, value)
  args.push('--seccomp', '7', '--chdir', '/tmp')
  if (args.some((arg) => arg.includes('\0'))) throw new Error('a NUL byte in a path or an environment variable')
  return args
}

/** Content of /proc/meminfo for a function with this much memory. */
export function meminfo(memoryMiB: number): string {
  const rows = { MemTotal: memoryMiB * 1024, MemFree: memoryMiB * 1024, MemAvailable: memoryMiB * 1024 }
  const zero = { Buffers: 0, Cached: 0, SwapCached: 0, SwapTotal: 0, SwapFree: 0, Shmem: 0, SReclaimable: 0 }
  return Object.entries({ ...rows, ...zero })
    .map(([name, kiB]) => `${`${name}:`.padEnd(16)}${String(kiB).padStart(8)} kB\n`)
    .join('')
}
