import { readFile } from 'node:fs/promises'
import path from 'node:path'

const CGROUP_ROOT = '/sys/fs/cgroup'

/**
 * Memory that could be used without swapping, in bytes: what the kernel says of the machine, or what the control groups
 * around this process (a container, a service) leave, whichever is less. Undefined where neither can be read.
 *
 * @see proc_pid_meminfo(5), MemAvailable; kernel documentation, cgroup v2, memory.max
 */
export async function availableMemory(): Promise<number | undefined> {
  const [machine, groups] = await Promise.all([ofMachine(), ofGroups()])
  const known = [machine, ...groups].filter((bytes) => bytes !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

async function ofMachine(): Promise<number | undefined> {
  const line = /^MemAvailable:\s+(\d+) kB$/m.exec(await textOf('/proc/meminfo'))
  return line === null ? undefined : Number(line[1]) * 1_024
}

async function ofGroups(): Promise<(number | undefined)[]> {
  const own = /^0::(\/.*)$/m.exec(await textOf('/proc/self/cgroup'))?.[1]
  if (own === undefined) return []
  const folders: string[] = []
  // A limit of any of those above holds for this one too.
  for (let folder = own; ; folder = path.dirname(folder)) {
    folders.push(path.join(CGROUP_ROOT, folder))
    if (folder === '/' || folder === '.') break
  }
  return Promise.all(folders.map(ofGroup))
}

async function ofGroup(folder: string): Promise<number | undefined> {
  const max = Number.parseInt(await textOf(path.join(folder, 'memory.max')), 10)
  if (Number.isNaN(max)) return undefined
  const [current, stat] = await Promise.all([
    textOf(path.join(folder, 'memory.current')),
    textOf(path.join(folder, 'memory.stat'))
  ])
  // Cached files count as used there, and go when something needs the memory.
  const cached = Number(/^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0)
  return max - (Number.parseInt(current, 10) || 0) + cached
}

/** '' when it is not there. */
function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
