import { accessSync, constants, mkdirSync } from 'node:fs'
import type { FileWrite } from './launcher.ts'

export interface CgroupLimits {
  readonly memoryBytes: number
  readonly pids: number
}

/** What the launcher does with cgroups in the life of one sandbox. */
export interface CgroupPlan {
  /** Made at the start, removed at the end. */
  readonly folders: readonly string[]
  readonly limits: readonly FileWrite[]
  /** `cgroup.procs` files that the sandbox's first process writes itself into. */
  readonly procs: readonly string[]
  /** Written before `kill`: processes of a frozen v1 cgroup do not die. */
  readonly thaw: readonly FileWrite[]
  readonly kill: readonly FileWrite[]
  /** Read when no process is left, for `outcome`. */
  readonly stats: readonly string[]
}

/** How this machine limits process trees. Paths only: the launcher reads and writes them. */
export interface CgroupDriver {
  readonly mode: 'v2' | 'v1+unified' | 'v1' | 'none'
  /** Why a better mode is not used, for the operator. */
  readonly reason: string | undefined
  /** Folders that hold one folder per sandbox, to be made at start and removed at the end. */
  readonly parents: readonly string[]
  /** What of limits, OOM counter, freeze and kill exists here, as `mechanism` or undefined. */
  readonly mechanisms: {
    readonly memory: string | undefined
    readonly swap: string | undefined
    readonly cpu: string | undefined
    readonly pids: string | undefined
    readonly oomCounter: string | undefined
    readonly freeze: string | undefined
    readonly kill: string | undefined
  }
  plan(id: string, limits: CgroupLimits): CgroupPlan
  cpuLimit(id: string, cpus: number): readonly FileWrite[]
  freeze(id: string, frozen: boolean): readonly FileWrite[]
  /** Shows what is in use now. */
  usageFile(id: string): string | undefined
  peakFile(id: string): string | undefined
  /** Shows the CPU time that was used: see {@link readCpuMs}. */
  cpuFile(id: string): string | undefined
  /** Files that show, for the self-test, whether what was set holds. Undefined where there is none. */
  readBack(id: string): {
    readonly memory: string | undefined
    readonly pids: string | undefined
    readonly cpu: string | undefined
    /** Shows `frozen 1` or `FROZEN` when every process has stopped. */
    readonly frozen: string | undefined
    readonly oomCounter: string | undefined
  }
  /** Reads the contents of `plan().stats`, newlines replaced by spaces. */
  outcome(stats: readonly string[]): CgroupOutcome
}

export interface CgroupOutcome {
  readonly oomKills: number
  readonly peakBytes: number | undefined
  readonly cpuMs: number | undefined
}

/** 100 ms, the kernel's default: shorter periods were measured to slow short functions down. */
export const CPU_PERIOD_US = 100_000

/** Quota in µs per period; the kernel takes nothing under 1 ms. */
export const cpuQuotaUs = (cpus: number) => Math.max(1000, Math.round(cpus * CPU_PERIOD_US))

/** AWS gives a function one CPU per 1,769 MiB; weights follow the same measure when CPU is short. */
export const cpuShare = (memoryBytes: number) => memoryBytes / (1769 * 1024 * 1024)

/**
 * Makes a cgroup, or takes one that is there. Not with Node's `recursive`, which never returns where the kernel answers
 * ENOENT to the making of a folder whose parent exists.
 *
 * @throws Error when this process may not use it
 */
export function makeCgroup(folder: string): void {
  try {
    mkdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  accessSync(folder, constants.W_OK) // it may be another user's
}

/** Where nothing can be limited. */
export function noCgroups(reason: string): CgroupDriver {
  return {
    mode: 'none',
    reason,
    parents: [],
    mechanisms: {
      memory: undefined,
      swap: undefined,
      cpu: undefined,
      pids: undefined,
      oomCounter: undefined,
      freeze: undefined,
      kill: undefined
    },
    plan: () => ({ folders: [], limits: [], procs: [], thaw: [], kill: [], stats: [] }),
    cpuLimit: () => [],
    freeze: () => [],
    usageFile: () => undefined,
    peakFile: () => undefined,
    cpuFile: () => undefined,
    readBack: () => ({ memory: undefined, pids: undefined, cpu: undefined, frozen: undefined, oomCounter: undefined }),
    outcome: () => ({ oomKills: 0, peakBytes: undefined, cpuMs: undefined })
  }
}

/**
 * The count in `oom_kill N` of memory.events (v2) or memory.oom_control (v1), a file that is one number, and what
 * {@link readCpuMs} reads.
 */
export function readOutcome([events = '', peak = '', cpu = '']: readonly string[]): CgroupOutcome {
  const bytes = Number.parseInt(peak, 10)
  return {
    oomKills: Number(/(?:^|\s)oom_kill (\d+)/.exec(events)?.[1] ?? 0),
    peakBytes: Number.isNaN(bytes) ? undefined : bytes,
    cpuMs: readCpuMs(cpu)
  }
}

/** `usage_usec` of cpu.stat (v2), or cpuacct.usage (v1), which is one number of ns. */
export function readCpuMs(text: string): number | undefined {
  const micros = /(?:^|\s)usage_usec (\d+)/.exec(text)?.[1]
  if (micros !== undefined) return Number(micros) / 1_000
  return /^\d+\s*$/.test(text) ? Number(text) / 1_000_000 : undefined
}
