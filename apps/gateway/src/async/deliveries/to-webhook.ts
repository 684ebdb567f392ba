import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { webhookKey } from '@hearth/shared'
import type { Delivery } from '@hearth/store'
import { createCheckedAddresses } from '../../checked-addresses.ts'
import { toTraceparent } from '../../tracing/trace-header.ts'
import { DeliveryError, type DeliveryKind } from './kind.ts'

export interface ToWebhookOptions {
  /** What a delivery is to be signed with; undefined: its webhook is not configured any more. */
  readonly secretOf: (delivery: Delivery) => string | undefined
  /** Networks that may be reached beside public addresses. */
  readonly networks: readonly string[]
  /** Unix time in ms. */
  readonly now: () => number
  /** What one attempt may take, in ms. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** Says that the receiver is gone for good. */
const GONE = 410

/**
 * To an HTTP server, signed as the Standard Webhooks specification says: HMAC-SHA256 of id, time and body. Any 2xx is
 * taken for an answer; what else is in it is not read, and no redirect is followed. The address that was checked is the
 * one that is connected to.
 */
export function createToWebhook({ secretOf, networks, now, timeoutMs = TIMEOUT_MS }: ToWebhookOptions): DeliveryKind {
  const addresses = createCheckedAddresses(networks, refusedAddress)
  return {
    matches: (target) => /^https?:/.test(target),
    send(delivery, signal) {
      const { target, id, body } = delivery
      const secret = secretOf(delivery)
      const key = secret === undefined ? undefined : webhookKey(secret)
      if (key === undefined) throw new DeliveryError('the webhook is not configured any more', true)
      const url = new URL(target)
      if (addresses.isRefusedHost(url.hostname)) throw refusedAddress()
      const timestamp = String(Math.floor(now() / 1_000))
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
      const traceparent = toTraceparent(delivery.traceId)
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
      return new Promise<void>((resolve, reject) => {
        const options = { method: 'POST', headers, agent: false, lookup: addresses.lookup, maxHeaderSize: 16_384 }
        const req = request(url, options)
        const end = (err?: DeliveryError): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', onAbort)
          if (err === undefined) resolve()
          else reject(err)
        }
        const onAbort = (): void => {
          req.destroy(new DeliveryError('the server stops'))
        }
        const timer = setTimeout(() => {
          req.destroy(new DeliveryError(`no answer within ${timeoutMs / 1_000} s`))
        }, timeoutMs)
        signal.addEventListener('abort', onAbort)
        req.on('response', ({ statusCode = 0 }) => {
          const isTaken = statusCode >= 200 && statusCode < 300
          end(isTaken ? undefined : new DeliveryError(`it answered with status ${statusCode}`, statusCode === GONE))
          req.destroy()
        })
        // After an answer this is our own doing, and changes nothing.
        req.on('error', (err) => {
          end(err instanceof DeliveryError ? err : new DeliveryError(reasonOf(err)))
        })
        req.end(body)
      })
    }
  }
}

function refusedAddress(): DeliveryError {
  return new DeliveryError('its address is not public (HEARTH_WEBHOOK_NETWORKS may allow it)')
}

/** Codes, not messages: those name addresses of this machine's network. */
function reasonOf(err: Error & { code?: string }): string {
  return `it cannot be reached: ${err.code ?? err.name}`
}
