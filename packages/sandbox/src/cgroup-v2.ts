import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type CgroupDriver, CPU_PERIOD_US, cpuQuotaUs, cpuShare, makeCgroup, readOutcome } from './cgroup.ts'

const CONTROLLERS = ['memory', 'cpu', 'pids']
/** Holds the server's own processes: a cgroup with limited children may hold none itself. */
const SUPERVISOR = 'supervisor'

/**
 * Limits with the unified hierarchy.
 *
 * @param own - folder of the cgroup that this process is in
 * @throws Error when the cgroup is not delegated to this process
 */
export function openCgroupV2(own: string, serverId: string): CgroupDriver {
  const base = basename(own) === SUPERVISOR ? dirname(own) : own
  const offered = readFileSync(join(base, 'cgroup.controllers'), 'utf8').trim().split(' ')
  const lacking = CONTROLLERS.filter((controller) => !offered.includes(controller))
  if (lacking.length > 0) throw new Error(`cgroup v2 does not offer the controllers ${lacking.join(', ')} here`)
  // Only the root has no cgroup.type, and only the root may have processes beside limited children.
  if (existsSync(join(base, 'cgroup.type'))) moveProcesses(base, join(base, SUPERVISOR))
  enable(base)
  const parent = join(base, `hearth-${serverId}`)
  makeCgroup(parent)
  enable(parent)
  return cgroupV2Driver(parent)
}

function cgroupV2Driver(parent: string): CgroupDriver {
  const has = (name: string) => existsSync(join(parent, name))
  const file = (id: string, name: string) => join(parent, id, name)
  return {
    mode: 'v2',
    reason: undefined,
    parents: [parent],
    mechanisms: {
      memory: 'cgroup v2 memory.max',
      swap: has('memory.swap.max') ? 'cgroup v2 memory.swap.max' : undefined,
      cpu: 'cgroup v2 cpu.max',
      pids: 'cgroup v2 pids.max',
      oomCounter: 'cgroup v2 memory.events oom_kill',
      freeze: has('cgroup.freeze') ? 'cgroup v2 cgroup.freeze' : undefined,
      kill: has('cgroup.kill') ? 'cgroup v2 cgroup.kill' : undefined
    },
    plan: (id, { memoryBytes, pids }) => ({
      folders: [join(parent, id)],
      limits: [
        [file(id, 'memory.max'), String(memoryBytes)],
        [file(id, 'memory.oom.group'), '1'],
        ...(has('memory.swap.max') ? ([[file(id, 'memory.swap.max'), '0']] as const) : []),
        [file(id, 'pids.max'), String(pids)],
        [file(id, 'cpu.weight'), String(Math.min(10_000, Math.max(1, Math.round(cpuShare(memoryBytes) * 100))))]
      ],
      procs: [file(id, 'cgroup.procs')],
      thaw: [],
      kill: has('cgroup.kill') ? [[file(id, 'cgroup.kill'), '1']] : [],
      stats: [file(id, 'memory.events'), file(id, 'memory.peak'), file(id, 'cpu.stat')]
    }),
    cpuLimit: (id, cpus) => [[file(id, 'cpu.max'), `${cpuQuotaUs(cpus)} ${CPU_PERIOD_US}`]],
    freeze: (id, frozen) => (has('cgroup.freeze') ? [[file(id, 'cgroup.freeze'), frozen ? '1' : '0']] : []),
    usageFile: (id) => file(id, 'memory.current'),
    peakFile: (id) => (has('memory.peak') ? file(id, 'memory.peak') : undefined),
    cpuFile: (id) => file(id, 'cpu.stat'),
    readBack: (id) => ({
      memory: file(id, 'memory.max'),
      pids: file(id, 'pids.max'),
      cpu: file(id, 'cpu.max'),
      frozen: has('cgroup.freeze') ? file(id, 'cgroup.events') : undefined,
      oomCounter: file(id, 'memory.events')
    }),
    outcome: readOutcome
  }
}

function enable(folder: string): void {
  writeFileSync(join(folder, 'cgroup.subtree_control'), CONTROLLERS.map((controller) => `+${controller}`).join(' '))
}

function moveProcesses(from: string, to: string): void {
  makeCgroup(to)
  for (const pid of readFileSync(join(from, 'cgroup.procs'), 'utf8').split('\n')) {
    if (pid === '') continue
    try {
      writeFileSync(join(to, 'cgroup.procs'), pid)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it ended in the meantime
    }
  }
}
