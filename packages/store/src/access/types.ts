/**
 * A managed policy as users and roles refer to it: the name of one of this server's, or the ARN of one of AWS's. Names
 * have no colon.
 */
export type PolicyRef = string

export interface UserRecord {
  readonly name: string
  /** Begins and ends with a slash. */
  readonly path: string
  /** AIDA…: of this user alone, also when another gets its name. */
  readonly userId: string
  readonly tags: Readonly<Record<string, string>>
  readonly boundary: PolicyRef | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

export interface RoleRecord {
  readonly name: string
  readonly path: string
  /** AROA…: of this role alone. */
  readonly roleId: string
  /** The trust policy, as it was sent. */
  readonly trust: string
  readonly description: string | undefined
  /** 3,600 to 43,200. */
  readonly maxSessionS: number
  readonly tags: Readonly<Record<string, string>>
  readonly boundary: PolicyRef | undefined
  /** ISO 8601, UTC: sessions issued before this are refused. */
  readonly sessionsFrom: string
  readonly createdAt: string
  readonly lastUsed: { readonly at: string; readonly region: string } | undefined
}

/** A managed policy of this server. */
export interface PolicyRecord {
  readonly name: string
  readonly path: string
  /** ANPA… */
  readonly policyId: string
  readonly description: string | undefined
  readonly defaultVersion: number
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: string
  /** When a version was last made or made the default. */
  readonly updatedAt: string
}

export interface PolicyVersionRecord {
  /** From 1; never used again. */
  readonly version: number
  readonly document: string
  readonly createdAt: string
}
