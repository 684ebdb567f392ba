/** Someone who may call: what authentication finds out. */
export interface Principal {
  /** E.g. `arn:aws:iam::000000000000:user/admin`, `arn:aws:sts::000000000000:assumed-role/worker/run`. */
  readonly arn: string
  /** `AIDA…`; of a session `AROA…:name`. */
  readonly userId: string
  readonly accountId: string
  readonly keyId: string
  /** Of temporary credentials: the session that they are for. */
  readonly session?: Session | undefined
}

/** A role, taken for a while. */
export interface Session {
  readonly roleName: string
  /** With its path. */
  readonly roleArn: string
  /** `AROA…`: a role that was made anew under the same name is another. */
  readonly roleId: string
  readonly name: string
  /** Unix times in ms. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Of credentials inside a function: its ARN, without qualifier. */
  readonly functionArn?: string | undefined
  /** JSON texts that narrow what the role may. */
  readonly policies?: readonly string[] | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
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
