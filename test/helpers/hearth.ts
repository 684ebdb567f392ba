import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root, from test/dist/helpers. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')

/** What all servers of the tests may share, so that each does not look at the same interpreters again. */
export const CACHE_DIR = path.join(ROOT, 'node_modules/.cache/hearth/servers')

/**
 * How a program starts Node.js as people do. Left alone, children of a test load what watches the test itself, and take
 * more than twice as long to start.
 */
export const NODE: readonly [string, ...string[]] = ['env', '-u', 'NODE_OPTIONS', process.execPath]

export interface HearthOptions {
  /** Settings beside ports and data folder. */
  readonly env?: Readonly<Record<string, string>>
  /** An existing data folder; it is then not removed. */
  readonly dataDir?: string
  readonly ports?: { readonly gateway: number; readonly control: number }
  /** A command that runs another, which it is given, in its own place. */
  readonly through?: readonly string[]
  /** Run as this uid and gid, in a data folder that it owns. */
  readonly uid?: number
}

/** What the supervisor keeps running. */
export type Program = 'controlPlane' | 'gateway'

/** A whole running Hearth: supervisor, control plane and gateway, as `npm start` makes them. */
export interface Hearth {
  readonly url: string
  readonly ports: { readonly gateway: number; readonly control: number }
  readonly dataDir: string
  readonly token: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly supervisor: ChildProcess
  /** Everything that it has printed so far. */
  output(): string
  /** A request with the administrator's key. */
  request(path: string, init?: RequestInit): Promise<Response>
  deploy(name: string, body: string | Uint8Array, query?: string): Promise<Response>
  /** `POST /v1/functions/{name}/invocations` */
  invoke(name: string, payload?: unknown, headers?: Record<string, string>): Promise<Response>
  /** Processes of this server by name. */
  pids(): Readonly<Record<Program, number>>
  /** Ends programs as a crash does. Resolves when others run in their place, and the gateway is ready if it was one. */
  crash(...programs: Program[]): Promise<void>
  /** Stops it as a signal does, waits, and removes what it left in a folder of its own. */
  stop(): Promise<void>
}

/** @throws Error with the server's own output when it does not come up within a minute */
export async function startHearth(options: HearthOptions = {}): Promise<Hearth> {
  const ports = options.ports ?? { gateway: await freePort(), control: await freePort() }
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'hearth-test-'))
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HEARTH_PORT: String(ports.gateway),
    HEARTH_CONTROL_PORT: String(ports.control),
    HEARTH_DATA_DIR: dataDir,
    HEARTH_CACHE_DIR: CACHE_DIR,
    HEARTH_LOG_LEVEL: 'warn',
    // Tests ask more often than people do; those of the limits say so.
    HEARTH_REQUEST_RATE: '0',
    HEARTH_AUTH_FAILURES: '0',
    ...options.env
  }
  // A test that is killed takes its server with it.
  const command = [
    '--pdeathsig',
    'TERM',
    '--',
    ...(options.through ?? []),
    ...NODE,
    path.join(ROOT, 'scripts/start.mjs')
  ]
  const supervisor = spawn('setpriv', command, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid })
  })
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      supervisor.kill('SIGKILL')
      reject(new Error(`not up within 60 s:\n${output}`))
    }, 60_000)
    const onData = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('Hearth listens on')) {
        clearTimeout(timer)
        resolve()
      }
    }
    supervisor.stdout.on('data', onData)
    supervisor.stderr.on('data', onData)
    supervisor.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`ended with ${code}:\n${output}`))
    })
  })

  // As printed: a port of 0 has become another.
  const listening = Number(/Hearth listens on http:\/\/[^\s]+:(\d+)/.exec(output)?.[1])
  const control = Number(/"controlPort":(\d+)/.exec(output)?.[1])
  const url = `http://127.0.0.1:${listening}`
  const token = readFileSync(path.join(dataDir, 'token'), 'utf8').trim()
  const credentials = readFileSync(path.join(dataDir, 'credentials'), 'utf8')
  const credential = (name: string) => new RegExp(`^${name}\\s*=\\s*(\\S+)`, 'm').exec(credentials)?.[1] ?? ''
  const request = (target: string, init: RequestInit = {}) =>
    fetch(url + target, { ...init, headers: { authorization: `Bearer ${token}`, ...(init.headers as object) } })

  const pids = () => {
    const children = childrenOf(supervisor.pid!)
    const find = (part: string) => children.find((pid) => commandLine(pid).includes(part)) ?? 0
    return { controlPlane: find('apps/control-plane'), gateway: find('apps/gateway') }
  }
  const isReady = async () => (await request('/readyz').catch(() => undefined))?.status === 200

  return {
    url,
    ports: { gateway: listening, control },
    dataDir,
    token,
    accessKeyId: credential('aws_access_key_id'),
    secretAccessKey: credential('aws_secret_access_key'),
    supervisor,
    output: () => output,
    request,
    deploy: (name, body, query = '') =>
      request(`/v1/functions/${name}${query === '' ? '' : `?${query}`}`, { method: 'PUT', body }),
    invoke: (name, payload, headers = {}) =>
      request(`/v1/functions/${name}/invocations`, {
        method: 'POST',
        headers,
        ...(payload === undefined ? {} : { body: JSON.stringify(payload) })
      }),
    pids,
    async crash(...programs) {
      const before = pids()
      // 0 is not running, and would be this test's own group.
      for (const name of programs) if (before[name] !== 0) process.kill(before[name], 'SIGKILL')
      await eventually(() => programs.every((name) => ![0, before[name]].includes(pids()[name])), 60_000)
      if (programs.includes('gateway')) await eventually(isReady, 60_000)
    },
    async stop() {
      if (supervisor.exitCode === null && supervisor.signalCode === null) {
        const ended = new Promise((resolve) => supervisor.once('exit', resolve))
        supervisor.kill('SIGTERM')
        await ended
      }
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    }
  }
}

/** Below the range that the kernel takes the ends of outgoing connections from: one of those could take it meanwhile. */
const PORTS = { first: 12_000, count: 20_000 }
const givenOut = new Set<number>()

/** A port that nothing listens on now, and that nothing but another call of this could take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count)
    if (givenOut.has(port)) continue
    givenOut.add(port)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

/** The process and everything under it. */
export function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)]
}

export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Polls until `check` answers other than undefined or false. @throws Error after `limitMs` */
export async function eventually<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 30_000
): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    if (Date.now() > deadline) throw new Error(`still not so after ${limitMs} ms: ${check.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
