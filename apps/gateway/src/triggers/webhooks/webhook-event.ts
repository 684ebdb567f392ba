import type { Webhook } from '@hearth/shared'
import { DROPPED_HEADERS, isTextBody, queryOf } from '../../url-event.ts'
import type { WebhookRequest } from './webhook-request.ts'

/** The event that a webhook's function gets, as JSON text: payload format 2.0 without what only URLs have. */
export function toWebhookEvent(webhook: Webhook, request: WebhookRequest, deliveryId: string | undefined): string {
  const { body, url } = request
  // Without a prototype: `__proto__` is a header name like any other.
  const headers = Object.create(null) as Record<string, string>
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!.toLowerCase()
    if (DROPPED_HEADERS.has(name) && !(name === 'authorization' && request.authorization)) continue
    const before = headers[name]
    headers[name] = before === undefined ? request.rawHeaders[i + 1]! : `${before},${request.rawHeaders[i + 1]!}`
  }
  const isText = isTextBody(headers['content-type'], headers['content-encoding'], body)
  const mark = url.indexOf('?')
  const rawQueryString = mark === -1 ? '' : url.slice(mark + 1)
  return JSON.stringify({
    version: '2.0',
    routeKey: '$default',
    // The path says the webhook's id, which nobody need see in a log.
    rawPath: '/',
    rawQueryString,
    headers,
    queryStringParameters: rawQueryString === '' ? undefined : queryOf(rawQueryString),
    requestContext: {
      webhook: webhook.name,
      id: request.id,
      deliveryId: deliveryId ?? null,
      scheme: webhook.scheme,
      receivedAt: new Date(request.receivedAt).toISOString(),
      http: {
        method: request.method,
        path: '/',
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? ''
      }
    },
    body: body.length === 0 ? undefined : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !isText
  })
}
