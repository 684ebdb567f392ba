import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { createCheckedAddresses } from './checked-addresses.ts'

/** One message to a webhook. */
export interface WebhookMessage {
  /** http or https. */
  readonly url: string
  /** The receiver's id of it, however often it is sent. */
  readonly id: string
  /** JSON. */
  readonly body: Buffer
  readonly key: Buffer
  /** W3C's, of the trace that it belongs to. */
  readonly traceparent?: string | undefined
}

export interface WebhookSenderOptions {
  /** Networks that may be reached beside public addresses. */
  readonly networks: readonly string[]
  /** Unix time in ms. */
  readonly now: () => number
  /** What one attempt may take, in ms. */
  readonly timeoutMs?: number | undefined
}

/** @param signal - Aborted when the server stops. @throws WebhookError */
export type SendWebhook = (message: WebhookMessage, signal: AbortSignal) => Promise<void>

/** Why a message did not arrive; told to whoever asks, so without secrets and parts of URLs. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
  /** Trying again would not help. */
  readonly isFinal: boolean

  constructor(message: string, isFinal = false) {
    super(message)
    this.isFinal = isFinal
  }
}

const TIMEOUT_MS = 10_000
/** Says that the receiver is gone for good. */
const GONE = 410

/**
 * Posts messages, signed as the Standard Webhooks specification says: HMAC-SHA256 of id, time and body. Any 2xx is
 * taken for an answer; what else is in it is not read, and no redirect is followed. The address that was checked is the
 * one that is connected to.
 */
export function createWebhookSender({ networks, now, timeoutMs = TIMEOUT_MS }: WebhookSenderOptions): SendWebhook {
  const addresses = createCheckedAddresses(networks, refusedAddress)
  return async ({ url: target, id, body, key, traceparent }, signal) => {
    const url = new URL(target)
    if (addresses.isRefusedHost(url.hostname)) throw refusedAddress()
    const timestamp = String(Math.floor(now() / 1_000))
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'Hearth',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
      ...(traceparent === undefined ? {} : { traceparent })
    }
    const { request } = url.protocol === 'https:' ? https : http
    await new Promise<void>((resolve, reject) => {
      const options = { method: 'POST', headers, agent: false, lookup: addresses.lookup, maxHeaderSize: 16_384 }
      const req = request(url, options)
      const end = (err?: WebhookError): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        if (err === undefined) resolve()
        else reject(err)
      }
      const onAbort = (): void => {
        req.destroy(new WebhookError('the server stops'))
      }
      const timer = setTimeout(() => {
        req.destroy(new WebhookError(`no answer within ${timeoutMs / 1_000} s`))
      }, timeoutMs)
      signal.addEventListener('abort', onAbort)
      req.on('response', ({ statusCode = 0 }) => {
        const isTaken = statusCode >= 200 && statusCode < 300
        end(isTaken ? undefined : new WebhookError(`it answered with status ${statusCode}`, statusCode === GONE))
        req.destroy()
      })
      // After an answer this is our own doing, and changes nothing.
      req.on('error', (err) => {
        end(err instanceof WebhookError ? err : new WebhookError(reasonOf(err)))
      })
      req.end(body)
    })
  }
}

function refusedAddress(): WebhookError {
  return new WebhookError('its address is not public (HEARTH_WEBHOOK_NETWORKS may allow it)')
}

/** Codes, not messages: those name addresses of this machine's network. */
function reasonOf(err: Error & { code?: string }): string {
  return `it cannot be reached: ${err.code ?? err.name}`
}
