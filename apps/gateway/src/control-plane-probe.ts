import http from 'node:http'
import type { Check, Health } from '@hearth/shared'

const TIMEOUT_MS = 1_000
/** Anyone may ask for it: however many do, the control plane is asked once a second. */
const FRESH_MS = 1_000
const MAX_ANSWER_BYTES = 16_384

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
    const health = JSON.parse(await get(port)) as Partial<Health>
    if (health.status === 'ready') return { ok: true }
    const failed = Object.entries(health.checks ?? {}).filter(([, { ok }]) => !ok)
    return { ok: false, detail: `not ready: ${failed.map(([name]) => name).join(', ')}` }
  } catch {
    return { ok: false, detail: 'it does not answer' }
  }
}

function get(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const req = http.get({ host: '127.0.0.1', port, path: '/readyz', agent: false, signal }, (res) => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', (piece: string) => {
        text += piece
        if (text.length > MAX_ANSWER_BYTES) req.destroy(new Error('too long'))
      })
      res.on('error', reject)
      res.on('end', () => {
        resolve(text)
      })
    })
    req.on('error', reject)
  })
}
