import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { CgroupDriver } from './cgroup.ts'

const DEADLINE_MS = 5000

/**
 * Kills what a server that ended without closing left in this server's cgroups, and removes them.
 *
 * @throws Error when processes are still there after 5 s
 */
export async function removeLeftovers(cgroups: CgroupDriver): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  for (const parent of cgroups.parents) {
    for (;;) {
      const left = await removeChildren(parent)
      if (left.length === 0) break
      if (Date.now() > deadline) throw new Error(`processes of an earlier server cannot be ended: ${left.join(', ')}`)
      for (const id of left) {
        const { thaw, kill } = cgroups.plan(id, { memoryBytes: 0, pids: 0 })
        for (const [path, value] of [...thaw, ...kill]) await writeFile(path, value).catch(() => {})
        await killListed(join(parent, id, 'cgroup.procs'))
      }
      await delay(5)
    }
  }
}

/** @returns the names of child cgroups that still have processes */
async function removeChildren(parent: string): Promise<string[]> {
  const left: string[] = []
  for (const entry of await readdir(parent, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory()) continue
    try {
      await rmdir(join(parent, entry.name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') left.push(entry.name)
    }
  }
  return left
}

async function killListed(procs: string): Promise<void> {
  for (const pid of (await readFile(procs, 'utf8').catch(() => '')).split('\n')) {
    if (pid === '') continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // it ended by itself
    }
  }
}
