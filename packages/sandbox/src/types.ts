import type { Socket } from 'node:net'
import type { NetworkPolicy } from '@hearth/shared'
import type { Door } from './door.ts'

/** A read-only bind mount; `source` on this machine, `target` inside the sandbox. Both absolute. */
export interface Mount {
  readonly source: string
  readonly target: string
}

/** What is fixed when a sandbox boots. Everything that belongs to a function comes later, with `assign`. */
export interface SandboxSpec {
  /** Program and arguments, as paths inside the sandbox. */
  readonly command: readonly string[]
  /** The whole environment of the command, beside bubblewrap's PWD: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Mounted at boot, beside the system's own (/usr and a synthetic /etc). */
  readonly mounts: readonly Mount[]
  /** Memory that the function may use; /proc/meminfo inside shows it. */
  readonly memoryMiB: number
  /** Size of /tmp. */
  readonly tmpMiB: number
  /** Processes and threads together. */
  readonly pids: number
  readonly network: NetworkPolicy
}

/** What turns a pre-started sandbox into a function's own. */
export interface Assignment {
  /** The code at /var/task, layers at /opt: attached read-only, as they are at this moment. */
  readonly mounts: readonly Mount[]
}

export interface SandboxExit {
  /** Exit status of the sandbox's first process, or undefined when a signal ended it. Can be forged from inside. */
  readonly code: number | undefined
  readonly signal: string | undefined
  /** Times that the kernel killed a process of this sandbox because its memory was used up: the one trusted sign of it. */
  readonly oomKills: number
  /** Highest memory use in bytes, or undefined where nothing counts it. */
  readonly peakBytes: number | undefined
  /** CPU time of all its processes in ms, boot included; undefined where nothing counts it. */
  readonly cpuMs: number | undefined
  /** The number that the runtime last wrote into its progress page (fd 4, bytes 0–7 little endian); 0 when it never did. */
  readonly progress: number
}

/**
 * One sandbox: one process tree in namespaces of its own, under a seccomp filter and cgroup limits.
 * Nothing here blocks: the launcher, a small process of its own, makes every system call that could.
 */
export interface Sandbox {
  readonly id: string
  /** fd 3 inside: a stream socket in blocking mode there. Everything that comes from it is untrusted. Starts paused. */
  readonly channel: Socket
  /** fds 1 and 2 inside. Starts paused. */
  readonly output: Socket
  /**
   * Settles when no process of the sandbox is left and all that it occupied on this machine is freed. Never rejects.
   * The last output may still be unread then: whoever has the sandbox reads `output` to its end, or destroys it.
   */
  readonly exited: Promise<SandboxExit>
  /** @throws Error when a mount cannot be attached; the sandbox is then of no use and must be killed */
  assign(assignment: Assignment): Promise<void>
  /**
   * Opens {@link DOOR_PORT} inside, for whatever this process lets answer there. What connects is of this sandbox, and needs
   * no network for it. Once at a time; it closes with the sandbox.
   * @throws Error when the sandbox has ended, or the port is taken
   */
  openDoor(): Promise<Door>
  /** Limits the CPU from now on, in CPUs (0.07 is 128 MiB's share of AWS's 1,769 MiB per CPU). Until then there is no limit. */
  limitCpu(cpus: number): void
  /** Stops or resumes every process of the sandbox; nothing happens where the feature `freeze` is missing. Safe to call in any state. */
  freeze(frozen: boolean): void
  /** Memory in use now in bytes, or undefined where nothing counts it. */
  usedMemory(): Promise<number | undefined>
  /** Highest memory use so far in bytes, or undefined where nothing counts it. */
  peakMemory(): Promise<number | undefined>
  /** CPU time so far of all its processes, in ms; undefined where nothing counts it. */
  cpuMs(): Promise<number | undefined>
  /** Ends every process at once, whatever it does. Idempotent; `exited` settles soon after. */
  kill(): void
}

export type Isolation = 'strict' | 'best-effort'

/** One line of the report of what this machine can enforce. */
export interface Feature {
  /** Stable key, e.g. `memory-limit`. */
  readonly feature: string
  /** The mechanism, e.g. `cgroup v1 memory.limit_in_bytes`. */
  readonly how: string
  readonly enforced: boolean
  /** Whether `strict` needs it. */
  readonly required: boolean
  /** What to do about it when it is not enforced. */
  readonly remedy?: string
}

export interface SandboxHostOptions {
  /** Absolute; short, since it holds unix sockets (at most about 70 bytes). Made if missing. */
  readonly runDir: string
  readonly isolation: Isolation
  /** Tells servers on one machine apart in the names of cgroups, network interfaces and uids: 1–8 of `[a-z0-9]`. */
  readonly serverId: string
  /** Network policies that functions may use; `internet` is made ready only if it is listed. */
  readonly networks: readonly NetworkPolicy[]
  /**
   * Disk for the /tmp of all sandboxes together: an absolute file name, made anew and unlinked, and its size. Without it,
   * or where loop devices can't be had, /tmp is memory and counts as the function's.
   */
  readonly tmpDisk?: { readonly file: string; readonly mib: number } | undefined
  /** Resolvers inside sandboxes that have network. */
  readonly dns: readonly string[]
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}

export interface SandboxHost {
  readonly features: readonly Feature[]
  /**
   * Resolves when the sandbox is made and runs its command; a command that does not exist shows as an exit with code 1
   * and bubblewrap's words on `output`.
   *
   * @throws Error when it cannot be started
   */
  start(spec: SandboxSpec): Promise<Sandbox>
  /** Kills every sandbox and frees all that was made (cgroups, network interfaces, run folder). */
  close(): Promise<void>
}
