import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { ReleaseCounter } from './release-counter.ts'

export interface ReleaseReporterOptions {
  /** The control plane's. */
  readonly port: number
  readonly internalToken: string
  readonly counters: () => Iterable<ReleaseCounter>
  readonly onError: (err: unknown) => void
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000
const TIMEOUT_MS = 5_000
/** How long the last word may take. */
const LAST_MS = 1_000

/**
 * Tells the control plane again and again what was counted for releases, as long as there are any. A report that is
 * lost costs nothing: each says all that this process has counted in the release's step.
 *
 * @returns says it a last time, and stops
 */
export function startReleaseReporter(options: ReleaseReporterOptions): () => Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const gateway = randomUUID()
  let underWay: http.ClientRequest | undefined

  function report(): void {
    if (underWay !== undefined) return
    const releases = Array.from(options.counters(), (counter) => ({
      id: counter.watch.id,
      step: counter.watch.step,
      gateway,
      ...counter.tally()
    }))
    if (releases.length === 0) return
    const body = JSON.stringify({ releases })
    const req = http.request({
      host: '127.0.0.1',
      port: options.port,
      path: '/v1/internal/release-reports',
      method: 'POST',
      agent,
      timeout: TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${options.internalToken}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body)
      }
    })
    underWay = req
    req.on('timeout', () => req.destroy(new Error('the control plane takes too long')))
    req.on('response', (res) => {
      if (res.statusCode !== 204) options.onError(new Error(`the control plane answered ${res.statusCode}`))
      res.resume()
    })
    req.on('error', options.onError)
    req.on('close', () => {
      underWay = undefined
    })
    req.end(body)
  }

  const timer = setInterval(report, options.intervalMs ?? INTERVAL_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    const signal = AbortSignal.timeout(LAST_MS)
    try {
      // One that is under way may have been written before the last calls ended.
      if (underWay !== undefined) await once(underWay, 'close', { signal })
      report()
      if (underWay !== undefined) await once(underWay, 'close', { signal })
    } catch (err) {
      options.onError(err)
    }
    agent.destroy()
  }
}
