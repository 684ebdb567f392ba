import { type ArnScope, findServiceRole, HearthError, LAMBDA_SERVICE, type PrincipalSource } from '@hearth/shared'

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

export function createAssumableRoles(source: Pick<PrincipalSource, 'findRole'>, scope: ArnScope): AssumableRoles {
  const isAssumable = (roleArn: string, service: string): boolean =>
    findServiceRole(source, scope, roleArn, service) !== undefined
  return {
    require(roleArn) {
      if (isAssumable(roleArn, LAMBDA_SERVICE)) return
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
