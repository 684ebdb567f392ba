import { type ArnScope, functionArn, HearthError, parseFunctionRef, type Wish } from '@hearth/shared'
import type { PermissionService } from '../functions/permission-service.ts'

/** Lets a trigger invoke its function, as AWS's console does when it makes one. */
export interface ServicePermissions {
  /** @throws HearthError FUNCTION_NOT_FOUND */
  allow(functionRef: string, statementId: string, service: string, sourceArn: string): void
  revoke(functionArn: string, statementId: string): void
  readonly arnOf: (functionRef: string) => string
  wish(functionRef: string, action: 'lambda:AddPermission' | 'lambda:RemovePermission'): Wish
}

export function createServicePermissions(permissions: PermissionService, scope: ArnScope): ServicePermissions {
  const targetOf = (functionRef: string) => {
    const { name, qualifier } = parseFunctionRef(scope, functionRef)
    // Of $LATEST the policy is the function's own.
    return { name, qualifier: qualifier === '$LATEST' ? undefined : qualifier }
  }
  const has = (target: ReturnType<typeof targetOf>, statementId: string): boolean =>
    permissions.find(target)?.statements.some(({ Sid }) => Sid === statementId) === true
  const arnOf = (functionRef: string): string => {
    const { name, qualifier } = targetOf(functionRef)
    return functionArn(scope, name, qualifier)
  }
  return {
    allow(functionRef, statementId, service, sourceArn) {
      const target = targetOf(functionRef)
      if (has(target, statementId)) permissions.remove(target, statementId)
      permissions.add(target, { statementId, action: 'lambda:InvokeFunction', principal: service, sourceArn })
    },
    revoke(functionRef, statementId) {
      const target = targetOf(functionRef)
      try {
        if (has(target, statementId)) permissions.remove(target, statementId)
      } catch (err) {
        // The function is gone, and its policy with it.
        if (!(err instanceof HearthError) || err.code !== 'FUNCTION_NOT_FOUND') throw err
      }
    },
    arnOf,
    wish: (functionRef, action) => ({ action, resource: arnOf(functionRef) })
  }
}
