import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import path from 'node:path'
import { createApisRepository, openStore } from '@hearth/store'
import { eventually, type Hearth, ROOT, startHearth } from '@hearth/test/helpers/hearth'
import { API, Client, publish } from '@hearth/test/helpers/sockets'
import { WebSocket } from 'ws'
import { quantile } from './processes.ts'

export interface WebSocketResult {
  readonly connections: number
  readonly openedPerSecond: number
  /** What the server's process grew by from before the first to after the last, in KiB. */
  readonly residentKiB: number
  /** Of the server's CPU that these connections take while they are idle: milliseconds per second. */
  readonly idleCpuMs: number
  /** From the POST to the client, with one connection and with all of them. */
  readonly postMs: readonly { readonly p50: number; readonly p99: number }[]
  /** From the client through a function and back. */
  readonly answerMs: readonly { readonly p50: number; readonly p99: number }[]
}

const PROCESSES = 4
const SAMPLES = 1_000
const IDLE_MS = 10_000

/** Idle clients, from several processes and addresses, and what one of them sees meanwhile. */
export async function measureWebSockets(connections = 10_000): Promise<WebSocketResult> {
  const server = await startHearth()
  const processes: ChildProcess[] = []
  try {
    await setUp(server)
    const url = `ws://127.0.0.1:${server.ports.gateway}/api/${API}/prod`
    const { gateway } = server.pids()
    const client = new Client(new WebSocket(url))
    await once(client.ws, 'open')
    const id = String(await client.ask('{"action":"echo"}'))
    const sample = async () => ({
      post: await times(() => post(server, client, id)),
      answer: await times(() => client.ask('{"action":"echo"}'))
    })
    const before = residentKiB(gateway)
    const startedAt = performance.now()
    await Promise.all(
      Array.from({ length: PROCESSES }, async (_, i) => {
        const share = Math.floor((connections * (i + 1)) / PROCESSES) - Math.floor((connections * i) / PROCESSES)
        const child = fork(path.join(ROOT, 'bench/fixtures/socket-clients.mjs'), [
          url,
          String(share),
          `127.0.0.${i + 2}`
        ])
        processes.push(child)
        const [said] = (await once(child, 'message')) as [string]
        if (said !== 'open') throw new Error(said)
      })
    )
    const seconds = (performance.now() - startedAt) / 1_000
    const cpuBefore = cpuMs(gateway)
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
    const idleCpuMs = ((cpuMs(gateway) - cpuBefore) / IDLE_MS) * 1_000
    const resident = (residentKiB(gateway) - before) / connections
    // Once for the compiler.
    await sample()
    const crowded = await sample()
    for (const child of processes) child.kill()
    await eventually(async () => (await openConnections(server)) === 1, 60_000)
    const alone = await sample()
    client.ws.terminate()
    return {
      connections,
      openedPerSecond: connections / seconds,
      residentKiB: resident,
      idleCpuMs,
      postMs: [alone.post, crowded.post],
      answerMs: [alone.answer, crowded.answer]
    }
  } finally {
    for (const child of processes) child.kill()
    await server.stop()
  }
}

async function setUp(server: Hearth): Promise<void> {
  const source = `export const handler = async ({ requestContext }) => ({ statusCode: 200, body: requestContext.connectionId })`
  const deployed = await server.deploy('echo.mjs', source, 'memory=256')
  if (!deployed.ok) throw new Error(await deployed.text())
  const permission = {
    StatementId: 'api',
    Action: 'lambda:InvokeFunction',
    Principal: 'apigateway.amazonaws.com',
    SourceArn: `arn:aws:execute-api:us-east-1:000000000000:${API}/*`
  }
  const permitted = await server.request('/2015-03-31/functions/echo/policy', {
    method: 'POST',
    body: JSON.stringify(permission)
  })
  if (!permitted.ok) throw new Error(await permitted.text())
  const db = openStore(path.join(server.dataDir, 'hearth.db'), path.join(ROOT, 'migrations'))
  publish(createApisRepository(db), { routes: { $default: { fn: 'echo', responseSelectionExpression: '$default' } } })
  db.close()
  await eventually(async () => (await server.invoke('echo', { requestContext: {} })).ok)
}

async function openConnections(server: Hearth): Promise<number> {
  const metrics = await (await server.request('/metrics')).text()
  return Number(new RegExp(`^hearth_websocket_connections\\{api="${API}"\\} (\\d+)`, 'm').exec(metrics)?.[1])
}

async function post(server: Hearth, client: Client, id: string): Promise<void> {
  const req = http.request(`${server.url}/@connections/${encodeURIComponent(id)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}` },
    agent
  })
  req.end('hello')
  const answered = once(req, 'response').then(([res]) => (res as IncomingMessage).resume())
  await client.next()
  await answered
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

async function times(act: () => Promise<unknown>): Promise<{ p50: number; p99: number }> {
  const all: number[] = []
  for (let i = 0; i < SAMPLES; i++) {
    const startedAt = performance.now()
    await act()
    all.push(performance.now() - startedAt)
  }
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99) }
}

function residentKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** User and system time; the kernel counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
