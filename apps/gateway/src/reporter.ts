import http from 'node:http'

export interface ReporterOptions {
  /** The control plane's. */
  readonly port: number
  readonly internalToken: string
  readonly path: string
  readonly intervalMs: number
  /** What there is to say now; undefined: nothing. */
  readonly report: () => object | undefined
  /** It was heard. */
  readonly onTold?: () => void
  readonly onError: (err: unknown) => void
}

const TIMEOUT_MS = 5_000

/** Tells the control plane something again and again, one report at a time. @returns stops it */
export function startReporter(options: ReporterOptions): () => void {
  const { port, internalToken, path, intervalMs, report, onTold, onError } = options
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let underWay = false

  function send(): void {
    if (underWay) return
    const content = report()
    if (content === undefined) return
    underWay = true
    const body = JSON.stringify(content)
    const req = http.request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      agent,
      timeout: TIMEOUT_MS,
      headers: {
        authorization: `Bearer ${internalToken}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body)
      }
    })
    req.on('timeout', () => req.destroy(new Error('the control plane takes too long')))
    req.on('response', (res) => {
      if (res.statusCode === 204) onTold?.()
      else onError(new Error(`the control plane answered ${res.statusCode}`))
      res.resume()
    })
    req.on('error', onError)
    req.on('close', () => {
      underWay = false
    })
    req.end(body)
  }

  const timer = setInterval(send, intervalMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    agent.destroy()
  }
}
