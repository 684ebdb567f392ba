import {
  type ArnScope,
  contextKeys,
  evaluateTrust,
  HearthError,
  type PrincipalSource,
  parsePolicy
} from '@hearth/shared'

/** Says no to roles that a service cannot take. */
export interface AssumableRoles {
  /** @throws HearthError INVALID_REQUEST in AWS's words, which deploy tools wait for */
  require(roleArn: string): void
  /**
   * @param service - `scheduler.amazonaws.com`
   * @throws HearthError VALIDATION_FAILED in that service's words
   */
  requireFor(roleArn: string, service: string): void
}

/** @see reference: IAM §3 */
export function createAssumableRoles(source: Pick<PrincipalSource, 'findRole'>, scope: ArnScope): AssumableRoles {
  const isAssumable = (roleArn: string, service: string): boolean => {
    const role = source.findRole(roleArn.slice(roleArn.lastIndexOf('/') + 1))
    if (role === undefined || roleArn !== `arn:aws:iam::${scope.accountId}:role${role.path}${role.name}`) return false
    const request = {
      caller: { type: 'service', arn: '', accountId: '', service } as const,
      action: 'sts:AssumeRole',
      resource: roleArn,
      resourceAccount: scope.accountId,
      keys: contextKeys({ 'aws:SourceAccount': scope.accountId })
    }
    return evaluateTrust(parsePolicy(role.trust, 'trust', 'trust policy'), { identity: [] }, request).allowed
  }
  return {
    require(roleArn) {
      if (isAssumable(roleArn, 'lambda.amazonaws.com')) return
      throw new HearthError('INVALID_REQUEST', 'The role defined for the function cannot be assumed by Lambda.')
    },
    requireFor(roleArn, service) {
      if (isAssumable(roleArn, service)) return
      throw new HearthError(
        'VALIDATION_FAILED',
        `The execution role you provide must allow ${service} to assume the role.`
      )
    }
  }
}
