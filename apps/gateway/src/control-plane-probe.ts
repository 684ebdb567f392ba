import http from 'node:http'
import type { Check, Health } from '@hearth/shared'

const PROBE = { timeoutMs: 1_000, maxBytes: 16_384 }
/** Anyone may ask for it: however many do, the control plane is asked once a second. */
const FRESH_MS = 1_000

/**
 * How the control plane is, for those who ask this process how the server is.
 *
 * @param now - Milliseconds, monotonic
 */
export function createControlPlaneProbe(port: number, now: () => number): () => Promise<Check> {
  let answer: Promise<Check> | undefined
  let askedAt = 0
  return () => {
    if (answer === undefined || now() - askedAt >= FRESH_MS) {
      askedAt = now()
      answer = ask(port)
    }
    return answer
  }
}

async function ask(port: number): Promise<Check> {
  try {
    const health = JSON.parse(await askControlPlane(port, '/readyz', PROBE)) as Partial<Health>
    if (health.status === 'ready') return { ok: true }
    const failed = Object.entries(health.checks ?? {}).filter(([, { ok }]) => !ok)
    return { ok: false, detail: `not ready: ${failed.map(([name]) => name).join(', ')}` }
  } catch {
    return { ok: false, detail: 'it does not answer' }
  }
}

export interface AskOptions {
  readonly timeoutMs: number
  readonly maxBytes: number
  /** What this process proves itself with, where it must. */
  readonly token?: string | undefined
}

/** What the control plane answers to a GET, whatever its status. @throws Error when it does not, in time and in size */
export function askControlPlane(port: number, path: string, options: AskOptions): Promise<string> {
  const { timeoutMs, maxBytes, token } = options
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const req = http.get({ host: '127.0.0.1', port, path, agent: false, signal, headers }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (piece: string) => {
        text += piece
        if (text.length > maxBytes) req.destroy(new Error('too long'))
      })
      res.on('error', reject)
      res.on('end', () => {
        resolve(text)
      })
    })
    req.on('error', reject)
  })
}
