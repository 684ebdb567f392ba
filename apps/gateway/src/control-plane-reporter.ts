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
}

const TIMEOUT_MS = 5_000

/** Tells the control plane something again and again, one report at a time. @returns stops it */
export function startReporter(options: ReporterOptions): () => void {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let underWay = false

  function send(): void {
    if (underWay) return
    const body = options.report()
    if (body === undefined) return
    underWay = true
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
    req.on('timeout', () => req.destroy(new Error('the control plane takes too long')))
    req.on('response', (res) => {
      if (res.statusCode === 204) options.onTaken?.(body)
      else options.onError(new Error(`the control plane answered ${res.statusCode}`))
      res.resume()
    })
    req.on('error', options.onError)
    req.on('close', () => {
      underWay = false
    })
    req.end(body)
  }

  const timer = setInterval(send, options.intervalMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    agent.destroy()
  }
}
