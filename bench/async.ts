import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { load } from './load.ts'
import { cpuSeconds } from './processes.ts'
import { hearth } from './targets.ts'

export interface AsyncResult {
  readonly clients: number
  /** Answered with 202, while events ran meanwhile. */
  readonly acceptedPerSecond: number
  readonly acceptP50Ms: number
  readonly acceptP99Ms: number
  /** From the first request until the last event had ended. */
  readonly endedPerSecond: number
  /** CPU µs per event of all the server's processes, the function's too: from its request to its end. */
  readonly cpuUs: number
  /** From the 202 at the client to the handler's first line, nothing else going on, in ms. */
  readonly startMs: { readonly p50: number; readonly p99: number }
}

const CLIENTS = 64
const SAMPLES = 300
const NOW = 'export const handler = async () => performance.timeOrigin + performance.now()\n'

/** How fast events are taken and run, and how soon one begins on an idle server. */
export async function measureAsync(seconds: number, tmpDir: string): Promise<AsyncResult> {
  const server = await hearth('Hearth, events', 'memory=1769', { HEARTH_WEBHOOK_NETWORKS: '127.0.0.0/8' })
  try {
    const startMs = await measureStart(server.hearth)
    const headers = { ...server.headers, prefer: 'respond-async' }
    const target = { url: server.url, headers, serverPid: server.pid, tmpDir, connections: CLIENTS, body: '{"n":1}' }
    await load({ ...target, seconds: 1 })
    await ended(server.hearth)
    const before = await countEnded(server.hearth)
    const cpuBefore = cpuSeconds(server.pid)
    const startedAt = performance.now()
    const accepted = await load({ ...target, seconds })
    if (accepted.errors > 0) throw new Error(`${accepted.errors} answers were errors`)
    await ended(server.hearth)
    const total = (await countEnded(server.hearth)) - before
    const cpu = cpuSeconds(server.pid) - cpuBefore
    return {
      cpuUs: (cpu * 1e6) / total,
      clients: CLIENTS,
      acceptedPerSecond: accepted.requestsPerSecond,
      acceptP50Ms: accepted.p50Ms,
      acceptP99Ms: accepted.p99Ms,
      endedPerSecond: total / ((performance.now() - startedAt) / 1_000),
      startMs
    }
  } finally {
    await server.stop()
  }
}

type Server = Awaited<ReturnType<typeof hearth>>['hearth']

/** The function says when it began, and a webhook tells it. */
async function measureStart(server: Server): Promise<AsyncResult['startMs']> {
  const deployed = await server.deploy('now.mjs', NOW, 'memory=1769')
  if (!deployed.ok) throw new Error(await deployed.text())
  const began = new Map<string, number>()
  let heard = (): void => undefined
  const receiver = http.createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { requestContext, responsePayload } = JSON.parse(Buffer.concat(chunks).toString()) as {
        requestContext: { requestId: string }
        responsePayload: number
      }
      began.set(requestContext.requestId, responsePayload)
      res.writeHead(204).end(heard)
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  try {
    const config = await server.request('/v1/functions/now/event-invoke-config', {
      method: 'PUT',
      body: JSON.stringify({ onSuccess: { webhook: { url } } })
    })
    if (!config.ok) throw new Error(await config.text())
    const delays: number[] = []
    for (let i = 0; i < SAMPLES + 20; i++) {
      const told = new Promise<void>((resolve) => {
        heard = resolve
      })
      const answer = await server.invoke('now', {}, { prefer: 'respond-async' })
      const at = performance.timeOrigin + performance.now()
      await answer.arrayBuffer()
      await told
      // The first of them start the instance.
      if (i >= 20) delays.push(began.get(answer.headers.get('x-amzn-requestid')!)! - at)
    }
    delays.sort((a, b) => a - b)
    return { p50: delays[Math.floor(SAMPLES * 0.5)]!, p99: delays[Math.floor(SAMPLES * 0.99)]! }
  } finally {
    receiver.closeAllConnections()
    receiver.close()
  }
}

async function ended(server: Server): Promise<void> {
  for (;;) {
    const metrics = await (await server.request('/metrics')).text()
    const accepted = Number(/^hearth_async_accepted_total (\d+)/m.exec(metrics)?.[1])
    if (accepted === sumOfEnded(metrics)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function countEnded(server: Server): Promise<number> {
  return sumOfEnded(await (await server.request('/metrics')).text())
}

function sumOfEnded(metrics: string): number {
  let sum = 0
  for (const [, count] of metrics.matchAll(/^hearth_async_ended_total\{[^}]*\} (\d+)/gm)) sum += Number(count)
  return sum
}
