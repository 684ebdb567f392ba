import {
  HearthError,
  parseSecretReference,
  type WebhookScheme,
  type WebhookSelector,
  type WebhookSettings
} from '@hearth/shared'
import { z } from 'zod'

/** HTTP's token: anything else is no header's name. */
const HeaderName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
  .transform((name) => name.toLowerCase())
const Selector = z.union([
  z.strictObject({ header: HeaderName }),
  z.strictObject({ member: z.string().min(1).max(128) })
])
/** Of the value: who shows a secret in a message gives it away. */
const Secret = z.string().min(8).max(512).meta({
  description: 'The secret, or secret:name[@stage][#key], which stands for one of the secrets of this server'
})

const METHODS = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'] as const

export const WebhookBody = z.strictObject({
  function: z.string().min(1).max(200).nullish().meta({ description: 'Name, name:qualifier or ARN. Or else: bus' }),
  bus: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[/.\-_A-Za-z0-9]+$/)
    .nullish()
    .meta({ description: 'Event bus that events are put on, so that rules lead to functions' }),
  source: z.string().min(1).max(256).nullish().meta({ description: 'Of events on the bus. Default: webhook.{name}' }),
  detailType: z
    .union([z.string().min(1).max(128), Selector])
    .nullish()
    .meta({ description: 'Of events on the bus: a text, or where in the request it is. Default: as the sender says' }),
  enabled: z.boolean().optional().meta({ description: 'False: senders are told to come again. Default: true' }),
  description: z.string().max(512).nullish(),
  methods: z.array(z.enum(METHODS)).min(1).max(METHODS.length).optional().meta({ description: 'Default: POST' }),
  verification: z
    .strictObject({
      scheme: z.enum(['none', 'hmac', 'github', 'stripe', 'slack', 'standard-webhooks']),
      secret: Secret.nullish(),
      header: HeaderName.nullish().meta({ description: 'Of hmac: where the signature is' }),
      algorithm: z.enum(['sha256', 'sha512', 'sha1']).nullish(),
      encoding: z.enum(['hex', 'base64']).nullish(),
      prefix: z.string().max(32).nullish().meta({ description: 'What stands before the signature: sha256=' })
    })
    .meta({
      description: 'How senders prove themselves. Without a secret the old one stays, or one is made and shown'
    }),
  deduplication: z
    .strictObject({
      by: Selector.nullish().meta({ description: "Where a delivery's own id is. Default: where the scheme has it" }),
      windowSeconds: z.int().min(60).max(2_592_000).optional().meta({ description: 'Default: a day' }),
      enabled: z.boolean().optional()
    })
    .nullish(),
  deadLetterFunction: z.string().min(1).max(200).nullish().meta({ description: 'Gets what the function may not have' })
})
export type WebhookBody = z.output<typeof WebhookBody>

export const RotateBody = z.strictObject({
  keepPreviousSeconds: z
    .int()
    .min(0)
    .max(2_592_000)
    .optional()
    .meta({ description: 'How long the old secret counts too. Default: a day' }),
  secret: Secret.nullish().meta({ description: 'Default: one is made, and shown in the answer' })
})

/** Where a request's own id and kind are by default. */
export type Preset = { readonly id?: WebhookSelector; readonly detailType?: WebhookSelector }

/**
 * What hangs together: parts that are for other schemes or targets are refused, not ignored.
 *
 * @throws HearthError INVALID_REQUEST
 */
export function checkWebhook(body: WebhookBody): void {
  const { verification, bus } = body
  if ((body.function == null) === (bus == null)) throw wrong('body.function', 'give either a function or a bus')
  for (const member of ['source', 'detailType'] as const) {
    if (body[member] != null && bus == null) throw wrong(`body.${member}`, 'it is for a bus')
  }
  if (body.source?.startsWith('aws.') === true) throw wrong('body.source', 'aws. is for AWS itself')
  if (body.deadLetterFunction != null && bus != null) {
    throw wrong('body.deadLetterFunction', 'each target of a rule has its own')
  }
  const { scheme, secret } = verification
  for (const member of ['header', 'algorithm', 'encoding', 'prefix'] as const) {
    if (verification[member] != null && scheme !== 'hmac') {
      throw wrong(`body.verification.${member}`, `it is for the scheme hmac; ${scheme} says it by itself`)
    }
  }
  if (scheme === 'hmac' && verification.header == null) {
    throw wrong('body.verification.header', 'say which header has the signature')
  }
  if (secret != null) checkSecret(scheme, secret, 'body.verification.secret')
}

/** @throws HearthError INVALID_REQUEST, INVALID_SECRET_REFERENCE; none of them shows the secret */
export function checkSecret(scheme: WebhookScheme, secret: string, path: string): void {
  if (scheme === 'none') throw wrong(path, 'with the scheme none there is no secret')
  if (parseSecretReference(secret) !== undefined || scheme !== 'standard-webhooks') return
  const text = secret.replace(/^whsec_/, '')
  const bytes = Buffer.from(text, 'base64')
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (!isBase64 || bytes.length < 16 || bytes.length > 64) {
    throw wrong(path, 'Standard Webhooks has whsec_ and 24 to 64 bytes in base64')
  }
}

export function wrong(path: string, message: string): HearthError {
  return new HearthError('INVALID_REQUEST', `${path}: ${message}`, { errors: [{ path, message }] })
}

/** As the owner said it. */
export function hmacOf({ verification }: WebhookBody): WebhookSettings['hmac'] {
  if (verification.scheme !== 'hmac') return undefined
  return {
    header: verification.header!,
    algorithm: verification.algorithm ?? 'sha256',
    encoding: verification.encoding ?? 'hex',
    prefix: verification.prefix ?? ''
  }
}
