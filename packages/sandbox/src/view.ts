import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { meminfo, type SandboxShape } from './bwrap-arguments.ts'
import type { Launcher } from './launcher.ts'
import { compileSeccomp } from './seccomp.ts'
import { architecture } from './syscall-numbers.ts'
import type { Mount } from './types.ts'

/** What /proc shows of the machine or of other sandboxes. */
const MASKED_FILES =
  'buddyinfo cmdline config.gz diskstats interrupts kallsyms key-users keys loadavg modules pagetypeinfo partitions schedstat softirqs swaps timer_list version vmstat zoneinfo'
const MASKED_FOLDERS = 'pressure'
/** Read by the loader, TLS libraries and language runtimes that live in /usr. */
const MACHINE_ETC = 'ld.so.cache localtime alternatives ssl/certs pki/tls/certs ca-certificates mono'
const TOP_NAMES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']
// The lib folders are for the loader: it never looks again into a folder of LD_LIBRARY_PATH that was not there once.
const MOUNT_POINTS = 'dev etc opt opt/lib proc run tmp usr var/lang var/runtime var/task var/task/lib'.split(' ')

const PLAIN_PATH = /^(\/(?!\.{1,2}(\/|$))[^/]+)+$/

const ETC_FILES: Readonly<Record<string, string>> = {
  passwd: 'root:x:0:0:root:/:/sbin/nologin\nsbx_user1051:x:993:990::/tmp:/sbin/nologin\n',
  group: 'root:x:0:\nsbx_user1051:x:990:\n',
  hosts: '127.0.0.1 localhost sandbox sandbox.localdomain\n::1 localhost\n',
  'nsswitch.conf': 'hosts: files dns\npasswd: files\ngroup: files\n',
  'resolv.conf': ''
}

/** Looks at this machine once: what sandboxes can show of it, and what of /proc must be hidden. */
export function surveyMachine(): SandboxShape {
  const inProc = (names: string) => names.split(' ').filter((name) => existsSync(`/proc/${name}`))
  return {
    maskedFiles: inProc(MASKED_FILES),
    maskedFolders: inProc(MASKED_FOLDERS),
    machineEtc: MACHINE_ETC.split(' ').filter((name) => existsSync(`/etc/${name}`)),
    topFolders: TOP_NAMES.filter((name) => existsSync(`/${name}`) && !lstatSync(`/${name}`).isSymbolicLink())
  }
}

/** The files that sandboxes are built from, as the launcher holds them. All sandboxes of a host share them, read-only. */
export interface View {
  /**
   * Makes what one sandbox needs beyond the common: its /proc/meminfo and mount points.
   *
   * @throws Error when the source of a mount does not exist
   */
  prepare(memoryMiB: number, mounts: readonly Mount[]): Promise<void>
}

/**
 * @param dns - resolvers for sandboxes with network
 * @param countsMemory - whether cgroups limit the memory of sandboxes
 */
export function buildView(
  launcher: Launcher,
  shape: SandboxShape,
  dns: readonly string[],
  countsMemory: boolean
): View {
  const folder = (path: string) => launcher.send('D', path)
  const file = (path: string, content: string | Buffer) =>
    launcher.send('F', path, Buffer.from(content as string).toString('hex'))

  file('/seccomp', compileSeccomp(architecture(process.arch), countsMemory))
  file('/resolv.conf', dns.map((address) => `nameserver ${address}\n`).join(''))
  folder('/meminfo')
  for (const name of [...MOUNT_POINTS, ...shape.topFolders]) folder(`/skeleton/${name}`)
  for (const name of TOP_NAMES) {
    if (!existsSync(`/${name}`) || shape.topFolders.includes(name)) continue
    launcher.send('Y', `/skeleton/${name}`, readlinkSync(`/${name}`))
  }
  for (const [name, content] of Object.entries(ETC_FILES)) file(`/skeleton/etc/${name}`, content)
  const point = (target: string, isFolder: boolean) => {
    if (isFolder) return folder(`/skeleton${target}`)
    folder(`/skeleton${dirname(target)}`)
    file(`/skeleton${target}`, '')
  }
  for (const name of shape.machineEtc) point(`/etc/${name}`, statSync(`/etc/${name}`).isDirectory())

  const made = new Set<string>()
  return {
    async prepare(memoryMiB, mounts) {
      if (!made.has(String(memoryMiB))) {
        made.add(String(memoryMiB))
        file(`/meminfo/${memoryMiB}`, meminfo(memoryMiB))
      }
      for (const { source, target } of mounts) {
        if (!PLAIN_PATH.test(target)) throw new Error(`not an absolute path without . and ..: ${target}`)
        const isFolder = (await stat(source)).isDirectory()
        // A target below another mount must exist in that mount's source.
        if (made.has(target) || mounts.some((other) => target.startsWith(`${other.target}/`))) continue
        made.add(target)
        point(target, isFolder)
      }
    }
  }
}
