import http from 'node:http'
import https from 'node:https'
import type { CheckedAddresses } from '@hearth/shared'

/** Why something could not be fetched, in words that hold nothing of this machine's network. */
export class FetchError extends Error {
  override readonly name = 'FetchError'
}

export interface FetchJsonOptions {
  readonly addresses: CheckedAddresses
  /** For the whole answer. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

/**
 * Gets a JSON document that somebody other than the operator has named. Only status 200 counts, so no redirect is
 * followed; plain http stays inside the networks that the operator has named, where nobody else stands on the way.
 *
 * @throws FetchError
 */
export function fetchJson(text: string, { addresses, timeoutMs, maxBytes }: FetchJsonOptions): Promise<unknown> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.protocol === 'http:'
  if (url === undefined || (!isPlain && url.protocol !== 'https:')) throw new FetchError('its address is no URL')
  if (url.username !== '' || url.password !== '') throw new FetchError('its address has a password in it')
  if (isPlain ? addresses.isOutsideHost(url.hostname) : addresses.isRefusedHost(url.hostname)) throw refusedAddress()
  const { request } = isPlain ? http : https
  return new Promise((resolve, reject) => {
    const req = request(url, {
      agent: false,
      headers: { accept: 'application/json', 'user-agent': 'Hearth' },
      lookup: isPlain ? addresses.lookupInside : addresses.lookup,
      maxHeaderSize: 16_384
    })
    const timer = setTimeout(() => {
      req.destroy(new FetchError(`no answer within ${timeoutMs / 1_000} s`))
    }, timeoutMs)
    const fail = (err: Error & { code?: string }): void => {
      clearTimeout(timer)
      req.destroy()
      reject(err instanceof FetchError ? err : new FetchError(`it cannot be reached: ${err.code ?? err.name}`))
    }
    req.on('error', fail)
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      let bytes = 0
      res.on('error', fail)
      res.on('close', () => {
        fail(new FetchError('the answer broke off'))
      })
      if (res.statusCode !== 200) {
        fail(new FetchError(`it answered with status ${res.statusCode ?? 0}`))
        return
      }
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxBytes) fail(new FetchError(`the answer has more than ${maxBytes} bytes`))
        else chunks.push(chunk)
      })
      res.on('end', () => {
        clearTimeout(timer)
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString()))
        } catch {
          fail(new FetchError('the answer is not JSON'))
        }
      })
    })
    req.end()
  })
}

export function refusedAddress(): FetchError {
  return new FetchError('its address is not public (HEARTH_WEBHOOK_NETWORKS may allow it)')
}
