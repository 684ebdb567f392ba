import { once } from 'node:events'
import http from 'node:http'

export interface ReporterOptions {
  /** The control plane's. */
  readonly port: number
  readonly internalToken: string
  readonly path: string
  readonly intervalMs: number
  /** @returns the JSON to send now; undefined: there is nothing to say */
  readonly report: () => string | undefined
  /** The control plane has taken what {@link report} gave. */
  readonly onTaken?: (body: string) => void
  readonly onError: (err: unknown) => void
  /** Whether there is more to say at once when a report was taken. */
  readonly more?: () => boolean
}

const TIMEOUT_MS = 5_000
/** How long the last word may take. */
const LAST_MS = 1_000

/**
 * Tells the control plane something again and again, one report at a time.
 *
 * @returns says it a last time, if there is something to say, and stops
 */
export function startReporter(options: ReporterOptions): () => Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let underWay: http.ClientRequest | undefined
  let wasTaken = false

  function send(): void {
    if (underWay !== undefined) return
    const body = options.report()
    if (body === undefined) return
    const req = http.request({
      host: '127.0.0.1',
      port: options.port,
      path: options.path,
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
    wasTaken = false
    req.on('timeout', () => req.destroy(new Error('the control plane takes too long')))
    req.on('response', (res) => {
      if (res.statusCode === 204) {
        wasTaken = true
        options.onTaken?.(body)
      } else options.onError(new Error(`the control plane answered ${res.statusCode}`))
      res.resume()
    })
    req.on('error', options.onError)
    req.on('close', () => {
      underWay = undefined
      if (wasTaken && options.more?.() === true) send()
    })
    req.end(body)
  }

  const timer = setInterval(send, options.intervalMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    const signal = AbortSignal.timeout(LAST_MS)
    try {
      // One that is under way may have been written before the last calls ended.
      if (underWay !== undefined) await once(underWay, 'close', { signal })
      send()
      while (underWay !== undefined) await once(underWay, 'close', { signal })
    } catch (err) {
      options.onError(err)
    }
    agent.destroy()
  }
}
