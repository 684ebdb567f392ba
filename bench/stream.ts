import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { bareStream, hearth, type Target } from './targets.ts'

export interface StreamResult {
  readonly name: string
  /** 10^6 bytes per second, one client. */
  readonly megabytesPerSecond: number
  /** From the function's write to the client, in ms; none for what is only a yardstick. */
  readonly firstByteMs: { readonly p50: number; readonly p99: number } | undefined
  /** What the server's process grew by at most while it streamed, in MiB. */
  readonly growthMiB: number
}

const BYTES = 200 * 1_048_576
const FIRST_BYTES = 200

const SOURCE = `
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
const piece = Buffer.alloc(65536, 'x')
function* pieces(bytes) { for (let left = bytes; left > 0; left -= piece.length) yield piece }
export const handler = awslambda.streamifyResponse(async ({ rawQueryString }, stream) => {
  const bytes = new URLSearchParams(rawQueryString).get('bytes')
  if (bytes === null) stream.end(String(performance.timeOrigin + performance.now()))
  else await pipeline(Readable.from(pieces(Number(bytes))), stream)
})
`

/** 200 MB through the function's URL, and through node:http alone, in turns. */
export async function measureStream(rounds: number): Promise<StreamResult[]> {
  const bare = await bareStream()
  const server = await hearth('Hearth, function URL', '')
  try {
    const deployed = await server.hearth.deploy(
      'stream.mjs',
      SOURCE,
      'invokeMode=RESPONSE_STREAM&memory=1769&timeout=60'
    )
    if (!deployed.ok) throw new Error(await deployed.text())
    const own: Target = { ...server, url: `${server.hearth.url}/fn/stream`, pid: server.hearth.pids().gateway }
    const targets = [bare, own]
    const speeds = targets.map(() => [] as number[])
    const growths = targets.map(() => 0)
    for (const target of targets) await download(target)
    for (let round = 0; round < rounds; round++) {
      for (const [i, target] of targets.entries()) {
        const { megabytesPerSecond, growthMiB } = await download(target)
        speeds[i]!.push(megabytesPerSecond)
        growths[i] = Math.max(growths[i]!, growthMiB)
      }
    }
    const delays: number[] = []
    for (let i = 0; i < FIRST_BYTES; i++) delays.push(await firstByte(own))
    delays.sort((a, b) => a - b)
    const pick = (share: number) => delays[Math.floor(delays.length * share)]!
    return targets.map(({ name }, i) => ({
      name,
      megabytesPerSecond: speeds[i]!.sort((a, b) => a - b)[speeds[i]!.length >> 1]!,
      firstByteMs: i === 0 ? undefined : { p50: pick(0.5), p99: pick(0.99) },
      growthMiB: growths[i]!
    }))
  } finally {
    await bare.stop()
    await server.stop()
  }
}

async function open({ url, headers }: Target, query: string): Promise<IncomingMessage> {
  const request = http.get(`${url}${query}`, { headers })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
  return response
}

async function download(target: Target): Promise<{ megabytesPerSecond: number; growthMiB: number }> {
  const before = rssMiB(target.pid)
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, rssMiB(target.pid))
  }, 20)
  const startedAt = performance.now()
  let bytes = 0
  for await (const chunk of await open(target, `?bytes=${BYTES}`)) bytes += (chunk as Buffer).length
  const seconds = (performance.now() - startedAt) / 1_000
  clearInterval(watch)
  if (bytes !== BYTES) throw new Error(`${bytes} bytes came`)
  return { megabytesPerSecond: bytes / 1e6 / seconds, growthMiB: most - before }
}

/** The function sends the time of its write. */
async function firstByte(target: Target): Promise<number> {
  let text = ''
  let at = 0
  for await (const chunk of await open(target, '')) {
    if (text === '') at = performance.timeOrigin + performance.now()
    text += (chunk as Buffer).toString()
  }
  return at - Number(text)
}

function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}
