import { validateHeaderName, validateHeaderValue } from 'node:http'

/** What the client of a function URL gets. */
export interface UrlResponse {
  readonly status: number
  /** Flat: name, value, … */
  readonly headers: string[]
  readonly body: Buffer | string
}

/** Said by the server: a function that sets them would break the connection or speak in the server's name. */
export const RESERVED: ReadonlySet<string> = new Set([
  'apigw-requestid',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-amzn-requestid',
  'x-hearth-function-error'
])
const JSON_TYPE = 'application/json'
const OCTETS_TYPE = 'application/octet-stream'

/**
 * The HTTP response that a function's answer stands for: an object with `statusCode` describes one, anything else is
 * the body.
 *
 * @param payload - JSON, as the function returned it.
 * @returns undefined when it describes no response that can be sent
 * @see reference: event payloads §7.2, response
 */
export function toUrlResponse(payload: Buffer): UrlResponse | undefined {
  let result: unknown
  try {
    result = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  if (typeof result === 'string') return { status: 200, headers: ['content-type', JSON_TYPE], body: result }
  if (!isObject(result) || result['statusCode'] === undefined) {
    return { status: 200, headers: ['content-type', JSON_TYPE], body: payload }
  }
  const status = statusOf(result['statusCode'])
  const headers = headersOf(result['headers'], JSON_TYPE)
  const cookies = cookiesOf(result['cookies'])
  const body = bodyOf(result['body'], result['isBase64Encoded'])
  if (status === undefined || headers === undefined || cookies === undefined || body === undefined) return undefined
  return { status, headers: [...headers, ...cookies], body }
}

/**
 * Status and headers that the prelude of a streamed response describes: `{"statusCode", "headers", "cookies"}`.
 *
 * @returns undefined when it describes none that can be sent
 */
export function toResponseHead(prelude: Buffer): Omit<UrlResponse, 'body'> | undefined {
  let given: unknown
  try {
    given = JSON.parse(prelude.toString())
  } catch {
    return undefined
  }
  if (!isObject(given)) return undefined
  const status = statusOf(given['statusCode'] ?? 200)
  const headers = headersOf(given['headers'], OCTETS_TYPE)
  const cookies = cookiesOf(given['cookies'])
  if (status === undefined || headers === undefined || cookies === undefined) return undefined
  return { status, headers: [...headers, ...cookies] }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A final status: 1xx would leave the client waiting for more. */
export function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined
}

export function headersOf(value: unknown, defaultType: string): string[] | undefined {
  if (value === undefined || value === null) return ['content-type', defaultType]
  if (!isObject(value)) return undefined
  const flat: string[] = []
  let typed = false
  for (const [name, given] of Object.entries(value)) {
    if (given === null || given === undefined) continue
    const lower = name.toLowerCase()
    if (RESERVED.has(lower)) continue
    const text = Array.isArray(given) ? given.map(String).join(',') : scalar(given)
    if (text === undefined || !isHeader(lower, text)) return undefined
    if (lower === 'content-type') typed = true
    flat.push(lower, text)
  }
  if (!typed) flat.push('content-type', defaultType)
  return flat
}

export function cookiesOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const flat: string[] = []
  for (const cookie of value) {
    if (typeof cookie !== 'string' || !isHeader('set-cookie', cookie)) return undefined
    flat.push('set-cookie', cookie)
  }
  return flat
}

export function bodyOf(value: unknown, isBase64: unknown): Buffer | string | undefined {
  if (value === undefined || value === null) return ''
  if (isBase64 !== undefined && isBase64 !== null && typeof isBase64 !== 'boolean') return undefined
  if (typeof value !== 'string') return JSON.stringify(value)
  return isBase64 === true ? Buffer.from(value, 'base64') : value
}

export function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

export function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
