/** A policy as it is stored. */
export interface PolicyText {
  /** As decisions and the audit log call it. */
  readonly name: string
  readonly document: string
}

/** What a user or role has a say with. */
export interface PrincipalPolicies {
  /** Inline ones by name, then the default versions of attached ones. */
  readonly policies: readonly PolicyText[]
  readonly boundary: PolicyText | undefined
}

/** What is stored of a user or a role, as far as decisions need it. */
export interface IdentityRecord extends PrincipalPolicies {
  readonly name: string
  /** Begins and ends with a slash. */
  readonly path: string
  readonly tags: Readonly<Record<string, string>>
}

export interface UserIdentity extends IdentityRecord {
  /** `AIDA…`. */
  readonly userId: string
}

export interface RoleIdentity extends IdentityRecord {
  /** `AROA…`. */
  readonly roleId: string
  /** Who may take the role: JSON text. */
  readonly trust: string
  /** Longest session, in seconds. */
  readonly maxSessionS: number
  /** Sessions from before this time are over; ISO 8601. */
  readonly sessionsFrom: string
}

/** Users and roles as stored, by their exact names. */
export interface PrincipalSource {
  findUser(name: string): UserIdentity | undefined
  findRole(name: string): RoleIdentity | undefined
}
