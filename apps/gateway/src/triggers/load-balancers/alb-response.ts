import { validateHeaderName, validateHeaderValue } from 'node:http'
import { LOAD_BALANCER_LIMITS } from '@hearth/shared'

/** What the client of a load balancer gets. */
export interface AlbResponse {
  readonly status: number
  /** What stands behind the status in HTTP/1.1; undefined: the usual. */
  readonly reason: string | undefined
  /** Flat: name, value, … */
  readonly headers: string[]
  readonly body: Buffer | string
}

/** Of the connection: what a function says of it is not its to say. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade'
])

/**
 * The HTTP response that a function's answer to a load balancer stands for.
 *
 * @param payload - JSON, as the function returned it.
 * @returns undefined when it describes none: then the client gets 502
 * @see reference: event payloads §7.3
 */
export function toAlbResponse(payload: Buffer, multiValueHeaders: boolean): AlbResponse | undefined {
  if (payload.length > LOAD_BALANCER_LIMITS.bodyBytes) return undefined
  let result: unknown
  try {
    result = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  if (!isObject(result)) return undefined
  const { statusCode, statusDescription, body = '', isBase64Encoded = false } = result
  const status = typeof statusCode === 'string' && /^\d{3}$/.test(statusCode) ? Number(statusCode) : statusCode
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return undefined
  if ((body !== null && typeof body !== 'string') || typeof isBase64Encoded !== 'boolean') return undefined
  const headers = headersOf(multiValueHeaders ? result['multiValueHeaders'] : result['headers'], multiValueHeaders)
  const reason = reasonOf(statusDescription)
  if (headers === undefined || reason === null) return undefined
  return { status, reason, headers, body: isBase64Encoded ? Buffer.from(body ?? '', 'base64') : (body ?? '') }
}

function headersOf(value: unknown, multi: boolean): string[] | undefined {
  const flat: string[] = []
  let isTyped = false
  if (value !== undefined && value !== null) {
    if (!isObject(value)) return undefined
    for (const [name, given] of Object.entries(value)) {
      const values: readonly unknown[] | undefined = multi ? (Array.isArray(given) ? given : undefined) : [given]
      if (values === undefined) return undefined
      if (RESERVED.has(name.toLowerCase())) continue
      for (const one of values) {
        const text = typeof one === 'number' || typeof one === 'boolean' ? String(one) : one
        if (typeof text !== 'string' || !isHeader(name, text)) return undefined
        if (name.toLowerCase() === 'content-type') isTyped = true
        flat.push(name, text)
      }
    }
  }
  if (!isTyped) flat.push('content-type', 'application/octet-stream')
  return flat
}

/** `200 OK`. @returns null when no status line may have it */
function reasonOf(value: unknown): string | undefined | null {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value.length > 256 || !/^[\x20-\x7e]*$/.test(value)) return null
  const text = value.replace(/^\d{3} ?/, '')
  return text === '' ? undefined : text
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
