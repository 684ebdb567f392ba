import type { PolicyCaller } from './request.ts'

/**
 * How a principal element names a caller. `account` only lets the account's own policies decide; `role` names it by its
 * role, `self` by its own ARN, `anyone` by a star.
 */
export type PrincipalMatch = 'none' | 'account' | 'anyone' | 'role' | 'self'

export interface PrincipalPattern {
  match(caller: PolicyCaller): PrincipalMatch
}

const ACCOUNT = /^\d{12}$/
const ROOT = /^arn:aws[\w-]*:iam::(\d{12}):root$/
/** Of an entity: role, user, session, federated user. */
const ENTITY = /^arn:aws[\w-]*:(iam|sts)::\d{12}:(user|role|assumed-role|federated-user)\/[\w+=,.@/-]+$/
/** A user or role that is gone, by its unique id. */
const UNIQUE_ID = /^A(IDA|ROA)[A-Z0-9]{11,}$/

/**
 * @returns undefined when no principal is written like this
 * @see reference: IAM §1.2
 */
export function parsePrincipal(kind: string, value: string): PrincipalPattern | undefined {
  if (kind === 'Service') {
    if (value === '*') return { match: (caller) => (caller.type === 'service' ? 'self' : 'none') }
    if (!/^[a-z0-9.-]+$/i.test(value)) return undefined
    return { match: (caller) => (caller.service === value ? 'self' : 'none') }
  }
  // Nobody comes here with these; documents that name them stay valid.
  if (kind === 'Federated' || kind === 'CanonicalUser') return { match: () => 'none' }
  if (kind !== 'AWS') return undefined
  if (value === '*') return { match: (caller) => (caller.type === 'service' ? 'none' : 'anyone') }
  const account = ACCOUNT.test(value) ? value : ROOT.exec(value)?.[1]
  if (account !== undefined) return { match: (caller) => matchAccount(caller, account) }
  if (UNIQUE_ID.test(value)) return { match: () => 'none' }
  if (!ENTITY.test(value)) return undefined
  return { match: (caller) => (caller.arn === value ? 'self' : caller.roleArn === value ? 'role' : 'none') }
}

function matchAccount(caller: PolicyCaller, account: string): PrincipalMatch {
  if (caller.accountId !== account) return 'none'
  return caller.type === 'root' ? 'self' : 'account'
}

/** `"*"` without a kind: everyone, services and strangers too. */
export const EVERYONE: PrincipalPattern = { match: () => 'anyone' }

const RANK: readonly PrincipalMatch[] = ['none', 'account', 'anyone', 'role', 'self']

/** How the closest of them names the caller. */
export function closest(patterns: readonly PrincipalPattern[], caller: PolicyCaller): PrincipalMatch {
  let best: PrincipalMatch = 'none'
  for (const pattern of patterns) {
    const found = pattern.match(caller)
    if (RANK.indexOf(found) > RANK.indexOf(best)) best = found
  }
  return best
}
