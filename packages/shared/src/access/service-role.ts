import type { ArnScope } from '../arn.ts'
import { parsePolicy } from '../policy/document.ts'
import { evaluateTrust } from '../policy/evaluate.ts'
import { type ContextKeys, contextKeys } from '../policy/request.ts'
import type { PrincipalSource, RoleIdentity } from './principal-source.ts'

/** Who takes the roles of functions. */
export const LAMBDA_SERVICE = 'lambda.amazonaws.com'

/** The name at the end of a role's ARN. */
function roleNameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf('/') + 1)
}

/**
 * The role of exactly this ARN, if there is one and it trusts the service.
 *
 * @param own - Condition keys of what the service takes it for, by their names in lower case
 * @throws HearthError MALFORMED_POLICY when its stored trust policy is none
 * @see reference: IAM §3
 */
export function findServiceRole(
  source: Pick<PrincipalSource, 'findRole'>,
  scope: ArnScope,
  roleArn: string,
  service: string,
  own?: ContextKeys
): RoleIdentity | undefined {
  const role = source.findRole(roleNameOf(roleArn))
  if (role === undefined || roleArn !== `arn:aws:iam::${scope.accountId}:role${role.path}${role.name}`) return undefined
  const ofServer = contextKeys({ 'aws:SourceAccount': scope.accountId })
  const request = {
    caller: { type: 'service', arn: '', accountId: '', service } as const,
    action: 'sts:AssumeRole',
    resource: roleArn,
    resourceAccount: scope.accountId,
    keys: (name: string) => own?.(name) ?? ofServer(name)
  }
  const isTrusted = evaluateTrust(parsePolicy(role.trust, 'trust', 'trust policy'), { identity: [] }, request).allowed
  return isTrusted ? role : undefined
}
