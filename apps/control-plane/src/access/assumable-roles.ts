import {
  type ArnScope,
  contextKeys,
  evaluateTrust,
  HearthError,
  type PrincipalSource,
  parsePolicy
} from '@hearth/shared'

const LAMBDA = { type: 'service', arn: '', accountId: '', service: 'lambda.amazonaws.com' } as const

/** Says no to roles that Lambda cannot take. */
export interface AssumableRoles {
  /** @throws HearthError INVALID_REQUEST in AWS's words, which deploy tools wait for */
  require(roleArn: string): void
}

/** @see reference: IAM §3 */
export function createAssumableRoles(source: Pick<PrincipalSource, 'findRole'>, scope: ArnScope): AssumableRoles {
  const isAssumable = (roleArn: string): boolean => {
    const role = source.findRole(roleArn.slice(roleArn.lastIndexOf('/') + 1))
    if (role === undefined || roleArn !== `arn:aws:iam::${scope.accountId}:role${role.path}${role.name}`) return false
    const request = {
      caller: LAMBDA,
      action: 'sts:AssumeRole',
      resource: roleArn,
      resourceAccount: scope.accountId,
      keys: contextKeys({ 'aws:SourceAccount': scope.accountId })
    }
    return evaluateTrust(parsePolicy(role.trust, 'trust', 'trust policy'), { identity: [] }, request).allowed
  }
  return {
    require(roleArn) {
      if (isAssumable(roleArn)) return
      throw new HearthError('INVALID_REQUEST', 'The role defined for the function cannot be assumed by Lambda.')
    }
  }
}
