import type { ArnScope } from '../arn.ts'
import { parsePolicy } from '../policy/document.ts'
import { evaluateTrust } from '../policy/evaluate.ts'
import { contextKeys } from '../policy/request.ts'
import type { PrincipalSource, RoleIdentity } from './principal-source.ts'

const LAMBDA = { type: 'service', arn: '', accountId: '', service: 'lambda.amazonaws.com' } as const

/** The name at the end of a role's ARN. */
function roleNameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf('/') + 1)
}

/**
 * The role that functions act as, if there is one of exactly this ARN and it trusts Lambda.
 *
 * @throws HearthError MALFORMED_POLICY when its stored trust policy is none
 * @see reference: IAM §3
 */
export function findFunctionRole(
  source: Pick<PrincipalSource, 'findRole'>,
  scope: ArnScope,
  roleArn: string
): RoleIdentity | undefined {
  const role = source.findRole(roleNameOf(roleArn))
  if (role === undefined || roleArn !== `arn:aws:iam::${scope.accountId}:role${role.path}${role.name}`) return undefined
  const request = {
    caller: LAMBDA,
    action: 'sts:AssumeRole',
    resource: roleArn,
    resourceAccount: scope.accountId,
    keys: contextKeys({ 'aws:SourceAccount': scope.accountId })
  }
  const isTrusted = evaluateTrust(parsePolicy(role.trust, 'trust', 'trust policy'), { identity: [] }, request).allowed
  return isTrusted ? role : undefined
}
