import { HearthError } from '@hearth/shared'
import {
  bodyOf,
  cookiesOf,
  headersOf,
  isHeader,
  isObject,
  RESERVED,
  scalar,
  statusOf,
  type UrlResponse
} from '../url-response.ts'

/** Of a response that says nothing else. */
const TEXT_TYPE = 'text/plain;charset=UTF-8'
const JSON_TYPE = 'application/json'

/** What API Gateway says in place of a function's answer. */
export interface ApiRefusal {
  readonly status: number
  readonly message: string
  /** Flat: name, value, … */
  readonly headers: readonly string[]
}

/** Whoever was not let in is told so; a fault of this server is told to its operator. */
export function toApiRefusal(thrown: unknown): ApiRefusal {
  if (!(thrown instanceof HearthError)) return { status: 500, message: 'Internal Server Error', headers: [] }
  const { code, retryAfterS } = thrown
  if (code === 'RATE_EXCEEDED' || code === 'CAPACITY_EXHAUSTED') {
    const headers = retryAfterS === undefined ? [] : ['retry-after', String(retryAfterS)]
    return { status: 429, message: 'Too Many Requests', headers }
  }
  if (code === 'CONTROL_PLANE_UNAVAILABLE') return { status: 503, message: 'Service Unavailable', headers: [] }
  return { status: 403, message: 'Forbidden', headers: [] }
}

/**
 * The HTTP response that a function's answer stands for.
 *
 * @param payload - JSON, as the function returned it
 * @param format - In 2.0 an answer without a `statusCode` is the body itself; in 1.0 it is an error
 * @returns undefined when it describes no response that can be sent
 * @see reference: event payloads §7
 */
export function toApiResponse(payload: Buffer, format: '1.0' | '2.0'): UrlResponse | undefined {
  let result: unknown
  try {
    result = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  if (!isObject(result) || result['statusCode'] === undefined) {
    if (format === '1.0') return undefined
    return { status: 200, headers: ['content-type', JSON_TYPE], body: typeof result === 'string' ? result : payload }
  }
  const status = statusOf(result['statusCode'])
  const headers =
    format === '2.0'
      ? headersOf(result['headers'], TEXT_TYPE)
      : mergedHeaders(result['headers'], result['multiValueHeaders'])
  const cookies = format === '2.0' ? cookiesOf(result['cookies']) : []
  const body = bodyOf(result['body'], result['isBase64Encoded'])
  if (status === undefined || headers === undefined || cookies === undefined || body === undefined) return undefined
  return { status, headers: [...headers, ...cookies], body }
}

/** Both kinds of headers, those with several values first; each cookie has a line of its own. */
function mergedHeaders(single: unknown, multi: unknown): string[] | undefined {
  const values = new Map<string, string[]>()
  const add = (name: string, value: unknown): boolean => {
    const lower = name.toLowerCase()
    const text = scalar(value)
    if (text === undefined || !isHeader(lower, text)) return false
    if (RESERVED.has(lower)) return true
    const list = values.get(lower)
    if (list === undefined) values.set(lower, [text])
    else if (!list.includes(text)) list.push(text)
    return true
  }
  const lists = membersOf(multi)
  const singles = membersOf(single)
  if (lists === undefined || singles === undefined) return undefined
  for (const [name, list] of lists) {
    if (!Array.isArray(list) || !list.every((value) => add(name, value))) return undefined
  }
  for (const [name, value] of singles) if (!add(name, value)) return undefined
  if (!values.has('content-type')) values.set('content-type', [TEXT_TYPE])
  const flat: string[] = []
  for (const [name, list] of values) {
    if (name === 'set-cookie') for (const cookie of list) flat.push(name, cookie)
    else flat.push(name, list.join(', '))
  }
  return flat
}

/** Without those that are null. @returns undefined when it is no object */
function membersOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (value === undefined || value === null) return []
  return isObject(value) ? Object.entries(value).filter(([, one]) => one !== null) : undefined
}
