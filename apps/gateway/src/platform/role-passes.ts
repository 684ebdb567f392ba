import type { Pass } from '@hearth/executor'
import {
  type ArnScope,
  findServiceRole,
  functionArn,
  functionSession,
  LAMBDA_SERVICE,
  type Principal,
  type PrincipalSource,
  type SessionTokens,
  sessionPrincipal,
  type TemporaryCredentials
} from '@hearth/shared'

export interface RolePassesOptions {
  readonly source: Pick<PrincipalSource, 'findRole'>
  readonly sessions: Pick<SessionTokens, 'issue'>
  readonly isRevoked: (principal: Principal) => boolean
  readonly scope: ArnScope
  /** Unix time in ms. */
  readonly now: () => number
  /** How long credentials last, in ms. {@link LIFETIME_MS} unless given. */
  readonly lifetimeMs?: number | undefined
}

/** Makes the credentials that functions act as their roles with. Synchronous; roles are looked up once per change. */
export interface RolePasses {
  /**
   * Credentials for another instance of a function; those that start soon after each other share them.
   *
   * @throws Error when there is no such role, or it does not trust Lambda
   */
  passFor(functionName: string, roleArn: string): Pass
  /** Users, roles or policies have changed: what is known of them is asked for anew. */
  forget(): void
}

/** Lambda's words. */
export const ROLE_NOT_ASSUMABLE = 'The role defined for the function cannot be assumed by Lambda.'
/** Long, since each one costs an instance its life, and independent of how long others may take the role. */
const LIFETIME_MS = 6 * 3_600_000
/** How old credentials may be that another instance is given. */
const SHARED_MS = 5 * 60_000
/** Functions and roles remembered. */
const CACHE_ENTRIES = 4_096

export function createRolePasses(options: RolePassesOptions): RolePasses {
  const { source, sessions, isRevoked, scope, now, lifetimeMs = LIFETIME_MS } = options
  /** Ids of roles that functions may act as, by ARN. */
  let roleIds = new Map<string, string>()
  let passes = new Map<string, RolePass>()
  let generation = 0

  const roleIdOf = (roleArn: string): string => {
    const known = roleIds.get(roleArn)
    if (known !== undefined) return known
    const role = findServiceRole(source, scope, roleArn, LAMBDA_SERVICE)
    if (role === undefined) throw new Error(ROLE_NOT_ASSUMABLE)
    if (roleIds.size >= CACHE_ENTRIES) roleIds = new Map()
    roleIds.set(roleArn, role.roleId)
    return role.roleId
  }

  const issue = (functionName: string, roleArn: string, roleId: string): RolePass => {
    const issuedAt = now()
    const session = functionSession(roleArn, roleId, functionArn(scope, functionName), issuedAt, issuedAt + lifetimeMs)
    const credentials = sessions.issue(session)
    const principal = sessionPrincipal(session, scope.accountId, credentials.accessKeyId)
    return new RolePass(
      credentials,
      issuedAt,
      () => generation,
      () => isRevoked(principal)
    )
  }

  return {
    passFor(functionName, roleArn) {
      const roleId = roleIdOf(roleArn)
      const name = `${functionName} ${roleId}`
      const known = passes.get(name)
      if (known?.isGood() === true && now() - known.issuedAt < SHARED_MS && known.issuedAt <= now()) return known
      const pass = issue(functionName, roleArn, roleId)
      if (passes.size >= CACHE_ENTRIES) passes = new Map()
      passes.set(name, pass)
      return pass
    },
    forget() {
      generation++
      roleIds = new Map()
    }
  }
}

class RolePass implements Pass {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAt: number
  readonly issuedAt: number
  readonly #generation: () => number
  readonly #isRevoked: () => boolean
  #checked: number
  #isGood = true

  constructor(credentials: TemporaryCredentials, issuedAt: number, generation: () => number, isRevoked: () => boolean) {
    this.accessKeyId = credentials.accessKeyId
    this.secretAccessKey = credentials.secretAccessKey
    this.sessionToken = credentials.sessionToken
    this.expiresAt = credentials.expiresAt
    this.issuedAt = issuedAt
    this.#generation = generation
    this.#isRevoked = isRevoked
    this.#checked = generation()
  }

  isGood(): boolean {
    const generation = this.#generation()
    if (generation === this.#checked || !this.#isGood) return this.#isGood
    try {
      this.#isGood = !this.#isRevoked()
      this.#checked = generation
    } catch {
      // The database cannot be read now. What the credentials are used for is checked there in any case.
    }
    return this.#isGood
  }
}
