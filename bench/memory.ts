import { childrenOf, commandLine, eventually, type Hearth, treeOf } from '@hearth/test/helpers/hearth'
import { pssBytes, pssOfTree, quantile } from './processes.ts'

/** Proportional set sizes in MiB, at rest. */
export interface MemoryResult {
  readonly gateway: number
  readonly controlPlane: number
  readonly supervisor: number
  readonly launcher: number
  /** One booted sandbox that has no function, all its processes together. */
  readonly prestarted: number
  /** One idle instance that has served, all its processes together. */
  readonly instance: number
  /** From `npm start` to the line that says where it listens, in ms. */
  readonly startMs: number
}

const MIB = 1_048_576

/** @param hearth - Freshly started, with the default number of pre-started sandboxes */
export async function measureMemory(hearth: Hearth, startMs: number): Promise<MemoryResult> {
  const { gateway, controlPlane } = hearth.pids()
  const launcher = await eventually(() => treeOf(gateway).find((pid) => commandLine(pid).includes('hearth-launch')))
  const sandboxes = () => childrenOf(launcher).filter((pid) => commandLine(pid).includes('bwrap'))
  await eventually(() => sandboxes().length >= 2)
  await settle(() => pssOfTree(launcher))
  const prestarted = quantile(sandboxes().map(pssOfTree), 0.5) / MIB
  const before = new Set(sandboxes())

  const deployed = await hearth.deploy('memory.mjs', 'export const handler = async (event) => event\n', 'memory=256')
  if (!deployed.ok) throw new Error(await deployed.text())
  const count = 8
  await Promise.all(Array.from({ length: count }, () => hearth.invoke('memory', { pause: true }).then((r) => r.text())))
  await settle(() => pssOfTree(launcher))
  const instances = sandboxes().filter((pid) => !before.has(pid))
  return {
    gateway: pssBytes(gateway) / MIB,
    controlPlane: pssBytes(controlPlane) / MIB,
    supervisor: pssBytes(hearth.supervisor.pid!) / MIB,
    launcher: pssBytes(launcher) / MIB,
    prestarted,
    instance: quantile(instances.map(pssOfTree), 0.5) / MIB,
    startMs
  }
}

/** Waits until the figure has stopped moving. */
async function settle(read: () => number): Promise<void> {
  let last = read()
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const now = read()
    const still = Math.abs(now - last) < 2 * MIB
    last = now
    return still
  }, 60_000)
}
