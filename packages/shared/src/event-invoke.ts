/** Where the outcome of an event goes. */
export interface Destination {
  /** An ARN, or the URL of a webhook. */
  readonly target: string
  /** What a webhook's messages are signed with: `whsec_` and base64. Undefined: not a webhook. */
  readonly secret: string | undefined
}

/** How events that were sent to a version or an alias are tried again, and where their outcome goes. */
export interface EventInvokeConfig {
  readonly functionName: string
  /** `$LATEST`, a version's number or an alias. */
  readonly qualifier: string
  /** 0 to 2; undefined: Lambda's default, 2. */
  readonly maxRetries: number | undefined
  /** 60 to 21,600; undefined: Lambda's default, 21,600. */
  readonly maxAgeS: number | undefined
  readonly onSuccess: Destination | undefined
  readonly onFailure: Destination | undefined
  /** ISO 8601, UTC. */
  readonly lastModified: string
}

const SECRET = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/

/**
 * The key in the text of a webhook's secret.
 *
 * @returns 24 to 64 bytes; undefined when it is not such a text
 * @see the Standard Webhooks specification: symmetric secrets
 */
export function webhookKey(secret: string): Buffer | undefined {
  const [, base64] = SECRET.exec(secret) ?? []
  if (base64 === undefined) return undefined
  const key = Buffer.from(base64, 'base64')
  return key.length < 24 || key.length > 64 || key.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')
    ? undefined
    : key
}
