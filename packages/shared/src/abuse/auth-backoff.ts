import { type ErrorCode, HearthError } from '../errors.ts'

/**
 * Slows down who tries keys. Asked only when a request was refused for its key, so one that is accepted never waits for
 * it, whatever else came from its address.
 */
export interface AuthBackoff {
  /**
   * @param thrown - Why a request was refused; all that is not about its key is given back as it is.
   * @param address - Of the sender, as far as the server knows it by itself.
   * @returns what to answer with: AUTHENTICATION_THROTTLED once there were too many
   */
  judge(thrown: unknown, address: string | undefined): unknown
}

/** Addresses remembered; a network of IPv6 is one. */
const ENTRIES = 10_000
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 60_000
/** What somebody gets wrong who tries keys. That none was sent is no try. */
const TRIES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_CREDENTIALS',
  'EXPIRED_CREDENTIALS',
  'INVALID_SIGNATURE',
  'INCOMPLETE_SIGNATURE',
  'INVALID_WEBHOOK_SIGNATURE'
])

interface Sender {
  /** Failures that are still free. */
  left: number
  /** Unix times in ms. */
  at: number
  until: number
  waitMs: number
}

/**
 * @param perMinute - Failures that one address may have in a minute; 0: any number.
 * @param now - Unix time in ms.
 */
export function createAuthBackoff(perMinute: number, now: () => number): AuthBackoff {
  const senders = new Map<string, Sender>()

  const senderOf = (network: string, at: number): Sender => {
    let sender = senders.get(network)
    if (sender === undefined) {
      if (senders.size >= ENTRIES) for (const oldest of senders.keys()) if (senders.delete(oldest)) break
      sender = { left: perMinute, at, until: 0, waitMs: 0 }
      senders.set(network, sender)
    }
    sender.left = Math.min(perMinute, sender.left + (Math.max(0, at - sender.at) / 60_000) * perMinute)
    sender.at = at
    return sender
  }

  return {
    judge(thrown, address = '') {
      if (perMinute === 0 || !(thrown instanceof HearthError) || !TRIES.has(thrown.code)) return thrown
      const at = now()
      const sender = senderOf(networkOf(address), at)
      if (at >= sender.until) {
        // After a quiet minute it is as if nothing had been.
        if (sender.left >= perMinute) sender.waitMs = 0
        if (sender.left >= 1) {
          sender.left -= 1
          return thrown
        }
        sender.waitMs = Math.min(LONGEST_WAIT_MS, Math.max(FIRST_WAIT_MS, sender.waitMs * 2))
        sender.until = at + sender.waitMs
      }
      return new HearthError('AUTHENTICATION_THROTTLED', 'Too many requests with wrong keys came from this address.', {
        cause: thrown,
        reason: 'CallerRateLimitExceeded',
        awsMessage: 'Rate exceeded',
        retryAfterS: Math.ceil((sender.until - at) / 1_000)
      })
    }
  }
}

/** An IPv4 address, or the first 64 bits of an IPv6 one: whoever has one of those has all of them. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  return [...front, ...zeros, ...back].slice(0, 4).join(':')
}
