import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { bwrapArguments, type SandboxShape } from './bwrap-arguments.ts'
import { type CgroupDriver, readCpuMs } from './cgroup.ts'
import { DOOR_PORT, type Door } from './door.ts'
import type { LaunchEvents, Launcher } from './launcher.ts'
import type { Network } from './network.ts'
import type { UidPool } from './server-range.ts'
import type { Sandbox, SandboxExit, SandboxSpec } from './types.ts'
import type { View } from './view.ts'

const MIB = 1024 * 1024
/** Private memory of a language runtime that no function asked for: code, JIT, guard and reserve areas. */
const RUNTIME_DATA_BYTES = 512 * MIB
/** How long the streams of a sandbox that has ended may take to arrive. */
const CONNECT_MS = 1_000
const FAILURE_OUTPUT_BYTES = 1024

export interface SandboxesOptions {
  readonly bwrap: string
  readonly shape: SandboxShape
  readonly cgroups: CgroupDriver
  /** Undefined without root: then every sandbox belongs to the server's own user. */
  readonly uids: UidPool | undefined
  readonly network: Network | undefined
  /** Whether /tmp lies on disk: known once the launcher is up. */
  readonly tmpOnDisk: () => boolean
}

/** The sandboxes of one launcher. */
export interface Sandboxes extends Omit<LaunchEvents, 'onClosed'> {
  start(launcher: Launcher, view: View, spec: SandboxSpec): Promise<Sandbox>
  /** Closes the server's ends of all channels and outputs. */
  destroyStreams(): void
  /** Settles every sandbox as killed: its launcher is gone. */
  abandon(reason: string): void
}

interface Entry {
  readonly spec: SandboxSpec
  channel?: Socket
  output?: Socket
  started: boolean
  failure?: string
  readonly onChange: () => void
  readonly onExit: (exit: SandboxExit) => void
  /** It has ended already, and that is told when its streams are here. */
  onConnected?: () => void
}

/** Starts sandboxes and tells their events apart. `nextId` must never repeat while anything of a sandbox is left. */
export function createSandboxes(options: SandboxesOptions, nextId: () => string): Sandboxes {
  const { cgroups, uids, network } = options
  const entries = new Map<string, Entry>()

  const start = async (launcher: Launcher, view: View, spec: SandboxSpec): Promise<Sandbox> => {
    const { memoryMiB, pids, mounts } = spec
    await view.prepare(memoryMiB, mounts)
    const net = spec.network === 'internet' ? await takeNetwork(network, launcher) : undefined
    const id = nextId()
    const uid = uids?.take()
    const plan = cgroups.plan(id, { memoryBytes: memoryMiB * MIB, pids })
    const writes = (key: string, list: readonly (readonly [string, string])[]) =>
      list.map(([path, value]) => [key, `${path}=${value}`] as const)
    const all = (key: string, list: readonly string[]) => list.map((value) => [key, value] as const)
    const args = bwrapArguments(spec, options.shape, net !== undefined, options.tmpOnDisk())

    let onChange = () => {}
    let onExit: (exit: SandboxExit) => void = () => {}
    const exited = new Promise<SandboxExit>((resolve) => {
      onExit = resolve
    })
    const entry: Entry = {
      spec,
      started: false,
      onChange: () => onChange(),
      onExit: (exit) => {
        if (uid !== undefined) uids?.free(uid)
        if (net !== undefined) network?.release(net, launcher)
        onExit(exit)
      }
    }
    entries.set(id, entry)
    try {
      launcher.start({
        id,
        fields: [
          ...all('mkdir', plan.folders),
          ...writes('write', plan.limits),
          ...all('procs', plan.procs),
          ...writes('thaw', plan.thaw),
          ...writes('kill', plan.kill),
          ...all('stat', plan.stats),
          ...(uid === undefined ? [] : [['uid', String(uid)] as const]),
          ...(net === undefined ? [] : [['net', net.id] as const]),
          ...(cgroups.mechanisms.pids === undefined ? [['nproc', String(pids)] as const] : []),
          ...(cgroups.mechanisms.memory === undefined
            ? ([
                ['data', String(memoryMiB * MIB + RUNTIME_DATA_BYTES)],
                ['rss', String(memoryMiB * MIB)]
              ] as const)
            : []),
          ...all(
            'mount',
            mounts.map(({ source }) => source)
          ),
          ...(options.tmpOnDisk() ? [['tmp', String(spec.tmpMiB)] as const] : []),
          ['args', Buffer.from(`${args.join('\0')}\0`).toString('hex')],
          ['program', options.bwrap],
          ...all('cmd', spec.command)
        ]
      })
    } catch (error) {
      entries.delete(id)
      entry.onExit(KILLED)
      throw error
    }

    await new Promise<void>((resolve, reject) => {
      let isUp = false
      onChange = () => {
        isUp = entry.started && isConnected(entry)
        if (isUp) resolve()
      }
      void exited.then((exit) => {
        // From then on the streams are the caller's.
        if (!isUp) void startFailure(entry, exit).then(reject)
      })
    })
    const { channel, output } = entry
    if (channel === undefined || output === undefined) throw new Error('sandbox has no streams')
    let door: Door | undefined
    void exited.then(() => door?.close())
    const peakFile = cgroups.peakFile(id) ?? (cgroups.mechanisms.memory === undefined ? `box:${id}` : undefined)
    const cpuFile = cgroups.cpuFile(id)
    async function cpuMs(): Promise<number | undefined> {
      if (!entries.has(id)) return undefined
      const ask = async (what: string) => launcher.ask('Q', what).catch(() => '')
      if (cpuFile !== undefined) return readCpuMs(await ask(cpuFile))
      const ms = Number.parseInt(await ask(`cpu:${id}`), 10)
      return Number.isNaN(ms) ? undefined : ms
    }
    async function bytesIn(file: string | undefined): Promise<number | undefined> {
      if (file === undefined || !entries.has(id)) return undefined
      const bytes = Number.parseInt(await launcher.ask('Q', file).catch(() => ''), 10)
      return Number.isNaN(bytes) ? undefined : bytes
    }
    return {
      id,
      channel,
      output,
      exited,
      async assign({ mounts: attached }) {
        await launcher.ask('A', id, '0', ...attached.flatMap(({ source, target }) => [source, target]))
      },
      async openDoor() {
        door?.close()
        door = await launcher.openDoor(id, DOOR_PORT)
        if (!entries.has(id)) door.close()
        return door
      },
      limitCpu: (cpus) => launcher.send('W', ...cgroups.cpuLimit(id, cpus).flat()),
      freeze: (frozen) => launcher.send('W', ...cgroups.freeze(id, frozen).flat()),
      usedMemory: () => bytesIn(cgroups.usageFile(id)),
      peakMemory: () => bytesIn(peakFile),
      cpuMs,
      kill: () => launcher.send('K', id)
    }
  }

  return {
    start,
    destroyStreams() {
      for (const { channel, output } of entries.values()) {
        channel?.destroy()
        output?.destroy()
      }
    },
    abandon(reason) {
      for (const [id, entry] of entries) {
        entries.delete(id)
        entry.failure = reason
        entry.onExit(KILLED)
      }
    },
    onStarted(id) {
      const entry = entries.get(id)
      if (entry === undefined) return
      entry.started = true
      entry.onChange()
    },
    onFailed(id, reason) {
      const entry = entries.get(id)
      if (entry !== undefined) entry.failure = reason
    },
    onSocket(id, kind, socket) {
      const entry = entries.get(id)
      if (entry === undefined) return void socket.destroy()
      entry[kind] = socket
      entry.onChange()
      if (isConnected(entry)) entry.onConnected?.()
    },
    onExited(id, { status, progress, over, watchedPeak, watchedCpuMs, stats }) {
      const entry = entries.get(id)
      if (entry === undefined) return
      const settle = () => {
        entries.delete(id)
        const { oomKills, peakBytes = known(watchedPeak), cpuMs = known(watchedCpuMs) } = cgroups.outcome(stats)
        entry.onExit({ ...decodeStatus(status), oomKills: oomKills + Math.min(over, 1), peakBytes, cpuMs, progress })
      }
      if (!entry.started || entry.failure !== undefined || isConnected(entry)) {
        settle()
        return
      }
      // A command may be over before the streams that it was given have been taken up here.
      const timer = setTimeout(settle, CONNECT_MS)
      entry.onConnected = () => {
        clearTimeout(timer)
        settle()
      }
    }
  }
}

function isConnected({ channel, output }: Entry): boolean {
  return channel !== undefined && output !== undefined
}

const KILLED: SandboxExit = {
  code: undefined,
  signal: 'SIGKILL',
  oomKills: 0,
  peakBytes: undefined,
  cpuMs: undefined,
  progress: 0
}

const known = (figure: number): number | undefined => (Number.isNaN(figure) ? undefined : figure)

async function takeNetwork(network: Network | undefined, launcher: Launcher) {
  if (network === undefined) throw new Error('network policy internet is not available on this server')
  return network.take(launcher)
}

/** bubblewrap says on the sandbox's standard error why it could not make it. */
async function startFailure(entry: Entry, exit: SandboxExit): Promise<Error> {
  if (entry.failure !== undefined) return new Error(`sandbox did not start: ${entry.failure}`)
  let output = ''
  if (entry.output !== undefined) {
    try {
      for await (const chunk of entry.output) {
        output += (chunk as Buffer).toString('utf8')
        if (output.length > FAILURE_OUTPUT_BYTES) break
      }
    } catch {
      // what was read until then is all there is
    }
  }
  entry.channel?.destroy()
  entry.output?.destroy()
  const how = exit.signal ?? `status ${exit.code}`
  return new Error(
    `sandbox did not start (${how})${output === '' ? '' : `: ${output.trim().slice(0, FAILURE_OUTPUT_BYTES)}`}`
  )
}

/** @param status - as of wait(2). bubblewrap reports a signal of the sandbox's first process as 128 + its number. */
export function decodeStatus(status: number): { code: number | undefined; signal: string | undefined } {
  const code = status >> 8
  const number = (status & 127) !== 0 ? status & 127 : code > 128 ? code - 128 : 0
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
  return signal === undefined ? { code, signal: undefined } : { code: undefined, signal }
}
