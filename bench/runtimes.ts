import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import {
  childrenOf,
  commandLine,
  eventually,
  type Hearth,
  ROOT,
  startHearth,
  treeOf
} from '@hearth/test/helpers/hearth'
import type { Column } from '@hearth/test/runtimes/scenarios/column'
import { type BurstResult, burst, deployMany, renew } from './burst.ts'
import { type ColdResult, type ColdTarget, measureCold, prestartedOf } from './cold.ts'
import { pssOfTree, quantile } from './processes.ts'

const RUNTIMES = ['node', 'python', 'ruby', 'java', 'dotnet', 'custom']
const PRESTARTED = 2
const FUNCTIONS = 50
const MEMORY_MIB = 256
const MIB = 1_048_576
/** A busy machine shows as a slow burst, not as a refused one. */
const HEARTH_QUEUE_WAIT_MS = '60000'
/** Fewer are enough where nothing is ready: they differ less, and take long. */
const ON_DEMAND_SAMPLES = 20

export interface RuntimeResult {
  readonly prestarted: ColdResult
  readonly onDemand: ColdResult
  /** 50 functions at once on a server that keeps nothing ready. */
  readonly burstFromNothing: BurstResult
  /** The same on a server that has seen such a burst before. */
  readonly burstAgain: BurstResult
  readonly instanceMiB: number
}

/** Cold starts in every runtime, each on servers of its own, of the function that echoes. */
export async function measureRuntimes(tmpDir: string, count: number): Promise<readonly RuntimeResult[]> {
  const results: RuntimeResult[] = []
  for (const name of RUNTIMES) {
    const { column } = (await import(`@hearth/test/runtimes/scenarios/columns/${name}`)) as { column: Column }
    const dir = path.join(tmpDir, `cold-${name}`)
    mkdirSync(dir)
    await column.make(dir)
    const body = execFileSync('tar', ['-cz', '-C', dir, '.'], { maxBuffer: 64 * MIB })
    const handler = encodeURIComponent(column.handler('echo'))
    const query = `runtime=${column.runtime}&handler=${handler}&memory=${MEMORY_MIB}`
    const title = column.runtime
    const target: ColdTarget = { title, file: 'cold', body, query, runtime: column.runtime, memoryMiB: MEMORY_MIB }
    results.push(await measureRuntime(target, count))
  }
  results.push(await measureRuntime(compiledTarget(tmpDir), count))
  return results
}

async function measureRuntime(target: ColdTarget, count: number): Promise<RuntimeResult> {
  return { ...(await withStock(target, count)), ...(await withoutStock(target, count)) }
}

/** A bootstrap in C: what a custom runtime costs when its own program starts in no time. */
function compiledTarget(tmpDir: string): ColdTarget {
  const dir = path.join(tmpDir, 'cold-compiled')
  mkdirSync(dir)
  const source = path.join(ROOT, 'test/fixtures/functions/custom/bootstrap.c')
  execFileSync('cc', ['-O2', '-o', path.join(dir, 'bootstrap'), source])
  const body = execFileSync('tar', ['-cz', '-C', dir, '.'])
  const runtime = 'provided.al2023'
  const query = `runtime=${runtime}&handler=x&memory=${MEMORY_MIB}`
  return { title: `${runtime}, compiled`, file: 'cold', body, query, runtime, memoryMiB: MEMORY_MIB }
}

async function withStock(target: ColdTarget, count: number): Promise<Pick<RuntimeResult, 'prestarted' | 'burstAgain'>> {
  const server = await startHearth({ env: { HEARTH_PRESTARTED: String(PRESTARTED), HEARTH_QUEUE_WAIT_MS } })
  try {
    const prestarted = await measureCold(server, target.title, count, PRESTARTED, target)
    const names = await deployMany(server, target, FUNCTIONS)
    await burst(server, names)
    await renew(server, names, 'again')
    await eventually(async () => {
      const { ready, wanted } = await prestartedOf(server, target)
      return ready >= Math.min(wanted, FUNCTIONS)
    }, 60_000)
    return { prestarted, burstAgain: await burst(server, names) }
  } finally {
    await server.stop()
  }
}

async function withoutStock(
  target: ColdTarget,
  count: number
): Promise<Pick<RuntimeResult, 'onDemand' | 'burstFromNothing' | 'instanceMiB'>> {
  const server = await startHearth({ env: { HEARTH_PRESTARTED: '0', HEARTH_QUEUE_WAIT_MS } })
  try {
    const onDemand = await measureCold(server, target.title, Math.min(count, ON_DEMAND_SAMPLES), 0, target)
    const names = await deployMany(server, target, FUNCTIONS)
    const burstFromNothing = await burst(server, names)
    const sandboxes = sandboxesOf(server)
    if (sandboxes.length < FUNCTIONS) throw new Error(`${sandboxes.length} instances of ${FUNCTIONS}`)
    return { onDemand, burstFromNothing, instanceMiB: quantile(sandboxes.map(pssOfTree), 0.5) / MIB }
  } finally {
    await server.stop()
  }
}

/** All that exist: with nothing kept ready, and idle instances not yet ended, they are the instances. */
function sandboxesOf(hearth: Hearth): number[] {
  const launcher = treeOf(hearth.pids().gateway).find((pid) => commandLine(pid).includes('hearth-launch'))
  return launcher === undefined ? [] : childrenOf(launcher).filter((pid) => commandLine(pid).includes('bwrap'))
}
