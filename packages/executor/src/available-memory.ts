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
  return leastOf([ofMachine('MemAvailable'), ...(await groups(leftOf))])
}

/** All memory there is for this process and its instances, in bytes: of the machine, or what control groups allow. */
export async function memoryCapacity(): Promise<number | undefined> {
  return leastOf([ofMachine('MemTotal'), ...(await groups(limitOf))])
}

async function leastOf(figures: Promise<number | undefined>[]): Promise<number | undefined> {
  const known = (await Promise.all(figures)).filter((bytes) => bytes !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

async function ofMachine(name: string): Promise<number | undefined> {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(await textOf('/proc/meminfo'))
  return line === null ? undefined : Number(line[1]) * 1_024
}

async function groups(of: (folder: string) => Promise<number | undefined>): Promise<Promise<number | undefined>[]> {
  const own = /^0::(\/.*)$/m.exec(await textOf('/proc/self/cgroup'))?.[1]
  if (own === undefined) return []
  const folders: string[] = []
  // A limit of any of those above holds for this one too.
  for (let folder = own; ; folder = path.dirname(folder)) {
    folders.push(path.join(CGROUP_ROOT, folder))
    if (folder === '/' || folder === '.') break
  }
  return folders.map(of)
}

async function limitOf(folder: string): Promise<number | undefined> {
  const max = Number.parseInt(await textOf(path.join(folder, 'memory.max')), 10)
  return Number.isNaN(max) ? undefined : max
}

async function leftOf(folder: string): Promise<number | undefined> {
  const max = await limitOf(folder)
  if (max === undefined) return undefined
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
