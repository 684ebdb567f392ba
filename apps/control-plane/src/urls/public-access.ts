import type { FunctionUrlAuthType } from '@hearth/shared'
import type { Permission, PermissionService, PermissionTarget } from '../functions/permission-service.ts'

/** What AWS's console adds when it makes a URL public. */
const STATEMENTS: readonly Permission[] = [
  {
    statementId: 'FunctionURLAllowPublicAccess',
    action: 'lambda:InvokeFunctionUrl',
    principal: '*',
    functionUrlAuthType: 'NONE'
  },
  {
    statementId: 'FunctionURLInvokeAllowPublicAccess',
    action: 'lambda:InvokeFunction',
    principal: '*',
    invokedViaFunctionUrl: true
  }
]

/**
 * Makes a function's policy say what its URL's `authType` says: `NONE` alone opens nothing, on AWS and here. Statements
 * are known by their ids; others are left alone.
 */
export function setPublicAccess(
  permissions: PermissionService,
  target: PermissionTarget,
  authType: FunctionUrlAuthType | undefined
): void {
  const known = new Set(permissions.find(target)?.statements.map(({ Sid }) => Sid))
  for (const statement of STATEMENTS) {
    const isThere = known.has(statement.statementId)
    if (authType === 'NONE' && !isThere) permissions.add(target, statement)
    if (authType !== 'NONE' && isThere) permissions.remove(target, statement.statementId)
  }
}
