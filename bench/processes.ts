import { readFileSync } from 'node:fs'
import { treeOf } from '@hearth/test/helpers/hearth'

/** Clock ticks per second of /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const TICKS = 100

/** CPU seconds that the process and all under it have used so far. */
export function cpuSeconds(root: number): number {
  let ticks = 0
  for (const pid of treeOf(root)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // It ended in between: its time is small, since sandboxes live for longer than a measurement.
    }
  }
  return ticks / TICKS
}

/** Proportional set size in bytes: shared pages count once, divided among those who share them. */
export function pssBytes(pid: number): number {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    return Number(match?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

export function pssOfTree(root: number): number {
  return treeOf(root).reduce((sum, pid) => sum + pssBytes(pid), 0)
}

/** The value below which the share `q` (0–1) of the samples lies. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}
