import type { ArnScope } from '../arn.ts'
import type { Principal } from '../auth/principal.ts'
import { sessionPrincipal } from '../auth/session-tokens.ts'
import { HearthError } from '../errors.ts'
import { denialMessage } from '../policy/denial.ts'
import type { Policy } from '../policy/document.ts'
import { type Decision, evaluate, evaluateTrust, type Policies } from '../policy/evaluate.ts'
import type { ContextKeys, PolicyRequest } from '../policy/request.ts'
import { executionPrincipal } from './execution-role.ts'
import { type Identity, identify } from './identity.ts'
import type { PrincipalSource } from './principal-source.ts'
import { type RequestFacts, requestKeys } from './request-keys.ts'
import { findServiceRole } from './service-role.ts'

export interface AuthorizerOptions {
  readonly source: PrincipalSource
  readonly scope: ArnScope
  /** Unix time in ms. */
  readonly now: () => number
  /** Told of every decision by {@link Authorizer.require}. */
  readonly onDecision?: (principal: Principal | undefined, wish: Wish, facts: RequestFacts, decision: Decision) => void
}

/** What somebody wants to do. */
export interface Wish {
  /** `lambda:InvokeFunction`. */
  readonly action: string
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string
  /** Of the resource, if it has one. */
  readonly resourcePolicy?: Policy | undefined
  /** Condition keys of the action, by their names in lower case. */
  readonly keys?: ContextKeys | undefined
}

/** Says who may do what. Synchronous; what it looks up is kept until {@link Authorizer.forget}. */
export interface Authorizer {
  /**
   * @param principal - Undefined: nobody in particular.
   * @throws HearthError ACCESS_DENIED in AWS's words; MALFORMED_POLICY when a stored policy is none
   */
  require(principal: Principal | undefined, wish: Wish, facts: RequestFacts): void
  /** @throws HearthError ACCESS_DENIED only where a policy denies it in so many words */
  refuseDenied(principal: Principal | undefined, wish: Wish, facts: RequestFacts): void
  /**
   * Whether somebody may take a role.
   *
   * @param trust - The role's trust policy.
   * @throws HearthError ACCESS_DENIED
   */
  requireTrust(principal: Principal, trust: Policy | undefined, wish: Wish, facts: RequestFacts): void
  /**
   * Whether a function may, by its execution role and what the resource's own policy says.
   *
   * @param roleArn - With its path
   * @param functionArn - Without qualifier
   */
  mayFunction(roleArn: string, functionArn: string, wish: Wish, facts: RequestFacts): boolean
  /**
   * Whether a service may: by the resource's own policy, or as a role that trusts it.
   *
   * @param service - `scheduler.amazonaws.com`
   * @param roleArn - With its path; undefined: the service as itself
   */
  mayService(service: string, roleArn: string | undefined, wish: Wish, facts: RequestFacts): boolean
  /** Whether temporary credentials were taken back, or their role is gone. */
  isRevoked(principal: Principal): boolean
  /** Users, roles or policies have changed. */
  forget(): void
}

/** Callers remembered. */
const CACHE_ENTRIES = 4_096

const NOT_TRUSTED: Decision = { allowed: false, explicit: false, by: 'identity', reason: undefined }

const ANONYMOUS: Identity = {
  caller: { type: 'anonymous', arn: '', accountId: '' },
  policies: [],
  boundary: undefined,
  session: undefined,
  tags: {},
  userName: undefined
}

export function createAuthorizer({ source, scope, now, onDecision }: AuthorizerOptions): Authorizer {
  // By key: what a session's key may do is narrowed by its own policies.
  let identities = new Map<string, Identity>()
  let revocations = new Map<string, number>()

  const identityOf = (principal: Principal): Identity => {
    const known = identities.get(principal.keyId)
    if (known !== undefined) return known
    const identity = identify(principal, source)
    if (identities.size >= CACHE_ENTRIES) identities = new Map()
    identities.set(principal.keyId, identity)
    return identity
  }

  const prepare = (
    principal: Principal | undefined,
    wish: Wish,
    facts: RequestFacts,
    identity: Identity = principal === undefined ? ANONYMOUS : identityOf(principal)
  ) => {
    const { caller, policies, boundary, session } = identity
    const request: PolicyRequest = {
      caller,
      action: wish.action,
      resource: wish.resource,
      // What has an ARN here is this server's.
      resourceAccount: scope.accountId,
      keys: requestKeys(identity, principal, facts, scope.region, now, wish.keys)
    }
    const { resourcePolicy } = wish
    const found: Policies = {
      identity: policies,
      ...(boundary === undefined ? {} : { boundary }),
      ...(session === undefined ? {} : { session }),
      ...(resourcePolicy === undefined ? {} : { resource: resourcePolicy })
    }
    return { request, policies: found }
  }

  const conclude = (
    principal: Principal | undefined,
    wish: Wish,
    facts: RequestFacts,
    request: PolicyRequest,
    decision: Decision
  ): void => {
    onDecision?.(principal, wish, facts, decision)
    if (!decision.allowed) throw new HearthError('ACCESS_DENIED', denialMessage(decision, request))
  }

  const may = (
    principal: Principal | undefined,
    wish: Wish,
    facts: RequestFacts,
    { policies, request }: ReturnType<typeof prepare>
  ): boolean => {
    const decision = evaluate(policies, request)
    onDecision?.(principal, wish, facts, decision)
    return decision.allowed
  }

  /** From when on sessions of the role are good, Unix time in ms; infinity when there is no such role. */
  const goodFrom = (roleName: string, roleId: string): number => {
    const known = revocations.get(roleId)
    if (known !== undefined) return known
    const role = source.findRole(roleName)
    const from = role?.roleId !== roleId ? Number.POSITIVE_INFINITY : Date.parse(role.sessionsFrom)
    if (revocations.size >= CACHE_ENTRIES) revocations = new Map()
    revocations.set(roleId, from)
    return from
  }

  return {
    require(principal, wish, facts) {
      const { policies, request } = prepare(principal, wish, facts)
      conclude(principal, wish, facts, request, evaluate(policies, request))
    },
    refuseDenied(principal, wish, facts) {
      const { policies, request } = prepare(principal, wish, facts)
      const decision = evaluate(policies, request)
      if (!decision.allowed && decision.explicit) conclude(principal, wish, facts, request, decision)
    },
    requireTrust(principal, trust, wish, facts) {
      const { policies, request } = prepare(principal, wish, facts)
      // A role that is not there is refused as one that trusts nobody: who asks learns nothing.
      const decision = trust === undefined ? NOT_TRUSTED : evaluateTrust(trust, policies, request)
      conclude(principal, wish, facts, request, decision)
    },
    mayFunction(roleArn, functionArn, wish, facts) {
      const principal = executionPrincipal(source, roleArn, functionArn, now())
      return principal !== undefined && may(principal, wish, facts, prepare(principal, wish, facts))
    },
    mayService(service, roleArn, wish, facts) {
      if (roleArn === undefined) {
        const identity: Identity = { ...ANONYMOUS, caller: { type: 'service', arn: '', accountId: '', service } }
        return may(undefined, wish, facts, prepare(undefined, wish, facts, identity))
      }
      const role = findServiceRole(source, scope, roleArn, service, wish.keys)
      if (role === undefined) {
        onDecision?.(undefined, wish, facts, NOT_TRUSTED)
        return false
      }
      const { name: roleName, roleId } = role
      const session = { roleName, roleArn, roleId, name: service.split('.')[0]!, issuedAt: now(), expiresAt: now() }
      // No key has such an id: what is remembered of this one is of no other.
      const principal = sessionPrincipal(session, scope.accountId, `${roleId}:${service}`)
      return may(principal, wish, facts, prepare(principal, wish, facts))
    },
    isRevoked({ session }) {
      return session !== undefined && !(session.issuedAt >= goodFrom(session.roleName, session.roleId))
    },
    forget() {
      identities = new Map()
      revocations = new Map()
    }
  }
}
