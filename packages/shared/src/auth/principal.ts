/** Someone who may call: what authentication finds out. */
export interface Principal {
  /** E.g. `arn:aws:iam::000000000000:user/admin`. */
  readonly arn: string
  readonly userId: string
  readonly accountId: string
  readonly keyId: string
}

/** A key as authentication needs it. */
export interface AccessKey {
  /** AKIA…, 20 characters. */
  readonly accessKeyId: string
  /** The SigV4 secret in clear: it is needed to verify. Kept encrypted at rest, in memory only here. */
  readonly secretAccessKey: string
  /** Hex sha256 of the Bearer token that belongs to the key. */
  readonly tokenHash: string
  readonly principal: Principal
  /** The user whom the key belongs to. */
  readonly userName: string
  readonly status: 'Active' | 'Inactive'
  /** ISO 8601, UTC: from then on it is refused. Undefined: never. */
  readonly expiresAt: string | undefined
}
