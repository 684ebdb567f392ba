/** Of users, roles and policies. Source: IAM service model. */
export const ENTITY_NAME = /^[\w+=,.@-]+$/
export const ENTITY_PATH = /^(?:\/|\/[\u0021-\u007e]+\/)$/
export const POLICY_PATH = /^(?:(?:\/[A-Za-z0-9.,+@=_-]+)*)\/$/
export const POLICY_VERSION_ID = /^v([1-9]\d*)(?:\.[A-Za-z0-9-]*)?$/
export const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u
export const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

export const MAX_SESSION_S = { min: 3_600, max: 43_200, default: 3_600 } as const

export function userArn(accountId: string, user: { readonly path: string; readonly name: string }): string {
  return `arn:aws:iam::${accountId}:user${user.path}${user.name}`
}

export function roleArn(accountId: string, role: { readonly path: string; readonly name: string }): string {
  return `arn:aws:iam::${accountId}:role${role.path}${role.name}`
}

export function policyArn(accountId: string, policy: { readonly path: string; readonly name: string }): string {
  return `arn:aws:iam::${accountId}:policy${policy.path}${policy.name}`
}

/** The name at the end of an ARN of a user, role or policy of this account; undefined when it is none. */
export function nameInArn(arn: string, accountId: string, kind: 'user' | 'role' | 'policy'): string | undefined {
  const prefix = `arn:aws:iam::${accountId}:${kind}/`
  return arn.startsWith(prefix) ? arn.slice(arn.lastIndexOf('/') + 1) : undefined
}
