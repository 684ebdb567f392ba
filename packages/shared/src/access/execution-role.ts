import type { Principal } from '../auth/principal.ts'
import type { PrincipalSource } from './principal-source.ts'

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
  const roleName = resource.slice(resource.lastIndexOf('/') + 1)
  const name = functionArn.slice(functionArn.lastIndexOf(':') + 1)
  const role = source.findRole(roleName)
  if (role === undefined || resource !== `role${role.path}${role.name}`) return undefined
  const { roleId } = role
  return {
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${name}`,
    userId: `${roleId}:${name}`,
    accountId,
    // No key has such an id: what is remembered of this one is of no other.
    keyId: `${roleId}:${functionArn}`,
    session: { roleName, roleArn, roleId, name, issuedAt: nowMs, expiresAt: nowMs, functionArn }
  }
}
