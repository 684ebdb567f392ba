import type { IncomingHttpHeaders } from 'node:http'
import type { WebhookSelector } from '@hearth/shared'

/** A request that somebody sent to a webhook, with its whole body. */
export interface WebhookRequest {
  /** UUID; the sender is told it. */
  readonly id: string
  readonly method: string
  /** As it came, with the query. */
  readonly url: string
  readonly httpVersion: string
  readonly headers: IncomingHttpHeaders
  /** Name, value, name, value. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly sourceIp: string
  /** Whether the function gets the Authorization header: a key of this server is none of its business. */
  readonly authorization: boolean
  /** Unix time in ms. */
  readonly receivedAt: number
}

/** The JSON object that a body is; undefined when it is none. */
export function jsonObjectOf(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (body.length === 0) return undefined
  try {
    const value: unknown = JSON.parse(body.toString())
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined when there is no such header or member, or it is no text that says anything */
export function select(
  selector: WebhookSelector,
  headers: IncomingHttpHeaders,
  body: () => Readonly<Record<string, unknown>> | undefined
): string | undefined {
  if ('header' in selector) {
    const value = headers[selector.header]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const object = body()
  if (object === undefined || !Object.hasOwn(object, selector.member)) return undefined
  const value = object[selector.member]
  return (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
}
