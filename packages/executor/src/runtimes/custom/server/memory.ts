import { readdirSync, readFileSync } from 'node:fs'

/** Highest memory of the processes that are there now, in MiB; they see only each other. */
export function peakMemoryMiB(): number {
  let kib = 0
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      kib += Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    } catch {
      // It ended meanwhile.
    }
  }
  return Math.ceil(kib / 1024)
}
