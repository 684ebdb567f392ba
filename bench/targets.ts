import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import path from 'node:path'
import { eventually, freePort, type Hearth, ROOT, startHearth } from '@hearth/test/helpers/hearth'

/** Something that answers `POST` with a JSON echo, to be compared with. */
export interface Target {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly pid: number
  stop(): Promise<void>
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** The least that Node can do: node:http and a JSON echo. */
export async function bareHttp(): Promise<Target> {
  return serve('bare node:http', [path.join(ROOT, 'bench/fixtures/bare-http.mjs')])
}

export async function bareFastify(): Promise<Target> {
  return serve('bare Fastify', [path.join(ROOT, 'bench/fixtures/bare-fastify.mjs')])
}

/** The least that Node can do with a stream. */
export async function bareStream(): Promise<Target> {
  return serve('bare node:http, stream', [path.join(ROOT, 'bench/fixtures/bare-stream.mjs')])
}

/** Cloudflare's runtime: V8 isolates in one process, no sandbox of the operating system. */
export async function workerd(tmpDir: string): Promise<Target> {
  const require = createRequire(path.join(ROOT, 'bench/package.json'))
  const binary = (require('workerd') as { default: string }).default
  const port = await freePort()
  const source = 'export default { async fetch(q) { const e = await q.json(); return Response.json({ ok: true, e }) } }'
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = ( services = [ (name = "main", worker = .w) ], sockets = [ ( name = "http", address = "127.0.0.1:${port}", http = (), service = "main" ) ] );
const w :Workerd.Worker = ( modules = [ (name = "w.mjs", esModule = ${JSON.stringify(source)}) ], compatibilityDate = "2026-01-01" );`
  const file = path.join(tmpDir, 'workerd.capnp')
  writeFileSync(file, config)
  const child = spawn(binary, ['serve', file], { stdio: ['ignore', 'ignore', 'inherit'] })
  return target('workerd', child, port)
}

const ECHO = 'export const handler = async (e) => ({ ok: true, e })\n'

export interface HearthTarget extends Target {
  readonly hearth: Hearth
}

/**
 * Hearth with one function that echoes.
 * @param query - Settings of the function
 */
export async function hearth(
  name: string,
  query: string,
  env: Readonly<Record<string, string>> = {}
): Promise<HearthTarget> {
  const server = await startHearth({ env })
  const deployed = await server.deploy('echo.mjs', ECHO, query)
  if (!deployed.ok) throw new Error(await deployed.text())
  return {
    name,
    hearth: server,
    url: `${server.url}/v1/functions/echo/invocations`,
    headers: { ...JSON_TYPE, authorization: `Bearer ${server.token}` },
    pid: server.supervisor.pid!,
    stop: () => server.stop()
  }
}

async function serve(name: string, args: readonly string[]): Promise<Target> {
  const port = await freePort()
  const child = spawn(process.execPath, [...args, String(port)], { stdio: ['ignore', 'ignore', 'inherit'] })
  return target(name, child, port)
}

async function target(name: string, child: ChildProcess, port: number): Promise<Target> {
  await eventually(() => canConnect(port))
  return {
    name,
    url: `http://127.0.0.1:${port}/`,
    headers: JSON_TYPE,
    pid: child.pid!,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    }
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
