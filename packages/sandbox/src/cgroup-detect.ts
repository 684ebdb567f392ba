import { accessSync, constants, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type CgroupDriver, noCgroups } from './cgroup.ts'
import { openCgroupV1, type V1Mounts } from './cgroup-v1.ts'
import { openCgroupV2 } from './cgroup-v2.ts'

/** One cgroup mount of /proc/self/mountinfo. */
export interface CgroupMount {
  /** Folder of the hierarchy that the mount shows at its top; not / inside a container with the host's cgroups. */
  readonly root: string
  readonly path: string
  readonly type: 'cgroup' | 'cgroup2'
  readonly options: readonly string[]
  readonly readOnly: boolean
}

/**
 * Finds the best way to limit process trees: v2 if this process may use it, else v1 (with v2's kill and freeze where
 * both are mounted), else none.
 */
export function detectCgroups(serverId: string): CgroupDriver {
  const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'))
  const own = parseOwnCgroup(readFileSync('/proc/self/cgroup', 'utf8'))
  const v2 = mounts.find((mount) => mount.type === 'cgroup2')
  const v1: V1Mounts = {}
  for (const controller of ['memory', 'cpu', 'pids', 'freezer'] as const) {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))
    if (mount !== undefined && !mount.readOnly) v1[controller] = mount.path
  }
  let reason = 'no cgroup hierarchy is mounted writable'
  if (v2 !== undefined && v1.memory === undefined) {
    try {
      const folder = join(v2.path, relative(v2.root, own))
      accessSync(join(folder, 'cgroup.subtree_control'), constants.W_OK)
      return openCgroupV2(folder, serverId)
    } catch (error) {
      reason = `cgroup v2 is not delegated to this process: ${(error as Error).message}`
    }
  }
  if (Object.keys(v1).length > 0) {
    try {
      return openCgroupV1(v2 === undefined || v2.readOnly ? v1 : { ...v1, unified: v2.path }, serverId)
    } catch (error) {
      reason = `cgroup v1 is not writable for this process: ${(error as Error).message}`
    }
  }
  return noCgroups(reason)
}

/** @param mountinfo - text of /proc/self/mountinfo */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts: CgroupMount[] = []
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', path = '', flags = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    mounts.push({ root, path, type, options: options.split(','), readOnly: flags.split(',').includes('ro') })
  }
  return mounts
}

/** @param text - text of /proc/self/cgroup. @returns this process's folder in the v2 hierarchy */
export function parseOwnCgroup(text: string): string {
  return /^0::(.*)$/m.exec(text)?.[1] ?? '/'
}
