import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type HmacSettings, WEBHOOK_TOLERANCE_S, type WebhookSettings } from '@hearth/shared'

/** What was signed: the body's bytes as they came. */
export interface SignedRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Why a request proves nothing; for the operator, never for its sender. */
export type SignatureFault = 'missing' | 'malformed' | 'stale' | 'mismatch'

/** One sender's way to sign: the signatures that were sent, and what each of them must be. */
interface Claim {
  readonly algorithm: HmacSettings['algorithm']
  /** Bytes that stand before the body in what was signed. */
  readonly before: string
  readonly signatures: readonly Buffer[]
  readonly keyOf: (secret: string) => string | Buffer
}

type Scheme = (request: SignedRequest, settings: WebhookSettings, nowS: number) => Claim | SignatureFault

/** More than any sender has while it changes its secret. */
const MAX_SIGNATURES = 16
const TEXT_KEY = (secret: string): string => secret

/**
 * Whether a request was signed with one of the secrets.
 *
 * @param nowMs - Unix time
 * @returns undefined when it was
 */
export function signatureFault(
  settings: WebhookSettings,
  request: SignedRequest,
  secrets: readonly string[],
  nowMs: number
): SignatureFault | undefined {
  if (settings.scheme === 'none') return undefined
  const claim = SCHEMES[settings.scheme](request, settings, nowMs / 1_000)
  if (typeof claim === 'string') return claim
  const isSigned = secrets.some((secret) => {
    const expected = createHmac(claim.algorithm, claim.keyOf(secret)).update(claim.before).update(request.body).digest()
    return claim.signatures.some((one) => one.length === expected.length && timingSafeEqual(one, expected))
  })
  return isSigned ? undefined : 'mismatch'
}

const SCHEMES: Readonly<Record<Exclude<WebhookSettings['scheme'], 'none'>, Scheme>> = {
  hmac: ({ headers }, { hmac }) => {
    const { header, algorithm, encoding, prefix } = hmac!
    return plain(headers[header], algorithm, encoding, prefix)
  },

  /** @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
  github: ({ headers }) => plain(headers['x-hub-signature-256'], 'sha256', 'hex', 'sha256='),

  /** `t=1492774577,v1=5257…,v1=6ffb…,v0=…`. @see https://docs.stripe.com/webhooks#verify-manually */
  stripe: ({ headers }, _settings, nowS) => {
    const sent = textOf(headers['stripe-signature'])
    if (sent === undefined) return 'missing'
    const parts = sent.split(',').map((part) => part.trim().split('=') as [string, string?])
    const time = parts.find(([name]) => name === 't')?.[1]
    const signatures = parts.filter(([name]) => name === 'v1').map(([, value = '']) => fromHex(value))
    return timed(time, nowS, signatures, `${time}.`, TEXT_KEY)
  },

  /** @see https://docs.slack.dev/authentication/verifying-requests-from-slack */
  slack: ({ headers }, _settings, nowS) => {
    const sent = textOf(headers['x-slack-signature'])
    const time = textOf(headers['x-slack-request-timestamp'])
    if (sent === undefined || time === undefined) return 'missing'
    const signatures = sent.startsWith('v0=') ? [fromHex(sent.slice(3))] : []
    return timed(time, nowS, signatures, `v0:${time}:`, TEXT_KEY)
  },

  /** `v1,K5oZ… v1,9rTx…`. @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
  'standard-webhooks': ({ headers }, _settings, nowS) => {
    const id = textOf(headers['webhook-id'])
    const time = textOf(headers['webhook-timestamp'])
    const sent = textOf(headers['webhook-signature'])
    if (id === undefined || time === undefined || sent === undefined) return 'missing'
    const signatures = sent
      .split(' ')
      .filter((one) => one.startsWith('v1,'))
      .map((one) => Buffer.from(one.slice(3), 'base64'))
    return timed(time, nowS, signatures, `${id}.${time}.`, (secret) => standardKey(secret))
  }
}

/** The bytes that a secret of Standard Webhooks stands for. */
export function standardKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
}

function plain(
  header: string | string[] | undefined,
  algorithm: HmacSettings['algorithm'],
  encoding: HmacSettings['encoding'],
  prefix: string
): Claim | SignatureFault {
  const sent = textOf(header)
  if (sent === undefined) return 'missing'
  if (!sent.startsWith(prefix)) return 'malformed'
  const text = sent.slice(prefix.length)
  const signature = encoding === 'hex' ? fromHex(text) : Buffer.from(text, 'base64')
  return { algorithm, before: '', signatures: [signature], keyOf: TEXT_KEY }
}

function timed(
  time: string | undefined,
  nowS: number,
  signatures: readonly Buffer[],
  before: string,
  keyOf: Claim['keyOf']
): Claim | SignatureFault {
  if (time === undefined || !/^\d{1,12}$/.test(time)) return 'malformed'
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES) return 'malformed'
  if (Math.abs(nowS - Number(time)) > WEBHOOK_TOLERANCE_S) return 'stale'
  return { algorithm: 'sha256', before, signatures, keyOf }
}

/** Empty when it is none: nothing else is as long. */
function fromHex(text: string): Buffer {
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.alloc(0)
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}
