import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { architecture } from '@hearth/sandbox/internal/syscall-numbers'
import { eventually, type Hearth, ROOT, startHearth, treeOf } from '../helpers/hearth.ts'
import { CANARY_PROCESS, type Canaries, openCanaries } from './canary.ts'
import type { Facts } from './kit.ts'
import { relocateTree } from './relocated-tree.ts'

const MIB = 1024 * 1024
/** What the gateway may grow by over a whole leg, floods included. */
const RSS_GROWTH_BYTES = 256 * MIB
const NEIGHBOUR_PORT = 47_611

export interface Watch {
  /** Invocations of another function. */
  readonly calls: number
  /** Their latency in ms, worst and middle. */
  readonly worstMs: number
  readonly middleMs: number
  /** Part of one CPU that the gateway used. */
  readonly gatewayCpu: number
}

/** A server under attack, with all that attacks reach for. */
export interface World {
  readonly hearth: Hearth
  readonly canaries: Canaries
  readonly facts: Facts
  /** Attackers run as root outside of sandboxes, too. */
  readonly asRoot: boolean
  /** Whether to prove that attacks work outside of a sandbox: once is enough where both kinds of server are tested. */
  readonly controls: boolean
  /** Whether the server runs as root. */
  readonly privileged: boolean
  /** What this machine's server does not enforce, as it said itself at start. */
  readonly weak: ReadonlySet<string>
  /** Folder for controls, on a disk. */
  readonly scratch: string
  readonly gatewayPid: number
  /** What no answer may hold. @returns the name of a secret found in `text` */
  leak(text: string): string | undefined
  /** Processes of an attack. */
  processesOf(marker: string): number[]
  /** Checks that the server serves, that other functions run, and that nothing outside was touched. @returns what is wrong */
  illness(): Promise<string | undefined>
  /** Calls another function over and over while `act` runs. */
  watch<T>(act: () => Promise<T>): Promise<{ result: T; watch: Watch }>
  close(): Promise<void>
}

/** @param uid - run the server as this user, isolated as well as that user can */
export async function openWorld(uid: number | undefined): Promise<World> {
  const home = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'hsec-'))
  const dataDir = path.join(home, 'data')
  const scratch = path.join(home, 'scratch')
  for (const folder of [dataDir, scratch, path.join(home, 'run')]) mkdirSync(folder)
  let hearth: Hearth
  const env = {
    HEARTH_RUN_DIR: path.join(home, 'run'),
    HOME: home,
    HEARTH_LOG_BYTES: String(8 * MIB),
    HEARTH_QUEUE_WAIT_MS: '30000'
  }
  if (uid === undefined) {
    const isolation = process.getuid?.() === 0 ? 'strict' : 'best-effort'
    hearth = await startHearth({ dataDir, env: { ...env, HEARTH_ISOLATION: isolation } })
  } else {
    for (const folder of [home, dataDir, path.join(home, 'run')]) chownSync(folder, uid, uid)
    const tree = path.join(home, 'tree')
    relocateTree(ROOT, tree)
    const helper = pathToFileURL(path.join(tree, 'test/dist/helpers/hearth.js')).href
    const relocated = (await import(helper)) as { startHearth: typeof startHearth }
    hearth = await relocated.startHearth({ dataDir, uid, env: { ...env, HEARTH_ISOLATION: 'best-effort' } })
  }
  const asRoot = process.getuid?.() === 0
  const canaries = await openCanaries(path.join(home, 'canary'), uid)
  const { controlPlane, gateway } = hearth.pids()
  const facts: Facts = {
    who: 'sandbox',
    attack: '',
    files: ['index.mjs'],
    numbers: Object.fromEntries(architecture(process.arch).numbers),
    dataDir,
    canary: canaries.facts,
    ports: [hearth.ports.gateway, hearth.ports.control],
    pids: [hearth.supervisor.pid!, controlPlane, gateway],
    neighbourPort: NEIGHBOUR_PORT,
    addresses: Object.values(os.networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
  }
  const neighbourSecret = `neighbour-${canaries.secret}`
  const neighbourKeys = await deployOthers(hearth, facts, neighbourSecret)

  const secrets = {
    'canary or neighbour secret': canaries.secret,
    'administrator key': hearth.token,
    'secret access key': hearth.secretAccessKey,
    ...neighbourKeys,
    'master key': readFileSync(path.join(dataDir, 'master.key'), 'utf8').trim()
  }
  const rssLimit = rssOf(gateway) + RSS_GROWTH_BYTES
  const callWitness = async () => {
    const startedAt = performance.now()
    const answer = await hearth.invoke('witness', { n: 1 })
    if (answer.status !== 200 || (await answer.text()) !== '2') throw new Error(`witness: ${answer.status}`)
    return performance.now() - startedAt
  }

  return {
    hearth,
    canaries,
    facts,
    asRoot,
    controls: uid === undefined,
    privileged: asRoot && uid === undefined,
    weak: new Set([...hearth.output().matchAll(/"feature":"([a-z-]+)"/g)].map(([, name]) => name ?? '')),
    scratch,
    gatewayPid: gateway,
    leak: (text) => Object.entries(secrets).find(([, secret]) => text.includes(secret))?.[0],
    processesOf: (marker) => processes().filter((pid) => isMarked(pid, marker)),
    async illness() {
      const ready = await hearth.request('/readyz')
      if (ready.status !== 200) return `not ready: ${await ready.text()}`
      await ready.body?.cancel()
      await callWitness()
      if (hearth.pids().gateway !== gateway || hearth.pids().controlPlane !== controlPlane)
        return 'the server was restarted'
      const rss = rssOf(gateway)
      if (rss > rssLimit) return `the gateway uses ${Math.round(rss / MIB)} MiB`
      return canaries.damage()
    },
    async watch(act) {
      const latencies: number[] = []
      const cpuBefore = cpuMsOf(gateway)
      const startedAt = performance.now()
      let over = false
      const sampling = (async () => {
        while (!over) {
          latencies.push(await callWitness())
          await new Promise((resolve) => setTimeout(resolve, 25))
        }
      })()
      const result = await act().finally(() => {
        over = true
      })
      await sampling
      const gatewayCpu = (cpuMsOf(gateway) - cpuBefore) / (performance.now() - startedAt)
      latencies.sort((a, b) => a - b)
      const middleMs = latencies[latencies.length >> 1] ?? 0
      const watch = { calls: latencies.length, worstMs: latencies.at(-1) ?? 0, middleMs, gatewayCpu }
      return { result, watch }
    },
    async close() {
      const all = treeOf(hearth.supervisor.pid!).slice(1)
      await hearth.stop()
      await eventually(() => all.every((pid) => !isAlive(pid)), 5_000)
      await canaries.close()
      rmSync(home, { recursive: true, force: true })
    }
  }
}

/**
 * A function to watch, and one that has secrets of its own wherever a function may keep any, and a role that may do more
 * than that of the attackers.
 *
 * @returns the other one's credentials
 */
async function deployOthers(hearth: Hearth, facts: Facts, secret: string): Promise<Record<string, string>> {
  const role = await hearth.request('/v1/roles/neighbour', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ attached: ['arn:aws:iam::aws:policy/AdministratorAccess'] })
  })
  if (role.status !== 201) throw new Error(`neighbour's role: ${await role.text()}`)
  const witness = await hearth.deploy('witness', 'export const handler = async ({ n }) => n + 1', 'timeout=30')
  if (witness.status !== 201) throw new Error(`witness: ${await witness.text()}`)
  const { canary, neighbourPort } = facts
  const neighbour = `
    import { spawn } from 'node:child_process'
    import { once } from 'node:events'
    import fs from 'node:fs'
    import net from 'node:net'
    export const handler = async () => {
      for (const folder of ['/tmp', '/dev/shm']) fs.writeFileSync(folder + '/neighbour', process.env.HEARTH_CANARY)
      const args = ['-e', ${JSON.stringify(CANARY_PROCESS)}, ...${JSON.stringify([canary.shmName, String(canary.sysvKey), canary.shmName])}]
      const child = spawn('/usr/bin/perl', args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(child.stdout, 'data')
      const server = net.createServer((socket) => socket.end(process.env.HEARTH_CANARY)).listen(${neighbourPort}, '0.0.0.0')
      await once(server, 'listening')
      const { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
      return { AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN }
    }`
  const settings = `timeout=30&role=arn:aws:iam::000000000000:role/neighbour&env.HEARTH_CANARY=${secret}`
  const made = await hearth.deploy('neighbour', neighbour, settings)
  if (made.status !== 201) throw new Error(`neighbour: ${await made.text()}`)
  const answer = await hearth.invoke('neighbour', {})
  const text = await answer.text()
  const keys = JSON.parse(text) as Record<string, string>
  if (!/^.{40}$/.test(keys['AWS_SECRET_ACCESS_KEY'] ?? '')) throw new Error(`neighbour: ${answer.status} ${text}`)
  return keys
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function isMarked(pid: number, marker: string): boolean {
  return ['cmdline', 'environ'].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(marker)
    } catch {
      return false
    }
  })
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function rssOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
}

/** User and system time so far. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
