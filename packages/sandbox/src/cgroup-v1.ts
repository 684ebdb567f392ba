import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type CgroupDriver, CPU_PERIOD_US, cpuQuotaUs, cpuShare, makeCgroup, readOutcome } from './cgroup.ts'
import type { FileWrite } from './launcher.ts'

/** In the order in which they are tried. `unified` is cgroup v2 without controllers, as hybrid systems have it. */
const HIERARCHIES = ['unified', 'memory', 'cpu', 'pids', 'freezer'] as const

/** Where the hierarchies are mounted. */
export type V1Mounts = Partial<Record<(typeof HIERARCHIES)[number], string>>

/**
 * Limits with the hierarchies of cgroup v1. Sandboxes lie at the top of each (of what a container shows of it), not
 * below the server's own cgroup: what a crashed server leaves is then found by the next, wherever that is started.
 *
 * @throws Error when not even one hierarchy can be used
 */
export function openCgroupV1(mounts: V1Mounts, serverId: string): CgroupDriver {
  const parents: V1Mounts = {}
  const failures: string[] = []
  for (const name of HIERARCHIES) {
    const mount = mounts[name]
    // Beside the unified freezer the v1 one would only add work.
    if (mount === undefined || (name === 'freezer' && hasFile(parents.unified, 'cgroup.freeze'))) continue
    const parent = join(mount, `hearth-${serverId}`)
    try {
      makeCgroup(parent)
      parents[name] = parent
    } catch (error) {
      failures.push(`${name} ${(error as NodeJS.ErrnoException).code}`)
    }
  }
  // Beside them, all other processes of the machine are in the hierarchy's top, each with a weight of 1024 of its own.
  if (parents.cpu !== undefined) writeFileSync(join(parents.cpu, 'cpu.shares'), String(1024 * availableParallelism()))
  if (Object.keys(parents).length === 0) throw new Error(failures.join(', '))
  return cgroupV1Driver(parents)
}

function hasFile(parent: string | undefined, file: string): parent is string {
  return parent !== undefined && existsSync(join(parent, file))
}

function cgroupV1Driver(parents: V1Mounts): CgroupDriver {
  const { memory, cpu, pids, freezer, unified } = parents
  const killable = hasFile(unified, 'cgroup.kill')
  const unifiedFreeze = hasFile(unified, 'cgroup.freeze')
  const swap = hasFile(memory, 'memory.memsw.limit_in_bytes')
  const used = [memory, cpu, pids, freezer, unified].filter((parent) => parent !== undefined)
  // Time is counted in v2 also without its controllers; else where `cpu` and `cpuacct` are one hierarchy, as they mostly are.
  const cpuFile = (id: string): string | undefined => {
    if (hasFile(unified, 'cpu.stat')) return join(unified, id, 'cpu.stat')
    return hasFile(cpu, 'cpuacct.usage') ? join(cpu, id, 'cpuacct.usage') : undefined
  }
  const frozenState = (id: string, frozen: boolean): FileWrite[] => {
    if (unified !== undefined && unifiedFreeze) return [[join(unified, id, 'cgroup.freeze'), frozen ? '1' : '0']]
    return freezer === undefined ? [] : [[join(freezer, id, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED']]
  }
  return {
    mode: unified === undefined ? 'v1' : 'v1+unified',
    reason: undefined,
    parents: used,
    mechanisms: {
      memory: memory && 'cgroup v1 memory.limit_in_bytes',
      swap: swap ? 'cgroup v1 memory.memsw.limit_in_bytes' : undefined,
      cpu: cpu && 'cgroup v1 cpu.cfs_quota_us',
      pids: pids && 'cgroup v1 pids.max',
      oomCounter: memory && 'cgroup v1 memory.oom_control oom_kill',
      freeze: unifiedFreeze ? 'cgroup v2 cgroup.freeze' : freezer && 'cgroup v1 freezer.state',
      kill: killable ? 'cgroup v2 cgroup.kill' : undefined
    },
    plan: (id, limits) => ({
      folders: used.map((parent) => join(parent, id)),
      limits: [
        ...memoryLimit(memory && join(memory, id), limits.memoryBytes, swap),
        ...(cpu === undefined
          ? []
          : ([
              [join(cpu, id, 'cpu.shares'), String(Math.max(2, Math.round(cpuShare(limits.memoryBytes) * 1024)))]
            ] as const)),
        ...(pids === undefined ? [] : ([[join(pids, id, 'pids.max'), String(limits.pids)]] as const))
      ],
      procs: used.map((parent) => join(parent, id, 'cgroup.procs')),
      thaw: unifiedFreeze ? [] : frozenState(id, false),
      kill: unified !== undefined && killable ? [[join(unified, id, 'cgroup.kill'), '1']] : [],
      stats: [
        ...(memory === undefined
          ? []
          : [join(memory, id, 'memory.oom_control'), join(memory, id, 'memory.max_usage_in_bytes')]),
        ...[cpuFile(id)].filter((path) => path !== undefined)
      ]
    }),
    cpuLimit: (id, cpus) =>
      cpu === undefined
        ? []
        : [
            [join(cpu, id, 'cpu.cfs_period_us'), String(CPU_PERIOD_US)],
            [join(cpu, id, 'cpu.cfs_quota_us'), String(cpuQuotaUs(cpus))]
          ],
    freeze: frozenState,
    usageFile: (id) => memory && join(memory, id, 'memory.usage_in_bytes'),
    peakFile: (id) => memory && join(memory, id, 'memory.max_usage_in_bytes'),
    cpuFile,
    readBack: (id) => ({
      memory: memory && join(memory, id, 'memory.limit_in_bytes'),
      pids: pids && join(pids, id, 'pids.max'),
      cpu: cpu && join(cpu, id, 'cpu.cfs_quota_us'),
      frozen:
        unified !== undefined && unifiedFreeze
          ? join(unified, id, 'cgroup.events')
          : freezer && join(freezer, id, 'freezer.state'),
      oomCounter: memory && join(memory, id, 'memory.oom_control')
    }),
    outcome: (stats) => readOutcome(memory === undefined ? ['', '', ...stats] : stats)
  }
}

function memoryLimit(folder: string | undefined, bytes: number, swap: boolean): FileWrite[] {
  if (folder === undefined) return []
  const limits: FileWrite[] = [[join(folder, 'memory.limit_in_bytes'), String(bytes)]]
  if (swap) limits.push([join(folder, 'memory.memsw.limit_in_bytes'), String(bytes)])
  else limits.push([join(folder, 'memory.swappiness'), '0'])
  return limits
}
