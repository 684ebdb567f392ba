/** What a function says to a message or a connection. */
export interface ProxyAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: none, or an empty one. */
  readonly body: string | Buffer | undefined
}

/**
 * A function's answer to a WebSocket API: `{statusCode, headers, body, isBase64Encoded}`. What says no status lets nobody in.
 *
 * @param payload - JSON, as the function returned it
 * @returns undefined when it is no such answer
 */
export function toProxyAnswer(payload: Buffer): ProxyAnswer | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(payload.toString())
  } catch {
    return undefined
  }
  if (!isObject(answer)) return undefined
  const statusCode = statusOf(answer['statusCode'])
  const headers = headersOf(answer['headers'], answer['multiValueHeaders'])
  const { body, isBase64Encoded } = answer
  if (statusCode === undefined || headers === undefined) return undefined
  if (body === undefined || body === null || body === '') return { statusCode, headers, body: undefined }
  if (typeof body !== 'string') return undefined
  return { statusCode, headers, body: isBase64Encoded === true ? Buffer.from(body, 'base64') : body }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A final status: 1xx would leave the client waiting for more. */
function statusOf(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined
}

/** By lower-case name; the last of several values. */
function headersOf(single: unknown, multi: unknown): Record<string, string> | undefined {
  const headers: Record<string, string> = {}
  for (const given of [single, multi]) {
    if (given === undefined || given === null) continue
    if (!isObject(given)) return undefined
    for (const [name, values] of Object.entries(given)) {
      const value: unknown = Array.isArray(values) ? values.at(-1) : values
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
        headers[name.toLowerCase()] = String(value)
      }
    }
  }
  return headers
}
