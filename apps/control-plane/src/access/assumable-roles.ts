import { type ArnScope, findFunctionRole, HearthError, type PrincipalSource } from '@hearth/shared'

/** Says no to roles that Lambda cannot take. */
export interface AssumableRoles {
  /** @throws HearthError INVALID_REQUEST in AWS's words, which deploy tools wait for */
  require(roleArn: string): void
}

export function createAssumableRoles(source: Pick<PrincipalSource, 'findRole'>, scope: ArnScope): AssumableRoles {
  return {
    require(roleArn) {
      if (findFunctionRole(source, scope, roleArn) !== undefined) return
      throw new HearthError('INVALID_REQUEST', 'The role defined for the function cannot be assumed by Lambda.')
    }
  }
}
