import type { Policy } from './document.ts'
import type { PolicyRequest } from './request.ts'
import { matchStatement, type StatementResult } from './statement.ts'

/** All that may have a say in a request. */
export interface Policies {
  /** Of the caller: inline and attached. */
  readonly identity: readonly Policy[]
  /** Caps what identity policies may allow. */
  readonly boundary?: Policy
  /** Of a session: caps it further. Several are one. */
  readonly session?: readonly Policy[]
  /** Of what is asked for. */
  readonly resource?: Policy
}

/** Which kind of policy decided. */
export type Decider = 'identity' | 'resource' | 'boundary' | 'session'

/** The statement that made a decision. */
export interface Reason {
  readonly policy: string
  /** From 0. */
  readonly index: number
  readonly sid: string | undefined
}

export type Decision =
  | { readonly allowed: true; readonly by: Decider | 'root'; readonly reason: Reason | undefined }
  /** `explicit`: a Deny matched; else nobody allowed it, and `by` is where an Allow was missing. */
  | { readonly allowed: false; readonly explicit: boolean; readonly by: Decider; readonly reason: Reason | undefined }

/** A statement's part in a decision, for explanations. */
export interface StatementTrace extends Reason {
  readonly decider: Decider
  readonly effect: 'Allow' | 'Deny'
  readonly result: StatementResult
}

type Observe = (trace: StatementTrace) => void

interface Verdict {
  deny: Reason | undefined
  allow: Reason | undefined
  /** Of a resource policy: an Allow that needs none of the caller's own; `self`: that not even a boundary caps. */
  direct: 'none' | 'role' | 'self'
  /** The direct one. */
  directReason: Reason | undefined
}

/**
 * AWS's order: a Deny anywhere, then the resource policy for those that it names itself, then the caller's own
 * policies and what caps them. Nothing is allowed by default.
 *
 * @param observe - Is told of every statement.
 * @see reference: IAM §2.1–2.3
 */
export function evaluate(policies: Policies, request: PolicyRequest, observe?: Observe): Decision {
  const action = request.action.toLowerCase()
  const look = (list: readonly Policy[], decider: Decider): Verdict => {
    const verdict: Verdict = { deny: undefined, allow: undefined, direct: 'none', directReason: undefined }
    for (const policy of list) collect(policy, decider, request, action, verdict, observe)
    return verdict
  }
  const { boundary, session } = policies
  const identity = look(policies.identity, 'identity')
  const resource = look(policies.resource === undefined ? [] : [policies.resource], 'resource')
  const cap = boundary === undefined ? undefined : look([boundary], 'boundary')
  const narrowed = session === undefined || session.length === 0 ? undefined : look(session, 'session')

  if (identity.deny !== undefined) return denied('identity', identity.deny)
  if (resource.deny !== undefined) return denied('resource', resource.deny)
  if (cap?.deny !== undefined) return denied('boundary', cap.deny)
  if (narrowed?.deny !== undefined) return denied('session', narrowed.deny)

  const { caller } = request
  // These have no policies of their own: what they ask for must let them in.
  if (caller.type === 'service' || caller.type === 'anonymous') {
    return resource.allow === undefined
      ? missing('resource')
      : { allowed: true, by: 'resource', reason: resource.allow }
  }
  const isHome = caller.accountId === request.resourceAccount
  if (!isHome && resource.allow === undefined) return missing('resource')
  if (isHome && caller.type === 'root') return { allowed: true, by: 'root', reason: undefined }
  if (isHome && resource.direct === 'self') return { allowed: true, by: 'resource', reason: resource.directReason }

  const byRole = isHome && resource.direct === 'role'
  if (!byRole && identity.allow === undefined && caller.type !== 'root') return missing('identity')
  if (cap !== undefined && cap.allow === undefined) return missing('boundary')
  if (narrowed !== undefined && narrowed.allow === undefined) return missing('session')
  if (byRole) return { allowed: true, by: 'resource', reason: resource.directReason }
  return { allowed: true, by: identity.allow === undefined ? 'root' : 'identity', reason: identity.allow }
}

/**
 * Whether a role's trust policy lets somebody take the role. It is a resource policy that always must allow; one that
 * names the account leaves it to the caller's own policies.
 *
 * @see reference: IAM §2.1 (exceptions), §5
 */
export function evaluateTrust(trust: Policy, policies: Omit<Policies, 'resource'>, request: PolicyRequest): Decision {
  const verdict: Verdict = { deny: undefined, allow: undefined, direct: 'none', directReason: undefined }
  collect(trust, 'resource', request, request.action.toLowerCase(), verdict, undefined)
  if (verdict.deny === undefined && verdict.allow === undefined) return missing('resource')
  return evaluate({ ...policies, resource: trust }, request)
}

function collect(
  policy: Policy,
  decider: Decider,
  request: PolicyRequest,
  action: string,
  verdict: Verdict,
  observe: Observe | undefined
): void {
  for (const statement of policy.statements) {
    const result = matchStatement(statement, request, action)
    observe?.({
      policy: policy.name,
      index: statement.index,
      sid: statement.sid,
      decider,
      effect: statement.effect,
      result
    })
    if (!result.matches) continue
    const reason = { policy: policy.name, index: statement.index, sid: statement.sid }
    if (statement.effect === 'Deny') {
      verdict.deny ??= reason
      continue
    }
    verdict.allow ??= reason
    // A star asks nothing of the caller's own policies, but names nobody: what caps the caller stays in force.
    const direct = result.principal === 'account' ? 'none' : result.principal === 'self' ? 'self' : 'role'
    if (direct === 'self' && verdict.direct !== 'self') {
      verdict.direct = 'self'
      verdict.directReason = reason
    } else if (direct === 'role' && verdict.direct === 'none') {
      verdict.direct = 'role'
      verdict.directReason = reason
    }
  }
}

function denied(by: Decider, reason: Reason): Decision {
  return { allowed: false, explicit: true, by, reason }
}

function missing(by: Decider): Decision {
  return { allowed: false, explicit: false, by, reason: undefined }
}
