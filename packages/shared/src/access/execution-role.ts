import type { Principal, Session } from '../auth/principal.ts'
import { sessionPrincipal } from '../auth/session-tokens.ts'
import type { PrincipalSource } from './principal-source.ts'

/**
 * A function's session of its execution role.
 *
 * @param roleArn - With its path
 * @param functionArn - Without qualifier
 * @param issuedAt - Unix time in ms, as `expiresAt`
 */
export function functionSession(
  roleArn: string,
  roleId: string,
  functionArn: string,
  issuedAt: number,
  expiresAt: number
): Session {
  const name = functionArn.slice(functionArn.lastIndexOf(':') + 1)
  return {
    roleName: roleArn.slice(roleArn.lastIndexOf('/') + 1),
    roleArn,
    roleId,
    // Sessions have names of two letters and more. Source: what AWS calls that of a function with a shorter one.
    name: name.length === 1 ? `${name}@lambda_function` : name,
    issuedAt,
    expiresAt,
    functionArn
  }
}

/**
 * Who a function is when something is done on its behalf: its execution role, in a session of the function's name.
 *
 * @param roleArn - With its path
 * @param functionArn - Without qualifier
 * @param nowMs - Unix time
 * @returns undefined when there is no such role: then it may do nothing
 * @see reference: IAM, roles of functions
 */
export function executionPrincipal(
  source: Pick<PrincipalSource, 'findRole'>,
  roleArn: string,
  functionArn: string,
  nowMs: number
): Principal | undefined {
  const [, , , , accountId = '', resource = ''] = roleArn.split(':')
  const role = source.findRole(resource.slice(resource.lastIndexOf('/') + 1))
  if (role === undefined || resource !== `role${role.path}${role.name}`) return undefined
  // No key has such an id: what is remembered of this one is of no other.
  const keyId = `${role.roleId}:${functionArn}`
  return sessionPrincipal(functionSession(roleArn, role.roleId, functionArn, nowMs, nowMs), accountId, keyId)
}
