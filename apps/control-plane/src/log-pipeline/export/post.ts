import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { OtlpTarget } from '@hearth/shared'
import { LaterError } from '../work-loop.ts'

const compress = promisify(gzip)

const REQUEST_MS = 15_000
/** Longest that a target may have us wait, in ms. */
const LONGEST_MS = 300_000
/** Of an answer, all that is read. */
const ANSWER_BYTES = 65_536
/** What the target says of the request itself: sent again as it is, it would say so again. */
const UNWANTED = new Set([400, 422])
const TOO_LARGE = 413

/** What became of a request that need not be sent again. */
export type Posted =
  | { readonly result: 'taken'; readonly answer: string }
  /** Less may be taken. */
  | { readonly result: 'too-large' }
  | { readonly result: 'unwanted'; readonly status: number; readonly reason: string }

/**
 * Sends a JSON body, compressed.
 *
 * @throws Error, LaterError to be sent again later; neither address nor headers are in it
 */
export async function post({ endpoint, headers }: OtlpTarget, body: string, signal: AbortSignal): Promise<Posted> {
  const bytes: Uint8Array<ArrayBuffer> = new Uint8Array(await compress(body))
  const { status, text, retryAfter } = await request(endpoint, headers, bytes, signal)
  if (status >= 200 && status < 300) return { result: 'taken', answer: text }
  if (status === TOO_LARGE) return { result: 'too-large' }
  if (UNWANTED.has(status)) return { result: 'unwanted', status, reason: text.slice(0, 256) }
  // Also where a key or an address is wrong: that can be put right, and nothing is lost until then.
  throw new LaterError(`it answered with status ${status}`, Math.min(afterMs(retryAfter), LONGEST_MS))
}

async function request(
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal
) {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)])
    })
    return {
      status: response.status,
      text: await readSome(response),
      retryAfter: response.headers.get('retry-after')
    }
  } catch (err) {
    // Codes, not messages: those may have the address.
    const { name, cause } = err as Error & { readonly cause?: { readonly code?: unknown } }
    throw new Error(`it cannot be reached: ${typeof cause?.code === 'string' ? cause.code : name}`)
  }
}

/** A target that sends without end is not listened to. */
async function readSome(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Seconds, or a date. */
function afterMs(header: string | null): number {
  if (header === null) return 0
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}
