import type { ArnScope } from './arn.ts'

/** How senders prove themselves. */
export type WebhookScheme = 'none' | 'hmac' | 'github' | 'stripe' | 'slack' | 'standard-webhooks'

/** Where a text is found in a request: a header, or a member of the JSON object that the body is. */
export type WebhookSelector = { readonly header: string } | { readonly member: string }

/** Of the scheme `hmac`. */
export interface HmacSettings {
  /** Lower case. */
  readonly header: string
  readonly algorithm: 'sha256' | 'sha512' | 'sha1'
  readonly encoding: 'hex' | 'base64'
  /** What stands before the signature, or `''`. */
  readonly prefix: string
}

/** All that the owner of a webhook says, but its secrets. */
export interface WebhookSettings {
  /** ARN of a function, or the bus that events are put on. */
  readonly target:
    | { readonly functionArn: string }
    | { readonly bus: string; readonly source: string; readonly detailType: string | WebhookSelector }
  readonly scheme: WebhookScheme
  readonly hmac?: HmacSettings | undefined
  readonly methods: readonly string[]
  /** Where a delivery's own id is; undefined: each request is an event. */
  readonly deduplicateBy?: WebhookSelector | undefined
  /** How long an id is remembered. */
  readonly windowSeconds: number
  readonly deadLetterArn?: string | undefined
  readonly description?: string | undefined
}

/** One that signatures are checked with. */
export interface WebhookSecret {
  /** The secret, or `secret:name`, which stands for one of the server's secrets. */
  readonly value: string
  /** Until when it counts, Unix time in ms; undefined: it is the one that counts now. */
  readonly until?: number | undefined
}

export interface Webhook extends WebhookSettings {
  readonly name: string
  /** What its URL ends with. Who has no secret to show is let in by it alone. */
  readonly id: string
  readonly isEnabled: boolean
  /** Unix times in ms. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** 36 symbols each: 165 bits. */
export const WEBHOOK_ID = /^[a-z0-9]{32}$/

/** The service that starts functions for webhooks. */
export const WEBHOOK_SERVICE = 'webhooks.hearth'

/** How old a signed time may be, and how far ahead, in seconds. Source: what Stripe, Slack and Standard Webhooks say. */
export const WEBHOOK_TOLERANCE_S = 300

/** Where a sender's own id of a delivery is, and what kind of event it is. */
export const WEBHOOK_PRESETS: Readonly<
  Record<WebhookScheme, { readonly id?: WebhookSelector; readonly detailType?: WebhookSelector }>
> = {
  none: {},
  hmac: {},
  github: { id: { header: 'x-github-delivery' }, detailType: { header: 'x-github-event' } },
  stripe: { id: { member: 'id' }, detailType: { member: 'type' } },
  slack: { id: { member: 'event_id' }, detailType: { member: 'type' } },
  'standard-webhooks': { id: { header: 'webhook-id' }, detailType: { member: 'type' } }
}

export function webhookArn({ region, accountId }: ArnScope, name: string): string {
  return `arn:aws:hearth:${region}:${accountId}:webhook/${name}`
}
