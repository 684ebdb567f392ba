import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { cpuSeconds } from './processes.ts'

const run = promisify(execFile)

export interface Load {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU µs per request of the server, over all its processes. */
  readonly cpuUs: number
  /** Answers other than 2xx, and connections that broke. */
  readonly errors: number
}

export interface LoadOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  readonly seconds: number
  /** Whose CPU is counted, with all under it. */
  readonly serverPid: number
  /** For the script that wrk reads. */
  readonly tmpDir: string
}

/** Sends POST requests as fast as they are answered, with wrk. */
export async function load(options: LoadOptions): Promise<Load> {
  const script = path.join(options.tmpDir, 'post.lua')
  const headers = Object.entries(options.headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`
  )
  // The token goes into a file of our own, not into arguments that everyone may read.
  writeFileSync(script, ['wrk.method = "POST"', `wrk.body = ${JSON.stringify(options.body)}`, ...headers].join('\n'), {
    mode: 0o600
  })
  const before = cpuSeconds(options.serverPid)
  const { stdout } = await run('wrk', [
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '--latency',
    '--timeout',
    '10s',
    '-s',
    script,
    options.url
  ])
  const cpu = cpuSeconds(options.serverPid) - before
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0)
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0),
    p50Ms: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
    cpuUs: (cpu * 1e6) / Math.max(1, requests),
    errors: failed + (broken === null ? 0 : broken.slice(1).reduce((sum, n) => sum + Number(n), 0))
  }
}

function milliseconds(text: string | undefined): number {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text ?? '')
  if (match === null) return Number.NaN
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's']
}
